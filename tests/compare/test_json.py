"""A comparison as JSON: it reads back equal, its documentation is whole, faults are told."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from flowviz.compare.json import comparison_dict, comparison_json, read_comparison
from flowviz.compare.types import Comparison
from flowviz.errors import RequestError
from flowviz.request import GraphSettings, Wiring
from tests.compare.passes import CLEAN, LONGER, compared, scored

DOC = Path(__file__).parents[2] / "docs" / "compare-json.md"


@cache
def comparison() -> Comparison:
    settings = GraphSettings(budget=8, wiring=Wiring.CIRCUIT)
    return compared(scored("gpt2", CLEAN), scored("gpt2", LONGER), settings)


@pytest.mark.parametrize("architecture", ["gpt2", "gpt_neox"])
def test_what_is_read_is_what_was_written(architecture: str) -> None:
    found = compared(scored(architecture, CLEAN), scored(architecture, LONGER))
    assert read_comparison(comparison_json(found)) == found


def test_equal_sides_read_back_too() -> None:
    found = compared(scored("gpt2", CLEAN), scored("gpt2", CLEAN))
    assert read_comparison(comparison_json(found)) == found
    assert read_comparison(comparison_json(found)).same


def test_the_file_holds_the_difference_of_every_listed_part() -> None:
    flat = comparison_dict(comparison())
    for change in flat["changes"]:
        assert change["difference"] == change["second_flow"] - change["first_flow"]
    for edge in flat["edges"]:
        assert edge["difference"] == edge["second_flow"] - edge["first_flow"]
    column = flat["columns"][2]
    assert column["first"] is None
    assert column["second"] == 2
    assert column["same"] is False
    assert flat["first"]["prompt"] == "a"
    assert flat["second"]["prompt"] == "b"


def test_the_documentation_names_every_field() -> None:
    text = DOC.read_text()
    flat = comparison_dict(comparison())
    parts = {
        "The whole file": flat,
        "`columns`": flat["columns"][0],
        "`changes`": flat["changes"][0],
        "`edges`": flat["edges"][0],
    }
    for title, part in parts.items():
        section = text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(part), title


def _set(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(flat: dict[str, Any]) -> None:
        place: Any = flat
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("version", to=9), "version is 9"),
        (_set("columns", to=3), "columns is 3"),
        (_set("columns", 0, "same", to="yes"), "columns[0].same"),
        (_set("columns", 0, "first", to=-1), "columns[0].first"),
        (_set("changes", 0, "id", to="head"), "names no node"),
        (_set("changes", 0, "first", to="head:2:2:99"), "no such node"),
        (_set("changes", 0, "drawn", to=None), "changes[0].drawn"),
        (_set("edges", 0, "first_flow", to="much"), "edges[0].first_flow"),
        (_set("edges", 0, "kind", to="rope"), "edges[0].kind"),
        (_set("first", "predictions", to=[]), "not of the same tokens"),
        (_set("first", "prompt", to=None), "prompt"),
        (_set("second", to=[]), "second"),
        (_set("graph", "nodes", 0, "flow", to={}), "nodes[0].flow"),
        (_set("alignment", to=None), "alignment"),
    ],
)
def test_a_faulty_file_is_refused_with_the_field_at_fault(
    change: Callable[[dict[str, Any]], None], said: str
) -> None:
    flat = orjson.loads(comparison_json(comparison()))
    change(flat)
    with pytest.raises(RequestError, match=re.escape(said)):
        read_comparison(orjson.dumps(flat).decode())


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"version": 1}', "{" * 2000])
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_comparison(text)
