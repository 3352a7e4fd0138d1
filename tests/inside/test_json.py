"""An opened block as JSON: it reads back equal, the documentation names its fields."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.errors import RequestError
from flowviz.inside.json import inside_dict, inside_json, read_block
from flowviz.inside.types import InsideGraph, PartEdgeKind, PartKind
from tests.inside.opened import opened

DOC = Path(__file__).parents[2] / "docs" / "inside-json.md"


@cache
def small() -> InsideGraph:
    """A few parts of every kind of field."""
    graph = opened("gpt2")
    nodes = tuple(n for n in graph.nodes if n.key.kind in ("state", "mid", "mlp", "rest"))
    keys = {node.key for node in nodes}
    edges = tuple(e for e in graph.edges if {e.source, e.target} <= keys)
    return replace(graph, nodes=nodes, edges=edges, tokens=graph.tokens[:3])


@pytest.mark.parametrize("name", ["gpt2", "mixtral", "gemma2", "deepseek_v3", "opt_350m"])
def test_an_opened_block_reads_back_equal(name: str) -> None:
    graph = opened(name, (0, 1))
    assert read_block(inside_json(graph)) == graph


def test_what_scripts_rely_on() -> None:
    data = inside_dict(small())
    assert list(data) == [
        "version", "model", "tokens", "target", "predictions", "layers", "position", "rotated",
        "settings", "checks", "whole", "nodes", "edges",
    ]  # fmt: skip
    assert data["nodes"][0]["id"] == "state:1:0:0"
    rest = next(node for node in data["nodes"] if node["kind"] == "rest")
    assert rest["id"].startswith(f"rest:{rest['of']}:1:")
    assert data["checks"]["exact"] is data["checks"]["queries_exact"] is True
    assert data["layers"] == [1, 1]


def documented() -> dict[str, set[str]]:
    parts = re.split(r"^## ", DOC.read_text(), flags=re.M)[1:]
    return {
        part.splitlines()[0].strip("`"): set(re.findall(r"^\| `(\w+)` \|", part, flags=re.M))
        for part in parts
    }


def test_the_documentation_names_every_field_and_kind_and_no_other() -> None:
    data = inside_dict(small())
    assert documented() == {
        "The whole graph": set(data),
        "checks": set(data["checks"]),
        "nodes": set(data["nodes"][0]) | set(PartKind),
        "edges": set(data["edges"][0]),
    }
    text = DOC.read_text()
    assert [kind for kind in PartEdgeKind if f"`{kind}`" not in text] == []
    assert [name for name in data["whole"] if f"`{name}`" not in text] == []


def test_what_is_not_finite_is_still_json() -> None:
    graph = small()
    nodes = (replace(graph.nodes[0], flow=math.inf, norm=math.nan), *graph.nodes[1:])
    checks = replace(graph.checks, pattern_error=math.inf)
    text = inside_json(replace(graph, nodes=nodes, checks=checks))
    assert orjson.loads(text)["nodes"][0]["norm"] == "nan"
    back = read_block(text)
    assert back.nodes[0].flow == back.checks.pattern_error == math.inf


def test_not_a_number_is_never_exact() -> None:
    checks = small().checks
    for name in ("flow_error", "sum_error"):
        assert not replace(checks, **{name: math.nan}).exact
    assert not replace(checks, pattern_error=math.nan).queries_exact


def changed(path: list[str | int], value: object) -> str:
    data = inside_dict(small())
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return orjson.dumps(data).decode()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["version"], 2, "version is 2"),
        (["version"], ..., "version is missing"),
        (["nodes", 0, "kind"], "soul", "nodes[0].kind is 'soul'"),
        (["nodes", 0, "id"], "soul:1:2:3", "names no part"),
        (["nodes", 0, "layer"], 5, "say something else"),
        (["nodes", 0, "of"], "head", "say something else"),
        (["nodes", 0, "of"], ..., "nodes[0].of is missing"),
        (["nodes", 0, "flow"], True, "nodes[0].flow is True"),
        (["nodes", 0, "strength"], ..., "nodes[0].strength is missing"),
        (["nodes", 1, "id"], "state:1:0:0", "say something else"),
        (["edges", 0, "target"], "head:0:0:0", "edges[0].target is 'head:0:0:0'"),
        (["edges", 0, "kind"], "wish", "edges[0].kind is 'wish'"),
        (["layers"], [1], "layers has 1 numbers"),
        (["layers"], "1-1", "layers is '1-1'"),
        (["rotated"], "yes", "rotated is 'yes'"),
        (["rotated"], ..., "rotated is missing"),
        (["whole", "heads"], -1, "whole.heads is -1"),
        (["checks", "sum_error"], None, "checks.sum_error is None"),
    ],
)
def test_a_fault_is_named_with_the_way_out(
    path: list[str | int], value: object, words: str
) -> None:
    with pytest.raises(RequestError) as error:
        read_block(changed(path, value))
    assert words in str(error.value)
    assert "Save the graph again" in str(error.value) or "is written" in str(error.value)


def test_two_nodes_of_one_id_are_refused() -> None:
    graph = small()
    with pytest.raises(RequestError, match="same id"):
        read_block(inside_json(replace(graph, nodes=graph.nodes + graph.nodes[:1])))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"a":1}', "[" * 5000, "\ud800"])
def test_what_is_no_opened_block_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_block(text)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_block_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    tree = inside_dict(small())
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
        read_block(orjson.dumps(tree).decode())
