"""An opened block as Cytoscape elements: a small one whole, and what colours and widths say."""

from __future__ import annotations

import csv as csv_format
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from flowviz.errors import RequestError
from flowviz.graph.types import NodeKey
from flowviz.inside.types import NO_FLOW, InsideChecks, InsideGraph, PartKey, PartKind
from flowviz.views.inside.elements import HANGING, THICKEST, THINNEST, WHOLE, elements
from flowviz.views.inside.labels import caption, edge_tip, node_tip
from flowviz.views.inside.legend import legend
from flowviz.views.inside.looks import Colour, Look, Width
from flowviz.views.inside.stylesheet import SHAPES, stylesheet
from flowviz.views.inside.tables import EDGE_COLUMNS, NODE_COLUMNS, csv, side_rows
from flowviz.views.inside.words import SUMS, describe, in_flow_graph, name
from flowviz.views.palette import PALETTES, contrast
from tests.inside_graphs import Shape, opened, small

K = PartKind
GOLDEN = Path(__file__).parent / "opened_block.json"
FULL = Shape(norms=(K.LN1, K.LN1_POST, K.LN2, K.LN2_POST), gated=True)


def by_id(graph: InsideGraph, look: Look | None = None) -> dict[str, dict]:
    return {each["data"]["id"]: each for each in elements(graph, look or Look())}


def drawn(graph: InsideGraph, look: Look) -> tuple[dict[str, dict], dict[str, dict]]:
    everything = by_id(graph, look)
    nodes = {str(node.key): everything[str(node.key)] for node in graph.nodes}
    return nodes, {edge.id: everything[edge.id] for edge in graph.edges}


def test_the_whole_list_of_a_small_block() -> None:
    assert elements(small(), Look()) == json.loads(GOLDEN.read_text())


def test_elements_are_json_and_have_one_id_each() -> None:
    made = elements(opened(FULL, (1, 2)), Look())
    assert json.loads(json.dumps(made)) == made
    assert len({each["data"]["id"] for each in made}) == len(made)


@pytest.mark.parametrize("colour", Colour)
def test_a_colour_has_a_tone_or_is_neutral(colour: Colour) -> None:
    graph = opened(FULL)
    nodes, _ = drawn(graph, Look(colour))
    for node in graph.nodes:
        element = nodes[str(node.key)]
        classes = element["classes"].split()
        told = node.flow if colour is Colour.SIGN else node.projection
        assert ("neutral" in classes) == (told is None)
        assert ("tone" in element["data"]) == (told is not None)
        assert ("frozen" in classes) == (node.key.kind in NO_FLOW)


def test_rank_is_strongest_at_one_and_nothing_at_the_last() -> None:
    graph = small()

    def tone(rank: int) -> float:
        first = graph.nodes[0]
        assert first.projection
        read = replace(first.projection, target_rank=rank)
        nodes = (replace(first, projection=read), *graph.nodes[1:])
        return by_id(replace(graph, nodes=nodes))[str(first.key)]["data"]["tone"]

    assert [tone(rank) for rank in (1, 10, 1000)] == pytest.approx([1.0, 2 / 3, 0.0], abs=1e-3)


def test_sign_is_the_flows_and_entropy_is_of_the_vocabulary() -> None:
    graph = small()
    signs = by_id(graph, Look(Colour.SIGN))
    most = max(abs(node.flow) for node in graph.nodes if node.flow is not None)
    for node in graph.nodes:
        if node.flow is not None:
            element = signs[str(node.key)]
            assert ("neg" if node.flow < 0 else "pos") in element["classes"].split()
            tone = math.sqrt(abs(node.flow) / most)
            assert element["data"]["tone"] == pytest.approx(tone, abs=1e-3)
    sharp = by_id(graph, Look(Colour.ENTROPY))[str(graph.nodes[0].key)]["data"]["tone"]
    assert sharp == pytest.approx(1 - 1.5 / math.log2(1000), abs=1e-3)


