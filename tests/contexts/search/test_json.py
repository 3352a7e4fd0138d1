"""Contexts as JSON and as tables: they read back equal, the documentation names their fields."""

from __future__ import annotations

import re
from base64 import b64encode
from contextlib import suppress
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowviz
from flowviz.contexts.corpus.types import ROOT
from flowviz.contexts.find import find_contexts
from flowviz.contexts.json import (
    contexts_dict,
    hits_table,
    read_contexts,
    summary_table,
    to_json,
)
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import ContextsFound, Hit
from flowviz.errors import RequestError
from flowviz.views.files import table_csv
from tests.contexts.in_memory import WordReader, WordStore, corpus

DOC = Path(__file__).parents[3] / "docs" / "contexts-json.md"


@cache
def found() -> ContextsFound:
    reader = WordReader()
    request = ContextRequest.from_mapping(
        {
            "prompt": "the dog sees",
            "filters": ["matched.upos!=DET", "attended.offset=-1"],
            "count": "4",
            "site": "heads:1",
            "chosen": "0,2",
            "least": "-0.5",
        }
    )
    answer = find_contexts(reader, WordStore(reader, corpus()), request, lambda *_: None)
    first = answer.hits[0]
    words = (replace(first.words[0], head=1), replace(first.words[1], head=ROOT), *first.words[2:])
    hits = (replace(first, words=words, attended=None), *answer.hits[1:])
    return replace(answer, hits=hits, exact=False, recall=0.97, notes=("A note.",))


def same(one: Any, other: Any) -> None:
    for item in fields(one):
        a, b = getattr(one, item.name), getattr(other, item.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        elif item.name == "hits":
            assert len(a) == len(b) > 0
            for left, right in zip(a, b, strict=True):
                assert isinstance(left, Hit)
                same(left, right)
        else:
            assert a == b


def test_contexts_read_back_equal() -> None:
    same(flowviz.read_contexts(found().to_json()), found())
    empty = replace(found(), hits=(), summaries=(), recall=None, exact=True, attended=None)
    assert read_contexts(to_json(empty)).hits == ()


def test_the_documentation_names_every_field_and_no_other() -> None:
    data = contexts_dict(found())
    parts = re.split(r"^## ", DOC.read_text(), flags=re.M)[1:]
    documented = {
        part.splitlines()[0].strip("`"): set(re.findall(r"^\| `(\w+)` \|", part, flags=re.M))
        for part in parts
    }
    hit, summary = data["hits"][0], data["summaries"][0]
    assert documented == {
        "The whole file": set(data),
        "store": set(data["store"]),
        "hits": set(hit),
        "words": set(hit["words"][0]),
        "summaries": set(summary),
        "bars": set(summary["bars"][0]),
    }


def test_the_documented_way_to_the_array_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = re.search(r"```python\n(.*?)```", DOC.read_text(), re.S)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    Path("contexts.json").write_text(to_json(found()))
    names: dict[str, Any] = {}
    exec(code[1], names)
    np.testing.assert_array_equal(names["attention"], found().hits[0].attention)


def test_what_nobody_could_read_is_not_written() -> None:
    large = replace(found().hits[0], attention=np.zeros((5100, 5100), np.float16))
    with pytest.raises(RequestError, match="Ask for fewer hits"):
        to_json(replace(found(), hits=(large,)))


NAN = b64encode(np.full((7, 7), np.nan, "<f2").tobytes()).decode()
TWO = b64encode(np.full((7, 7), 2, "<f2").tobytes()).decode()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["version"], 2, "is 2"),
        (["version"], ..., "is missing"),
        (["request", "prompt"], "", "The prompt is empty"),
        (["position"], 4, "position is 4, of 4"),
        (["attended"], 9, "attended is 9, of 4"),
        (["recall"], 1.5, "recall is 1.5"),
        (["heads"], [[1]], "heads is no list of a layer and a head"),
        (["heads"], 3, "heads is no list"),
        (["store", "sites"], ["x"], "store.sites: site is 'x'"),
        (["store", "annotations"], ["mood"], "store.annotations.0 is 'mood'"),
        (["hits", 0, "score"], "nan", "hits[0].score is nan"),
        (["hits", 0, "position"], 7, "hits[0]: position is 7, of 7"),
        (["hits", 0, "word_of"], [0], "hits[0].word_of is no list of 7"),
        (["hits", 0, "word_of", 2], 6, "hits[0].word_of: 2 is 6, of 6"),
        (["hits", 0, "words", 0, "head"], 6, "head is 6, of 6"),
        (["hits", 0, "words", 0, "head"], "x", "head is 'x'"),
        (["hits", 0, "words", 0, "end"], 99, "is from 0 to 99"),
        (["hits", 0, "attention"], NAN, "what is no number"),
        (["hits", 0, "attention"], TWO, "not from 0 to 1"),
        (["hits", 0, "attention"], "AAAA", "attention has 3 bytes"),
        (["summaries", 0, "role"], "first", "summaries[0].role is 'first'"),
        (["summaries", 0, "bars", 0, "over"], 2, "over is '2'"),
        (["summaries", 0, "bars", 0, "over"], [], "over is '[]'"),
        (["summaries", 0, "bars", 0, "share"], -0.1, "share is -0.1"),
        (["summaries", 0, "bars", 0, "ratio"], "nan", "ratio is nan"),
    ],
)
def test_a_fault_is_named(path: list[Any], value: object, words: str) -> None:
    data = orjson.loads(to_json(found()))
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(RequestError) as error:
        read_contexts(orjson.dumps(data).decode())
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"a":1}', "[" * 5000, "\ud800"])
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_contexts(text)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    tree = orjson.loads(to_json(found()))
    place = tree
    while True:
        steps = sorted(place) if isinstance(place, dict) else range(len(place))
        step = data.draw(st.sampled_from(steps))
        inner = place[step]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.booleans())):
            break
        place = inner
    place[step] = data.draw(st.none() | st.integers(-3, 3) | st.text(max_size=3) | st.just([]))
    with suppress(RequestError):
        read_contexts(orjson.dumps(tree).decode())


def test_tables_hold_what_was_found() -> None:
    answer = replace(found(), hits=found().hits[1:])
    table = hits_table(answer)
    assert [row["score"] for row in table.rows] == [hit.score for hit in answer.hits]
    row = table.rows[0]
    assert tuple(row) == table.columns
    hit = answer.hits[0]
    assert row["matched_form"] == hit.words[hit.position - 1].form
    assert row["next_form"] == hit.words[hit.position].form
    assert (row["attended_position"], row["attended_offset"]) == (hit.position - 1, -1)
    summaries = summary_table(answer)
    assert len(summaries.rows) == sum(len(each.bars) for each in answer.summaries)
    assert tuple(summaries.rows[0]) == summaries.columns
    strange = replace(hit, text="=1+1", place="@x")
    text = table_csv(table.columns, hits_table(replace(answer, hits=(strange,))).rows)
    assert "'=1+1" in text
    assert "'@x" in text
