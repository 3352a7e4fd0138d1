"""Requests for a comparison: a mapping is one that survives its round trips, or a RequestError."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.compare.request import PREFIX, CompareRequest
from flowviz.errors import RequestError
from flowviz.request import ExplainRequest, GraphSettings, TargetSpec
from tests.test_request import NEAR, VALUES

NAMES = sorted(CompareRequest.fields() | {"model", "prompt", "b_budget", "b_wiring", "b_"})
SITES = st.sampled_from(["head:1:*:2=0", "head:1:2:3=donor", "neuron:0:1:5=2;bias:0:1:2=mean"])


def read(**flat: object) -> CompareRequest:
    return CompareRequest.from_mapping({"prompt": "He said", **flat})


def test_the_second_is_the_first_save_for_what_is_said() -> None:
    request = read(b_prompt="She said", contrast=" he", token=" she", budget="20")
    assert request.first == ExplainRequest(
        "He said", target=TargetSpec(" she", " he"), settings=GraphSettings(budget=20)
    )
    assert request.second == ExplainRequest(
        "She said", target=TargetSpec(" she", " he"), settings=GraphSettings(budget=20)
    )
    assert request.to_mapping()["b_prompt"] == "She said"
    assert {name for name in request.to_mapping() if name.startswith(PREFIX)} == {"b_prompt"}


def test_an_intervention_can_be_on_either_side() -> None:
    after = read(b_interventions="head:1:*:2=0")
    assert not after.first.interventions
    assert len(after.second.interventions) == 1
    before = read(interventions="head:1:*:2=0", b_interventions="")
    assert before.swapped() == after
    assert before.second == after.first
    assert CompareRequest.from_query(before.to_query()) == before


def test_a_second_without_a_token_explains_the_firsts() -> None:
    one = ExplainRequest("a", target=TargetSpec(" she"))
    assert CompareRequest(one, ExplainRequest("b")).second.target.token == " she"
    left_open = CompareRequest(ExplainRequest("a"), ExplainRequest("b"))
    assert left_open.swapped(17).first.target.token == "#17"
    assert left_open.swapped(17).second.target.token == "#17"
    assert left_open.swapped().swapped() == left_open


def test_two_models_are_named_once_each() -> None:
    assert read(b_model="other").models == ("demo", "other")
    assert read(b_prompt="x").models == ("demo",)
    assert read(b_prompt="x", b_model="").models == ("demo",)


@pytest.mark.parametrize(
    "flat", [{}, {"b_prompt": ""}, {"b_model": ""}, {"b_prompt": "", "b_interventions": ""}]
)
def test_nothing_to_compare_with_is_refused_with_the_way_out(flat: dict[str, str]) -> None:
    with pytest.raises(RequestError, match=r"second prompt \(b_prompt\), a second model"):
        read(**flat)


def test_settings_of_the_second_alone_are_refused() -> None:
    with pytest.raises(RequestError, match="Give budget for both"):
        read(b_prompt="x", b_budget="3")
    with pytest.raises(RequestError, match="different settings"):
        CompareRequest(ExplainRequest("a"), ExplainRequest("b", settings=GraphSettings(budget=3)))


@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES | NEAR | SITES, max_size=10),
    st.sampled_from(["a b", "", "c"]),
)
@settings(max_examples=300)
def test_whatever_comes_in_is_a_request_or_refused(flat: dict[str, object], prompt: str) -> None:
    with contextlib.suppress(RequestError):
        request = CompareRequest.from_mapping({"b_prompt": prompt, **flat})
        assert CompareRequest.from_mapping(request.to_mapping()) == request
        assert CompareRequest.from_query(request.to_query()) == request
        assert hash(request) == hash(CompareRequest.from_query(request.to_query()))