@pytest.mark.parametrize("width", Width)
def test_a_width_is_what_it_says_and_attention_always_its_weight(width: Width) -> None:
    graph = opened(FULL)
    _, edges = drawn(graph, Look(width=width))
    for edge in graph.edges:
        element = edges[edge.id]
        silent = "silent" in element["classes"].split()
        if edge.kind == "attend":
            assert element["data"]["w"] == THINNEST + (THICKEST - THINNEST) * 0.75
            continue
        told = {"flow": edge.flow, "norm": edge.norm, "strength": edge.strength}[width]
        assert silent == (told is None)
        assert THINNEST <= element["data"]["w"] <= THICKEST
        assert not silent or element["data"]["w"] == THINNEST


def test_what_carries_no_flow_is_neutral_in_every_look() -> None:
    graph = opened(FULL)
    for width in Width:
        _, edges = drawn(graph, Look(Colour.RANK, width))
        for edge in graph.edges:
            classes = edges[edge.id]["classes"].split()
            assert ("neutral" in classes) == (edge.flow is None)


def test_a_part_is_as_large_as_its_norm_is_beside_the_longest_of_its_kind() -> None:
    graph = opened(Shape(neurons=4))
    nodes, _ = drawn(graph, Look())
    neurons = [node for node in graph.nodes if node.key.kind is K.NEURON]
    ranked = sorted(neurons, key=lambda node: node.norm or 0.0)
    widths = [nodes[str(node.key)]["data"]["width"] for node in ranked]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]
    for node in graph.nodes:
        if node.key.kind in WHOLE or node.key.kind in SUMS:
            assert nodes[str(node.key)]["data"]["width"] >= 66


def test_where_the_run_is_not_exact_there_is_no_flow_no_sign_and_no_rest() -> None:
    graph = replace(opened(FULL), checks=InsideChecks(1e-6, 0.3, 1e-6, 1e-4))
    for look in (Look(), Look(Colour.SIGN)):
        made = elements(graph, look)
        kinds = {each["data"]["kind"] for each in made}
        assert not kinds & {str(kind) for kind in HANGING}
        assert not any({"pos", "neg"} & set(each["classes"].split()) for each in made)
        assert not any("flow +" in each["data"].get("tip", "") for each in made)
    words = {key.word for key in legend(graph, Look(Colour.SIGN))}
    assert not words & {"for", "against", "speaks for", "rest"}
    assert all(row["flow"] is None for row in side_rows(PartKey(K.MLP, 1), graph, "in"))


def test_queries_and_keys_that_are_not_the_models_are_not_read() -> None:
    graph = replace(opened(FULL), checks=InsideChecks(1e-6, 1e-6, 0.5, 1e-4))
    asking = (K.QUERY, K.HEAD_QUERY, K.KEY)
    for node in graph.nodes:
        tip = node_tip(node, graph)
        assert ("not read" in tip) == (node.key.kind in asking)
        assert not ("not read" in tip and "promotes" in tip)
    texts = {each["data"]["text"] for each in elements(graph, Look())
             if each["data"]["kind"] == "key"}  # fmt: skip
    assert texts == {"·"}


def test_the_legend_changes_with_the_look() -> None:
    graph = small()
    words = {look: [key.word for key in legend(graph, look)]
             for look in (Look(c, w) for c in Colour for w in Width)}  # fmt: skip
    assert len({tuple(each) for each in words.values()}) == 9
    assert "rank of ␣Paris" in words[Look()]
    assert "width: norm" in words[Look(width=Width.NORM)]


def test_tips_have_every_number() -> None:
    graph = small()
    value = next(node for node in graph.nodes if node.key.kind is K.VALUE)
    tip = node_tip(value, graph)
    for words in ("flow +1.14, 28% of the target", "norm 1.64", "attention 75%", "rank 2, 25%",
                  "promotes ␣Paris  ␣Rome", "suppresses ␣the", "entropy 1.50 bits"):  # fmt: skip
        assert words in tip
    neuron = next(edge for edge in graph.edges if edge.target.kind is K.NEURON)
    tip = edge_tip(neuron, graph)
    for words in ("flow +1.63", "norm 1.25", "activation × norm 1.5"):
        assert words in tip


