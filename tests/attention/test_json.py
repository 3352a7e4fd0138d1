"""Attention as JSON: it reads back equal, the documentation names its fields."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from contextlib import suppress
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.attention.json import attention_dict, attention_json, read_attention
from flowviz.attention.kinds import Part
from flowviz.attention.patterns import maps_of
from flowviz.attention.types import NO_TOKEN, ROWS, AttentionMaps, Column, Weighting
from flowviz.errors import RequestError
from flowviz.graph.types import Prediction
from tests.flows import scored

DOC = Path(__file__).parents[2] / "docs" / "attention-json.md"


@cache
def gpt2(weighting: Weighting) -> AttentionMaps:
    return maps_of(scored("gpt2"), weighting)


def own() -> AttentionMaps:
    return AttentionMaps.of(np.eye(2)[None, None], ["a", "b"])


def same(left: AttentionMaps, right: AttentionMaps) -> None:
    for item in fields(AttentionMaps):
        one, other = getattr(left, item.name), getattr(right, item.name)
        if item.name == "kinds":
            for part in fields(one):
                np.testing.assert_array_equal(getattr(one, part.name), getattr(other, part.name))
        elif isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


@pytest.mark.parametrize("weighting", list(Weighting))
def test_maps_read_back_equal(weighting: Weighting) -> None:
    same(read_attention(attention_json(gpt2(weighting))), gpt2(weighting))


def test_arrays_of_ones_own_read_back_equal() -> None:
    same(read_attention(attention_json(own())), own())


def test_two_columns_two_texts_and_masks_read_back_equal() -> None:
    rows = np.full((1, 2, 3, 2), 0.5)
    maps = AttentionMaps.of(rows, ["a", "b", "c"], ["d", "b"], second=1)
    assert maps.sources is not None
    sources = replace(maps.sources, special=(0,), masked=(1,))
    tokens = (replace(maps.tokens[0], id=NO_TOKEN), *maps.tokens[1:])
    guess = ((Prediction(3, "d", 0.5, 1.25),), (), ())
    whole = replace(
        maps, sources=sources, queries=Column(tokens), parts=tuple(Part), readings=guess
    )
    same(read_attention(attention_json(whole)), whole)


def test_the_whole_form() -> None:
    none = {"queries": 0, "uniform": 0.0, "mass": [[0.0]]}
    kinds = dict.fromkeys(ROWS, none) | {
        "first": {"queries": 1, "uniform": 0.5, "mass": [[0.0]]},
        "offset:0": {"queries": 1, "uniform": 0.5, "mass": [[1.0]]},
        "offset:1": {"queries": 1, "uniform": 0.5, "mass": [[0.0]]},
    }
    assert orjson.loads(attention_json(own())) == {
        "version": 1,
        "model": None,
        "part": "decoder",
        "parts": ["decoder"],
        "queries": {
            "tokens": [
                {"position": 0, "id": 0, "text": "a"},
                {"position": 1, "id": 1, "text": "b"},
            ],
            "special": [],
            "second": None,
            "masked": [],
        },
        "sources": None,
        "target": None,
        "predictions": [],
        "readings": [],
        "weighting": "pattern",
        "layers": 1,
        "heads": 1,
        "unit": 1.0,
        "weights": "ADwAAAAAADw=",
        "totals": None,
        "kinds": kinds,
        "checks": None,
        "notes": [],
    }


def test_the_documentation_names_every_field_and_kind_and_no_other() -> None:
    data = attention_dict(gpt2(Weighting.NORM))
    parts = re.split(r"^## ", DOC.read_text(), flags=re.M)[1:]
    documented = {
        part.splitlines()[0].strip("`"): set(re.findall(r"^\| `(\w+)` \|", part, flags=re.M))
        for part in parts
    }
    assert documented == {
        "The whole file": set(data),
        "queries": set(data["queries"]),
        "kinds": set(data["kinds"]["first"]),
    }
    named = [*Weighting, *Part, *ROWS[:5], ROWS[-1]]
    assert all(f"`{kind}`" in DOC.read_text() for kind in named)


def test_the_documented_way_to_the_array_works(tmp_path: Path, monkeypatch) -> None:
    code = re.search(r"```python\n(.*?)```", DOC.read_text(), re.S)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    Path("attention.json").write_text(attention_json(gpt2(Weighting.FLOW)))
    found: dict = {}
    exec(code[1], found)
    np.testing.assert_array_equal(found["weights"], gpt2(Weighting.FLOW).weights)


def test_what_nobody_could_read_is_not_written() -> None:
    whole = np.broadcast_to(np.float16(0), (12, 12, 512, 512))
    with pytest.raises(RequestError, match="at most 64 MB are read back"):
        attention_json(replace(gpt2(Weighting.PATTERN), weights=whole))


def changed(path: list[str | int], value: object) -> str:
    data = attention_dict(gpt2(Weighting.NORM))
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return orjson.dumps(data).decode()


NAN = b64encode(np.full((3, 4, 17, 17), np.nan, "<f2").tobytes()).decode()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["version"], 2, "version is 2"),
        (["version"], ..., "version is missing"),
        (["weights"], "AAAA", "weights has 3 bytes, which is not 3 x 4 x 17 x 17"),
        (["weights"], "§", "weights is no base64"),
        (["weights"], [[1.0]], "weights is a list"),
        (["weights"], NAN, "weights holds what is no number"),
        (["totals"], "AAAA", "totals has 3 bytes"),
        (["layers"], 2, "which is not 2 x 4"),
        (["layers"], 0, "which is not 0 x 4"),
        (["heads"], 10**15, "which is not"),
        (["weighting"], "value", "weighting is 'value'"),
        (["kinds", "first"], ..., "kinds.first is missing"),
        (["kinds", "first", "mass"], [[0.0]], "kinds.first.mass has not 3 lists of 4 numbers"),
        (["kinds", "first", "mass", 0], 3, "kinds.first.mass is no list of lists"),
        (["kinds", "first", "mass", 0, 1], "x", "kinds.first.mass.1 is 'x'"),
        (["kinds", "first", "queries"], -1, "kinds.first.queries is -1"),
        (["queries", "tokens", 0, "position"], 5, "numbered 0, 1, 2"),
        (["queries", "tokens", 0, "id"], -1, "tokens[0].id is -1"),
        (["queries", "special"], [17], "queries.special names a position behind the last"),
        (["queries", "second"], 17, "queries.second names a position behind the last"),
        (["sources"], [], "sources is a list"),
        (["part"], "both", "part is 'both'"),
        (["parts"], ["decoder", "x"], "parts.1 is 'x'"),
        (["readings"], [[]], "readings is no list with a row for each of the 17 tokens"),
        (["readings", 3], 4, "readings.3 is 4"),
        (["checks", "dtype"], 3, "checks.dtype is 3"),
        (["notes"], "none", "notes is 'none'"),
    ],
)
def test_a_fault_is_named_with_the_way_out(
    path: list[str | int], value: object, words: str
) -> None:
    with pytest.raises(RequestError) as error:
        read_attention(changed(path, value))
    assert words in str(error.value)
    assert "Save the graph again" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"a":1}', "[" * 5000, "\ud800"])
def test_what_is_no_attention_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_attention(text)


def test_what_is_not_finite_is_still_json() -> None:
    maps = gpt2(Weighting.PATTERN)
    assert maps.checks is not None
    text = attention_json(replace(maps, checks=replace(maps.checks, node_error=math.nan)))
    back = read_attention(text).checks
    assert back is not None
    assert math.isnan(back.node_error)
    assert not back.exact


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_file_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    tree = attention_dict(gpt2(Weighting.NORM))
    place = tree
    while True:
        step = data.draw(
            st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
        )
        inner = place[step]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.booleans())):
            break
        place = inner
    place[step] = data.draw(st.none() | st.integers(-3, 3) | st.text(max_size=3) | st.just([]))
    with suppress(RequestError):
        read_attention(orjson.dumps(tree).decode())
