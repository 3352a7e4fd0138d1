"""Questions about one head: what comes from a link is checked where it enters."""

from __future__ import annotations

from typing import Any

import pytest

from flowviz.attention.kinds import Part
from flowviz.attention.why_request import NeuronRequest, Rank, WhyRequest
from flowviz.errors import RequestError


def test_a_link_gives_the_question_back() -> None:
    for request in (
        WhyRequest("a & b", "gpt2", 3, 4, 7, key=2, n=20, rank=Rank.SHARE),
        WhyRequest("a"),
        NeuronRequest("ü\n", "gpt2", 3, 4, 7, " b", (1, 3), Part.CROSS),
        NeuronRequest("a"),
    ):
        assert type(request).from_query("?" + request.to_query()) == request


def test_what_is_left_out_has_its_default() -> None:
    assert WhyRequest("a").to_mapping() == {"model": "demo", "prompt": "a"}
    assert WhyRequest.from_mapping({"prompt": "a", "else": 1}) == WhyRequest("a")
    assert WhyRequest("a", query=0, key=0).to_mapping()["key"] == "0"


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"prompt": ""}, "prompt is empty"),
    ({"prompt": 7}, "prompt is empty"),
    ({"model": "a\0"}, "model's name"),
    ({"layer": "-1"}, "layer is '-1'"),
    ({"layer": "1e3"}, "layer is"),
    ({"head": [1]}, "head is 'a list'"),
    ({"head": 10**4999}, "head is"),
    ({"query": "٣"}, "query is"),
    ({"key": True}, "key is"),
    ({"key": 4.0}, "key is"),
    ({"n": 0}, "from 1 to 60"),
    ({"n": 61}, "from 1 to 60"),
    ({"rank": "size"}, "one of beyond, share"),
]


@pytest.mark.parametrize(("flat", "message"), HOSTILE)
def test_what_is_no_question_is_refused(flat: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        WhyRequest.from_mapping({"prompt": "a", **flat})


@pytest.mark.parametrize("flat", [flat for flat, _ in HOSTILE[:8]])
def test_so_it_is_for_neurons(flat: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        NeuronRequest.from_mapping({"prompt": "a", **flat})