def test_every_kind_of_part_has_words_a_shape_and_its_place_in_the_flow() -> None:
    graph = opened(FULL)
    for node in graph.nodes:
        assert name(node.key, graph)
        assert describe(node.key, graph).endswith(".")
        assert node.key.kind in SHAPES or node.key.kind in SUMS
    assert {node.key.kind for node in graph.nodes} == set(PartKind)
    assert in_flow_graph(PartKey(K.VALUE, 1, 2, 0), graph) == NodeKey.parse("head:1:4:2")
    assert in_flow_graph(PartKey(K.NEURON_KEY, 1, 7), graph) == NodeKey.parse("neuron:1:4:7")
    assert in_flow_graph(PartKey(K.MEMORY, 1, 0, 2), graph) == NodeKey.parse("resid_pre:1:2")
    assert in_flow_graph(PartKey(K.STATE, 6), graph) == NodeKey.parse("resid_final:6:4")
    assert in_flow_graph(PartKey(K.CONCAT, 1), graph) is None
    assert caption(PartKey(K.KEY, 1, 0, 1), graph) == "1 ␣France"


def test_tables_hold_every_node_and_edge() -> None:
    graph = opened(FULL)
    nodes = list(csv_format.reader(io.StringIO(csv(graph, "nodes"))))
    edges = list(csv_format.reader(io.StringIO(csv(graph, "edges"))))
    assert tuple(nodes[0]) == NODE_COLUMNS
    assert tuple(edges[0]) == EDGE_COLUMNS
    assert [row[0] for row in nodes[1:]] == [str(node.key) for node in graph.nodes]
    assert [row[0] for row in edges[1:]] == [edge.id for edge in graph.edges]
    with pytest.raises(ValueError, match="table is"):
        csv(graph, "both")


def test_what_goes_into_a_part_stands_with_flow_and_norm_the_largest_flow_first() -> None:
    graph = opened(FULL)
    rows = side_rows(PartKey(K.ATTENTION, 1), graph, "in")
    assert {row["other"] for row in rows} == {
        str(edge.source) for edge in graph.edges if edge.target == PartKey(K.ATTENTION, 1)
    }
    flows = [abs(row["flow"]) for row in rows]
    assert flows == sorted(flows, reverse=True)
    assert all(row["norm"] == 1.25 for row in rows)


def test_looks_read_from_links() -> None:
    assert Look.from_mapping({}) == Look()
    look = Look(Colour.ENTROPY, Width.STRENGTH)
    assert Look.from_mapping(look.to_mapping()) == look
    assert Look().to_mapping() == {}
    with pytest.raises(RequestError, match="colour is 'red'; it takes one of rank, sign, entropy"):
        Look.from_mapping({"colour": "red"})


@pytest.mark.parametrize("theme", PALETTES)
def test_tones_keep_text_readable_and_mappers_stand_behind_their_data(theme: str) -> None:
    colours = PALETTES[theme]
    for fill in (colours.rank_fill, colours.sharp_fill):
        assert contrast(colours.text, fill) >= 4.5
    for border in (colours.rank, colours.sharp):
        assert contrast(border, colours.ground) >= 3
    for rule in stylesheet(theme):
        if any("mapData(tone" in str(value) for value in rule["style"].values()):
            assert "[tone]" in rule["selector"]


def test_one_norm_before_both_says_so() -> None:
    graph = opened(Shape(parallel=True, norms=(K.LN1,)))
    parallel = replace(graph, model=replace(graph.model, parallel=True))
    words = "L1 norm before attention"
    assert name(PartKey(K.LN1, 1), parallel) == f"{words} and the MLP"
    assert name(PartKey(K.LN1, 1), opened(Shape())) == words
