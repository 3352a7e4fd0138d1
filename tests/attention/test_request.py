"""Questions about attention: whatever comes in survives its round trips, or is refused plainly."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import Weighting
from flowviz.errors import RequestError
from flowviz.request import TargetSpec

NAMES = sorted(AttentionRequest.fields() | {"model", "set", "text", "group"})
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=30)
NEAR = st.sampled_from(["0", "-1", "norm", "flow", "pattern", "Flow", "nan", "１", "", "9" * 400])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | NEAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
requests = st.builds(
    AttentionRequest,
    prompt=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
    model=st.sampled_from(["demo", "mine/model"]),
    target=st.builds(
        TargetSpec,
        token=st.none() | st.sampled_from([" Tokyo", "#12"]),
        contrast=st.none() | st.just(" Rome"),
        position=st.none() | st.integers(0, 99),
    ),
    weighting=st.sampled_from(Weighting),
)


@given(requests)
@settings(max_examples=150, deadline=None)
def test_every_request_survives_its_round_trips(request: AttentionRequest) -> None:
    assert AttentionRequest.from_mapping(request.to_mapping()) == request
    assert AttentionRequest.from_query("?" + request.to_query()) == request
    assert AttentionRequest.from_mapping(json.loads(json.dumps(request.to_mapping()))) == request
    assert hash(request) == hash(AttentionRequest.from_mapping(request.to_mapping()))


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), VALUES)
@settings(max_examples=400, deadline=None)
def test_anything_else_is_read_or_refused(flat: dict[str, Any], prompt: Any) -> None:
    with contextlib.suppress(RequestError):
        hash(AttentionRequest.from_mapping({**flat, "prompt": prompt}))
    with contextlib.suppress(RequestError):
        hash(HeadsRequest.from_mapping(flat))


def test_a_link_says_no_more_than_it_must() -> None:
    assert AttentionRequest("a b").to_query() == "model=demo&prompt=a+b"
    asked = AttentionRequest("a", target=TargetSpec(position=0), weighting=Weighting.NORM)
    assert asked.to_query() == "model=demo&prompt=a&position=0&weighting=norm"


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({}, "prompt is empty"),
        ({"prompt": ["a"]}, "prompt is empty"),
        ({"prompt": "a", "weighting": "value"}, "it takes one of pattern, norm, flow"),
        ({"prompt": "a", "weighting": ["flow"]}, "weighting is 'a list'"),
        ({"prompt": "a", "position": "-1"}, "position is '-1'"),
        ({"prompt": "a\0b"}, "NUL"),
    ],
)
def test_a_fault_is_named(flat: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        AttentionRequest.from_mapping(flat)


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({"set": "nothing"}, "No set of prompts is called 'nothing'"),
        ({"set": ["phenomena"]}, "No set of prompts is called 'a list'"),
        ({"text": 3}, "no text"),
        ({"text": "\n# nothing\n"}, "no prompts"),
        ({"text": "a", "set": "phenomena"}, "Choose one"),
        ({"group": "nobody"}, "no prompts of the group 'nobody'"),
    ],
)
def test_a_fault_in_a_set_is_named(flat: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        HeadsRequest.from_mapping(flat)


def test_a_set_is_the_shipped_one_unless_prompts_are_given() -> None:
    assert HeadsRequest.from_mapping({}) == HeadsRequest()
    assert len(HeadsRequest().prompts()) > 100
    given = HeadsRequest.from_mapping({"text": "a\nb"})
    for request in (given, HeadsRequest(), HeadsRequest(group="induction")):
        assert HeadsRequest.from_mapping(request.to_mapping()) == request
    assert (given.set, [prompt.text for prompt in given.prompts()]) == ("", ["a", "b"])


def test_a_set_is_averaged_over_by_its_name_or_that_of_a_group() -> None:
    request = AttentionRequest.from_mapping({"prompt": "a", "average": "phenomena/induction"})
    assert AttentionRequest.from_query(request.to_query()) == request
    assert {prompt.group for prompt in request.prompts()} == {"induction"}
    for average, said in (("nothing", "No set"), ("phenomena/nothing", "no prompts of the group")):
        with pytest.raises(RequestError, match=said):
            AttentionRequest.from_mapping({"prompt": "a", "average": average})
    with pytest.raises(RequestError, match="has no mean over prompts"):
        AttentionRequest.from_mapping({"prompt": "a", "average": "phenomena", "weighting": "flow"})
