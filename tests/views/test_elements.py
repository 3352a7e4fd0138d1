"""A graph as Cytoscape elements: three nodes written out, and what any graph's elements keep."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from flowviz.graph.types import FlowNode, NodeKey, NodeKind, PromptToken
from flowviz.views.elements import NO_SIZE, THICKEST, THINNEST, elements
from tests.graphs import failed, grid, projection, three_nodes


def band(number: int, label: str, y: float, height: float, classes: str) -> dict[str, object]:
    return {
        "group": "nodes",
        "data": {
            "id": f"band:{number}",
            "label": label,
            "kind": "band",
            "width": 442.0,
            "height": height,
        },
        "position": {"x": 117.0, "y": y},
        "grabbable": False,
        "selectable": False,
        "classes": classes,
    }


def heading(position: int, token: str, x: float, classes: str) -> dict[str, object]:
    return {
        "group": "nodes",
        "data": {
            "id": f"heading:{position}",
            "label": token,
            "kind": "heading",
            "tip": f"position {position}: {token}",
        },
        "position": {"x": x, "y": 212.0},
        "grabbable": False,
        "selectable": False,
        "classes": classes,
    }


def node(x: float, y: float, classes: str, **data: object) -> dict[str, object]:
    return {
        "group": "nodes",
        "data": data,
        "position": {"x": x, "y": y},
        "grabbable": False,
        "selectable": True,
        "classes": classes,
    }


def edge(classes: str, **data: object) -> dict[str, object]:
    return {
        "group": "edges",
        "data": data,
        "grabbable": False,
        "selectable": True,
        "classes": classes,
    }


GOLDEN = [
    band(0, "logits", 25.0, 78.0, "band"),
    band(1, "layer 1", 100.0, 72.0, "band alternate"),
    band(2, "embeddings", 167.0, 62.0, "band"),
    heading(0, "In", 22.0, "heading empty"),
    heading(1, "␣France", 118.0, "heading"),
    heading(2, "␣is", 258.0, "heading"),
    node(
        118.0, 167.0, "node embed pos",
        id="embed:0:1", label="␣France", sub="embedding", text="␣France", kind="embed",
        sign="pos", size=0.5,
        tip="The embedding of the prompt's token at position 1 (␣France).\n"
            "flow +2, 100% of the target\n"
            "influence 25%\n"
            "reads as ␣France  ␣Gaul\n"
            "suppresses ␣the\n"
            "␣Paris here: rank 2, 25%",
    ),
    node(
        258.0, 100.0, "node head pos",
        id="head:1:2:3", label="␣Paris", sub="L1 H3", text="␣Paris\nL1 H3", kind="head",
        sign="pos", size=1.0,
        tip="Head 3 of layer 1, writing at position 2 (␣is).\n"
            "flow +2, 100% of the target\n"
            "influence 100%\n"
            "reads as ␣Paris  ␣Rome\n"
            "suppresses ␣the\n"
            "␣Paris here: rank 2, 25%",
    ),
    node(
        258.0, 25.0, "node target pos",
        id="target:2:2", label="␣Paris", sub="target", text="␣Paris", kind="target",
        sign="pos", size=1.0,
        tip="The target: logit of ␣Paris after position 2 (␣is) = 2.\n"
            "flow +2, 100% of the target\n"
            "influence 100%",
    ),
    edge(
        "read pos bent",
        id="embed:0:1>head:1:2:3", source="embed:0:1", target="head:1:2:3", w=9.0, sign="pos",
        kind="read",
        tip="␣France at 1 → L1 H3 at 2\nflow +2, 100% of the target\nread\nattention 75%",
        cw=[0.0722, 0.9139], cd=[-23.42, 27.93],
    ),
    edge(
        "write pos",
        id="head:1:2:3>target:2:2", source="head:1:2:3", target="target:2:2", w=9.0, sign="pos",
        kind="write",
        tip="L1 H3 at 2 → ␣Paris\nflow +2, 100% of the target\nwrite",
    ),
]  # fmt: skip


def test_three_nodes_written_out() -> None:
    assert elements(three_nodes()) == GOLDEN


@pytest.mark.parametrize("wiring", ["stream", "circuit"])
def test_ids_are_unique_and_edges_join_nodes(wiring: str) -> None:
    made = elements(grid(4, 6, 3, 3, wiring=wiring))
    ids = [each["data"]["id"] for each in made]
    nodes = {each["data"]["id"] for each in made if each["group"] == "nodes"}
    assert len(set(ids)) == len(ids)
    for each in made:
        if each["group"] == "edges":
            assert {each["data"]["source"], each["data"]["target"]} <= nodes


def test_rest_nodes_and_their_edges_can_be_left_out_without_moving_the_others() -> None:
    graph = grid(3, 4, 2, 2)
    with_rest = {each["data"]["id"]: each.get("position") for each in elements(graph)}
    without = elements(graph, show_rest=False)
    assert [each for each in without if each["data"]["id"].startswith("rest:")] == []
    assert all(with_rest[each["data"]["id"]] == each.get("position") for each in without)
    assert len(without) < len(with_rest)


def test_width_grows_with_the_root_of_the_flow_and_size_with_that_of_influence() -> None:
    graph = grid(3, 4, 2, 2)
    made = {each["data"]["id"]: each["data"] for each in elements(graph)}
    widest = max(abs(edge.flow) for edge in graph.edges)
    for one in graph.edges:
        part = math.sqrt(abs(one.flow) / widest)
        assert made[one.id]["w"] == pytest.approx(THINNEST + (THICKEST - THINNEST) * part, abs=0.01)
        assert made[one.id]["sign"] == ("neg" if one.flow < 0 else "pos")
    most = max(one.influence for one in graph.nodes)
    for one in graph.nodes:
        expected = math.sqrt(one.influence / most)
        assert made[str(one.key)]["size"] == pytest.approx(expected, abs=0.001)


def test_a_state_a_neuron_and_a_head_bear_the_token_that_they_read_as() -> None:
    graph = grid(3, 4, 2, 2)
    made = {each["data"]["id"]: each["data"] for each in elements(graph)}
    for one in graph.nodes:
        data = made[str(one.key)]
        if one.projection and one.key.kind not in (NodeKind.EMBED, NodeKind.BIAS):
            token = one.projection.top[0].text
            assert data["label"] == {"\n": "↵"}.get(token, token.replace(" ", "␣"))
        if one.key.kind is NodeKind.NEURON:
            assert data["text"].endswith(f"\nL{one.key.layer} N{one.key.index}")
        if one.key.kind is NodeKind.BIAS:
            assert data["label"] == "ln_final"


def test_edges_in_the_stream_run_in_the_gap_between_two_rows() -> None:
    made = elements(grid(3, 6, 3, 0))
    places = {each["data"]["id"]: each["position"] for each in made if each["group"] == "nodes"}
    reads = [
        each["data"]
        for each in made
        if "read bent" in each["classes"].replace("pos ", "").replace("neg ", "")
    ]
    reads = [data for data in reads if data["source"].startswith("resid")]
    assert reads
    for data in reads:
        a, b = places[data["source"]], places[data["target"]]
        dx, dy = b["x"] - a["x"], b["y"] - a["y"]
        length = math.hypot(dx, dy)
        for weight, distance in zip(data["cw"], data["cd"], strict=True):
            y = a["y"] + weight * dy + distance * dx / length
            assert b["y"] < y < a["y"]


def test_what_is_not_finite_draws_as_nothing_and_says_so() -> None:
    graph = three_nodes()
    broken = tuple(replace(one, flow=math.nan, influence=math.inf) for one in graph.nodes)
    edges = tuple(replace(one, flow=math.inf) for one in graph.edges)
    made = elements(replace(graph, nodes=broken, edges=edges))
    json.dumps(made, allow_nan=False)
    assert "flow not a number" in made[-1]["data"]["tip"]


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\u202eevil",
    " \u05e9\u05dc\u05d5\u05dd",
    "\U0001f469\U0001f3fd\u200d\U0001f680",
    "\r\n\t",
    "\x00\x1b[31m",
    "\ufffd",
    "\u0301",
    "",
    "ｗｉｄｅ" * 9,
]


@pytest.mark.parametrize("token", HOSTILE)
def test_hostile_tokens_keep_to_their_line_and_to_json(token: str) -> None:
    graph = three_nodes()
    key = NodeKey(NodeKind.NEURON, 1, 2, 7)
    graph = replace(
        graph,
        tokens=tuple(PromptToken(i, i, token) for i in range(3)),
        nodes=(*graph.nodes, FlowNode(key, 1.0, 0.1, projection=projection(token))),
    )
    made = elements(graph)
    json.dumps(made, allow_nan=False)
    data = next(each["data"] for each in made if each["data"]["id"] == str(key))
    assert data["text"].count("\n") == 1
    for each in made:
        for text in (each["data"].get("text", ""), each["data"].get("tip", "")):
            odd = [c for c in text if (c < " " and c != "\n") or c in "\u202e\u200d\x7f"]
            assert odd == []


def test_edges_of_a_crowded_graph_are_marked_so_that_thin_ones_can_fade() -> None:
    few, many = grid(3, 4, 2, 2), grid(9, 12, 8, 8)
    assert not any("dense" in each["classes"] for each in elements(few))
    crowded = [each for each in elements(many) if each["group"] == "edges"]
    assert all(each["classes"].endswith("dense") for each in crowded)


def test_where_a_law_failed_no_edge_no_rest_no_sign_and_no_size_is_drawn() -> None:
    lawful = grid(3, 4, 2, 2)
    for graph in (failed(), replace(lawful, checks=failed().checks)):
        made = elements(graph)
        assert [each for each in made if each["group"] == "edges"] == []
        assert [each for each in made if each["data"]["kind"] == "rest"] == []
        nodes = [each for each in made if each["classes"].startswith("node ")]
        assert len(nodes) == sum(one.key.kind is not NodeKind.REST for one in graph.nodes)
        assert {each["data"]["size"] for each in nodes} == {NO_SIZE}
        assert {each["data"]["sign"] for each in nodes} == {"unsigned"}
        for each in nodes:
            assert "a law failed" in each["data"]["tip"]
            assert "influence" not in each["data"]["tip"]
    heads = [each["data"]["text"] for each in elements(failed()) if " head " in each["classes"]]
    assert heads[-1] == "L2 H1"


def test_a_neuron_in_an_expert_bears_both_numbers() -> None:
    graph = grid(2, 3, 1, 1)
    graph = replace(graph, model=replace(graph.model, expert_neurons=(0, 10)))
    made = {each["data"]["id"]: each["data"] for each in elements(graph)}
    for one in graph.nodes:
        if one.key.kind is NodeKind.NEURON:
            i = one.key.index
            name = f"E{i // 10} N{i % 10}" if one.key.layer else f"L0 N{i}"
            assert made[str(one.key)]["sub"] == (f"L1 {name}" if one.key.layer else name)
            assert made[str(one.key)]["text"].endswith(f"\n{name}")


def test_a_long_prompt_numbers_its_columns_and_folds_what_is_empty() -> None:
    made = elements(grid(3, 400, 2, 2))
    headings = [each["data"] for each in made if each["data"]["kind"] == "heading"]
    runs = [each for each in headings if "–" in each["label"]]
    assert runs
    for each in runs:
        first, last = each["label"].split("–")
        assert each["tip"] == f"positions {first} to {last}: nothing drawn"
    assert headings[-1]["label"].endswith(" 399")
    short = [each["data"] for each in elements(grid(3, 5, 2, 2))]
    assert not any("–" in each["label"] for each in short if each["kind"] == "heading")
