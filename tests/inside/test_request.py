"""Requests for a block: whatever comes in survives its round trips, or is refused plainly."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.errors import RequestError
from flowviz.inside.request import (
    MOST_BLOCKS,
    MOST_OF_A_KIND,
    InsideRequest,
    InsideSettings,
    Rank,
    Rotary,
)
from flowviz.inside.types import PartKey, PartKind
from flowviz.request import TargetSpec

NAMES = sorted(InsideRequest.fields() | {"model"})
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=30)
NEAR = st.sampled_from(
    ["0", "3", "-1", "0-3", "3-0", "0-9", "2-2", "1-2-3", "-", "norm", "flow", "before", "nan",
     "１", "1_0", " 1", "", "True", "9" * 400, "200", "201"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | NEAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
count = st.integers(0, MOST_OF_A_KIND)
requests = st.builds(
    InsideRequest,
    prompt=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
    model=st.sampled_from(["demo", "mine/model"]),
    target=st.builds(
        TargetSpec,
        token=st.none() | st.sampled_from([" Tokyo", "#12"]),
        contrast=st.none() | st.just(" Rome"),
        position=st.none() | st.integers(0, 99),
    ),
    layers=st.tuples(st.integers(0, 90), st.integers(0, MOST_BLOCKS - 1)).map(
        lambda pair: (pair[0], sum(pair))
    ),
    at=st.none() | st.integers(0, 999),
    settings=st.builds(
        InsideSettings, count, count, count, count, count,
        st.sampled_from(Rank), st.sampled_from(Rotary),
    ),
)  # fmt: skip


@given(requests)
@settings(max_examples=200, deadline=None)
def test_every_request_survives_its_round_trips(request: InsideRequest) -> None:
    assert InsideRequest.from_mapping(request.to_mapping()) == request
    assert InsideRequest.from_query(request.to_query()) == request
    assert InsideRequest.from_mapping(json.loads(json.dumps(request.to_mapping()))) == request


@given(st.fixed_dictionaries({"prompt": st.just("x")}, optional=dict.fromkeys(NAMES, VALUES)))
@settings(max_examples=300, deadline=None)
def test_hostile_values_are_read_or_refused_in_plain_words(flat: dict) -> None:
    try:
        request = InsideRequest.from_mapping(flat)
    except RequestError as error:
        message = str(error)
        assert message.endswith(".")
        assert "\n" not in message
        assert len(message) < 400
        message.encode()
        return
    assert InsideRequest.from_query(request.to_query()) == request


def test_defaults_are_left_out_of_a_link() -> None:
    assert InsideRequest("x").to_mapping() == {"model": "demo", "prompt": "x", "layers": "0-0"}


@pytest.mark.parametrize(
    ("layers", "read"),
    [
        ("3", (3, 3)),
        (3, (3, 3)),
        ("3-4", (3, 4)),
        ((2, 5), (2, 5)),
        ([1, 1], (1, 1)),
        (None, (0, 0)),
    ],
)
def test_one_block_or_several(layers: object, read: tuple[int, int]) -> None:
    assert InsideRequest.from_mapping({"prompt": "x", "layers": layers}).layers == read


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        ({"layers": "0-6"}, "open at most 6 at once"),
        ({"layers": "4-3"}, "layers is '4-3'"),
        ({"layers": "x"}, "layers is 'x'"),
        ({"heads": 201}, "heads is '201'; it takes a whole number from 0 to 200"),
        ({"rank": "size"}, "rank is 'size'; it takes one of norm, flow"),
        ({"rotary": "twice"}, "rotary is 'twice'"),
        ({"at": "last"}, "at is 'last'"),
        ({"prompt": ""}, "The prompt is empty"),
    ],
)
def test_faults_are_named(flat: dict, words: str) -> None:
    with pytest.raises(RequestError) as error:
        InsideRequest.from_mapping({"prompt": "x", **flat})
    assert words in str(error.value)


key = st.builds(PartKey, st.sampled_from([k for k in PartKind if k not in ("rest", "elsewhere")]),
                st.integers(0, 99), st.integers(0, 9999), st.integers(0, 999))  # fmt: skip
hanging = st.builds(
    lambda on, kind: PartKey(kind, on.layer, on.index, on.source, of=on.kind),
    key, st.sampled_from([PartKind.REST, PartKind.ELSEWHERE]),
)  # fmt: skip


@given(key | hanging)
def test_keys_survive_as_text(part: PartKey) -> None:
    assert PartKey.parse(str(part)) == part


@given(TEXTS | st.sampled_from(["rest:1:2:3", "rest:rest:0:0", "head:head:1:2:3", "head:1:2",
                                "head:1:2:3:4", ":1:2:3", "head:-1:0:0", "head:1:2:"]))  # fmt: skip
def test_other_texts_are_no_keys(text: str) -> None:
    with contextlib.suppress(RequestError):
        assert str(PartKey.parse(text)) == text
