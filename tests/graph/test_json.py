"""A graph as JSON: it reads back equal, the documentation names its fields, faults are refused."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.errors import RequestError
from flowviz.graph.json import graph_dict, graph_json, read_graph
from flowviz.graph.types import (
    BIAS_NAMES,
    INDEXED,
    PARTS,
    Checks,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    ModelShape,
    NodeKey,
    NodeKind,
    OpenedPlace,
    Prediction,
    Projection,
    PromptToken,
    Target,
    TokenScore,
)
from tests.graphs import failed, grid, three_nodes

DOC = Path(__file__).parents[2] / "docs" / "graph-json.md"

number = st.floats(allow_nan=False)
share = st.floats(0, 1)
small = st.integers(0, 40)
words = st.text(max_size=6)
prediction = st.builds(Prediction, small, words, share, number, st.none() | share)
score = st.builds(TokenScore, small, words, number, share)
scores = st.lists(score, max_size=2).map(tuple)
projection = st.builds(Projection, scores, scores, number, number, small, share)
shape = st.builds(
    ModelShape, words, words, small, small, small, small, small,
    parallel=st.booleans(), expert_neurons=st.lists(small, max_size=3).map(tuple),
    logit_cap=st.none() | number,
)  # fmt: skip
checks = st.builds(Checks, number, number, number, number, number, number, words)
plain_key = st.builds(
    lambda kind, layer, position, index: NodeKey.parse(
        (f"{kind}:mlp_out" if kind in PARTS else kind)
        + f":{layer}:{position}"
        + (f":{index}" if kind in INDEXED else "")
    ),
    st.sampled_from([kind for kind in NodeKind if kind is not NodeKind.REST]),
    small,
    small,
    st.integers(0, len(BIAS_NAMES) - 1),
)
opened = st.builds(
    OpenedPlace,
    st.builds(NodeKey, st.sampled_from([NodeKind.RESID_MID, NodeKind.MLP_OUT]), small, small),
    words, number, small, st.none() | number, st.none() | number,
)  # fmt: skip
key = plain_key | plain_key.map(NodeKey.rest)


@st.composite
def graphs(draw: st.DrawFn) -> FlowGraph:
    keys = draw(st.lists(key, min_size=1, max_size=5, unique=True))
    end = st.sampled_from(keys)
    maybe = st.none() | number
    edge = st.builds(FlowEdge, end, end, st.sampled_from(EdgeKind), number, share, maybe, maybe)
    read = st.none() | projection
    nodes = [
        draw(
            st.builds(FlowNode, st.just(k), number, share, maybe, number, maybe, maybe, read, maybe)
        )
        for k in keys
    ]
    texts = draw(st.lists(words, max_size=4))
    contrast = draw(st.none() | prediction)
    return FlowGraph(
        model=draw(shape),
        tokens=tuple(PromptToken(i, i, text) for i, text in enumerate(texts)),
        target=Target(
            draw(small), draw(prediction), 1, contrast, 2 if contrast else None, 1.5, draw(maybe)
        ),
        predictions=tuple(draw(st.lists(prediction, max_size=3))),
        settings=draw(
            st.dictionaries(words, st.none() | st.booleans() | words | share, max_size=3)
        ),
        checks=draw(checks),
        coverage=draw(share),
        nodes_total=draw(st.integers(0, 10**12)),
        nodes=tuple(nodes),
        edges=tuple(draw(st.lists(edge, max_size=4))),
        interventions=tuple(draw(st.lists(words, max_size=2))),
        donor=draw(st.none() | words),
        opened=tuple(draw(st.lists(opened, max_size=2))),
    )


@given(graphs())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_graph_reads_back_equal(graph: FlowGraph) -> None:
    assert read_graph(graph_json(graph)) == graph


@pytest.mark.parametrize("wiring", ["stream", "circuit"])
def test_a_lawful_graph_reads_back_equal(wiring: str) -> None:
    graph = grid(4, 5, 3, 3, wiring=wiring)
    assert read_graph(graph_json(graph)) == graph


def test_top_level_and_what_scripts_rely_on() -> None:
    data = graph_dict(three_nodes())
    assert list(data) == [
        "version", "model", "tokens", "target", "predictions", "settings", "checks", "coverage",
        "nodes_total", "nodes", "edges", "interventions", "donor", "opened",
    ]  # fmt: skip
    assert data["checks"]["conservation_error"] == 3e-6
    assert data["checks"]["exact"] is True
    assert data["predictions"][0] == {
        "id": 7, "token": " Paris", "probability": 0.5, "logit": 14.0, "before": None,
    }  # fmt: skip
    assert data["nodes"][1]["id"] == "head:1:2:3"
    assert data["edges"][0] == {
        "source": "embed:0:1", "target": "head:1:2:3", "kind": "read", "flow": 2.0,
        "influence": 1.0, "weight": 0.75, "before": None,
    }  # fmt: skip


def test_a_file_of_before_parallel_blocks_experts_and_caps_still_reads() -> None:
    data = graph_dict(three_nodes())
    for name in ("parallel", "expert_neurons", "logit_cap"):
        del data["model"][name]
    assert read_graph(orjson.dumps(data).decode()) == three_nodes()


def test_a_file_of_before_interventions_still_reads() -> None:
    data = graph_dict(three_nodes())
    del data["interventions"], data["donor"], data["opened"], data["target"]["before"]
    for part in (*data["nodes"], *data["edges"], *data["predictions"], data["target"]["token"]):
        del part["before"]
    assert read_graph(orjson.dumps(data).decode()) == three_nodes()


def test_what_the_model_is_like_is_written_plainly() -> None:
    graph = three_nodes()
    model = replace(graph.model, parallel=True, expert_neurons=(0, 64), logit_cap=30.0)
    written = graph_dict(replace(graph, model=model))["model"]
    assert (written["parallel"], written["expert_neurons"], written["logit_cap"]) == (
        True, [0, 64], 30.0,
    )  # fmt: skip


def test_a_run_that_broke_a_law_says_so_and_reads_back() -> None:
    graph = failed()
    data = graph_dict(graph)
    assert data["checks"]["exact"] is False
    assert data["edges"] == []
    assert {node["flow"] for node in data["nodes"]} == {0.0}
    assert read_graph(graph_json(graph)) == graph


def documented() -> dict[str, set[str]]:
    parts = re.split(r"^## ", DOC.read_text(), flags=re.M)[1:]
    return {
        part.splitlines()[0].strip("`"): set(re.findall(r"^\| `(\w+)` \|", part, flags=re.M))
        for part in parts
    }


def test_the_documentation_names_every_field_and_no_other() -> None:
    data = graph_dict(grid(2, 3, 1, 1))
    node = next(node for node in data["nodes"] if node["projection"])
    assert documented() == {
        "The whole graph": set(data),
        "model": set(data["model"]),
        "tokens": set(data["tokens"][0]),
        "target": set(data["target"]),
        "predictions": set(data["predictions"][0]),
        "checks": set(data["checks"]),
        "nodes": set(node),
        "projection": set(node["projection"]),
        "scores": set(node["projection"]["top"][0]),
        "edges": set(data["edges"][0]),
        "opened": {item.name for item in fields(OpenedPlace)},
    }


def test_the_documentation_names_every_kind_and_bias() -> None:
    text = DOC.read_text()
    assert [name for name in (*NodeKind, *EdgeKind, *BIAS_NAMES) if f"`{name}`" not in text] == []


def test_what_is_not_finite_is_still_json() -> None:
    graph = three_nodes()
    odd = tuple(
        replace(node, flow=flow)
        for node, flow in zip(graph.nodes, (math.inf, -math.inf, math.nan), strict=True)
    )
    text = graph_json(replace(graph, nodes=odd))
    assert [node["flow"] for node in orjson.loads(text)["nodes"]] == ["inf", "-inf", "nan"]
    flows = [node.flow for node in read_graph(text).nodes]
    assert flows[:2] == [math.inf, -math.inf]
    assert math.isnan(flows[2])


def _changed(path: list[str | int], value: object) -> str:
    data = graph_dict(three_nodes())
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
        (["nodes", 0, "id"], "soul:1:2", "names no node"),
        (["nodes", 0, "layer"], 5, "say something else"),
        (["nodes", 1, "flow"], "much", "nodes[1].flow is 'much'"),
        (["nodes", 1, "flow"], True, "nodes[1].flow is True"),
        (["nodes", 1, "projection", "top"], None, "nodes[1].projection.top is None"),
        (["nodes"], {}, "nodes is an object"),
        (["nodes", 0], 3, "nodes[0] is 3"),
        (["nodes"], ..., "nodes is missing"),
        (["edges", 1, "target"], "head:0:0:0", "edges[1].target is 'head:0:0:0'"),
        (["edges", 0, "kind"], "wish", "edges[0].kind is 'wish'"),
        (["tokens", 0, "position"], 4, "tokens are not numbered"),
        (["target", "token_rank"], -1, "target.token_rank is -1"),
        (["settings"], [], "settings is a list"),
        (["model", "parallel"], 1, "model.parallel is 1"),
        (["model", "expert_neurons"], 8, "model.expert_neurons is 8"),
        (["model", "expert_neurons"], [0, -8], "model.expert_neurons.1 is -8"),
        (["model", "logit_cap"], "thirty", "model.logit_cap is 'thirty'"),
    ],
)
def test_a_fault_is_named_with_the_way_out(
    path: list[str | int], value: object, words: str
) -> None:
    with pytest.raises(RequestError) as error:
        read_graph(_changed(path, value))
    assert words in str(error.value)
    assert "Save the graph again" in str(error.value) or "is written" in str(error.value)


def test_two_nodes_of_one_id_are_refused() -> None:
    graph = three_nodes()
    with pytest.raises(RequestError, match="same id"):
        read_graph(graph_json(replace(graph, nodes=graph.nodes + graph.nodes[:1])))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"a":1}', "[" * 5000, "\ud800"])
def test_what_is_no_graph_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_graph(text)


@given(st.text(max_size=30) | st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
).map(lambda value: orjson.dumps(value).decode()))  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        read_graph(text)


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_graph_with_one_value_replaced_is_read_or_refused(data: st.DataObject) -> None:
    tree = graph_dict(three_nodes())
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
        read_graph(orjson.dumps(tree).decode())
