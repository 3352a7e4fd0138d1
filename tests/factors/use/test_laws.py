"""An opened node: its parts sum to its vector, their flows to its flow, and the graph conserves."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

import pytest
import torch

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.use.places import OpenAt
from flowviz.factors.use.split import open_nodes
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.opened import MOST_FACTORS, Opened, node_vector
from flowviz.graph.scored import Scored
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.request import GraphSettings, Score, Wiring
from flowviz.trace import record
from tests.factors.use.small import random_dictionary
from tests.flows import TARGET, scored
from tests.models import random_model

K = NodeKind
AT = TARGET.position
ARCHITECTURES = ("gpt2", "llama", "gpt_j", "gemma2", "gpt1", "opt_350m", "mixtral", "granite")
METHODS = (Method.RELU, Method.TOPK, Method.CODING)
SEQUENTIAL = ("resid_mid:1@14", "resid_pre:2@12", "attn_out:1@14", "mlp_out:1@14")
PARALLEL = ("resid_pre:1@14", "resid_pre:2@12", "attn_out:1@14", "mlp_out:1@14")


def places(architecture: str) -> tuple[str, ...]:
    parallel = scored(architecture).flow.model.shape.parallel
    return PARALLEL if parallel else SEQUENTIAL


@lru_cache(maxsize=64)
def opened(architecture: str, *texts: str, method: Method = Method.RELU) -> Opened:
    dictionary = random_dictionary(scored(architecture).flow.model, method)
    return open_nodes(
        scored(architecture), [OpenAt.parse(each) for each in texts], lambda _: dictionary
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_offset_factors_and_error_are_the_vector(architecture, method):
    for node in opened(architecture, *places(architecture), method=method).nodes:
        size = float(node.vector.norm())
        assert float((node.vectors.sum(0) - node.vector).norm()) <= 1e-5 * size
        assert sum(key.kind is K.FACTOR for key in node.keys) == node.place.factors > 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_flows_of_parts_are_the_nodes_flow(architecture):
    flow = scored(architecture).flow
    for node in opened(architecture, *places(architecture)).nodes:
        assert sum(node.flows) == pytest.approx(node.flow, abs=1e-5 * flow.scale)
        if node.key.kind not in (K.ATTN_OUT, K.MLP_OUT):
            assert node.flow == pytest.approx(flow.values[node.key], abs=1e-5 * flow.scale)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_a_sublayer_adds_is_what_lies_between_the_states(architecture):
    """Without a norm on the stream, the state behind is the state before and what is added."""
    flow = scored(architecture).flow
    if flow.model.blocks[0].norms_stream:
        pytest.skip("a norm stands between")
    trace, added = flow.trace, torch.zeros_like(flow.trace.resid_final[AT])
    for layer in range(3):
        for kind in (K.ATTN_OUT, K.MLP_OUT):
            added = added + node_vector(flow, NodeKey(kind, layer, AT))
    whole = trace.resid_final[AT] - trace.blocks[0].resid_pre[AT]
    assert torch.allclose(added, whole, atol=1e-4 * float(whole.norm()))


def inflows(graph: FlowGraph) -> dict[NodeKey, float]:
    into: dict[NodeKey, float] = defaultdict(float)
    for edge in graph.edges:
        into[edge.target] += edge.flow
    return into


def check_conserved(graph: FlowGraph, scale: float) -> None:
    nodes = {node.key: node for node in graph.nodes}
    for key, amount in inflows(graph).items():
        assert amount == pytest.approx(nodes[key].flow, abs=1e-4 * scale), key
    assert graph.checks.rest_error < 1e-4
    for edge in graph.edges:
        assert edge.source in nodes, edge
        assert edge.target in nodes, edge
    leaving = {edge.source for edge in graph.edges}
    assert all(key in leaving for key in nodes if key.kind is not K.TARGET)


@pytest.mark.parametrize("score", list(Score))
@pytest.mark.parametrize("wiring", list(Wiring))
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_graph_with_opened_nodes_conserves(architecture, wiring, score):
    if score in (Score.BLEND, Score.GRADIENT) and architecture not in ("gpt2", "gpt_j"):
        pytest.skip("the ranking alone differs")
    nodes = opened(architecture, *places(architecture))
    settings = GraphSettings(wiring=wiring, score=score)
    graph = build_graph(scored(architecture), settings, nodes)
    check_conserved(graph, scored(architecture).flow.scale)
    assert [place.key for place in graph.opened] == [node.key for node in nodes.nodes]
    drawn = {node.key for node in graph.nodes}
    for node in nodes.nodes:
        assert node.key in drawn
        parts = {key for key in drawn if key.part_of and key.whole() == node.key}
        assert parts == set(nodes.drawn(node.key))
        assert sum(key.kind is K.FACTOR for key in parts) <= MOST_FACTORS
        assert {K.OFFSET, K.ERROR} <= {key.kind for key in parts}


@pytest.mark.parametrize("wiring", list(Wiring))
@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "gpt1"])
def test_where_everything_is_drawn_nothing_is_left_as_rest(architecture, wiring):
    """Then what leaves the parts of a node is the node's flow. (GPT's neurons are too many.)"""
    model = random_model(architecture, layers=2, heads=2, neurons=4)
    flow = Scored(flow_of(model, record(model, [5, 6, 7]), FlowTarget(2, 7)))
    dictionary = random_dictionary(model, Method.TOPK)
    first = "resid_pre:1@1" if model.shape.parallel else "resid_mid:0@1"
    texts = (first, "attn_out:0@1", "mlp_out:1@2", "resid_final@2")
    nodes = open_nodes(flow, [OpenAt.parse(each) for each in texts], lambda _: dictionary)
    settings = GraphSettings(wiring=wiring, budget=400, coverage=1.0, edge_coverage=1.0)
    graph = build_graph(flow, settings, nodes)
    scale = flow.flow.scale
    check_conserved(graph, scale)
    rest = [node for node in graph.nodes if node.key.kind is K.REST]
    assert [node.key for node in rest if abs(node.flow) > 1e-5 * scale] == []
    for node in nodes.nodes:
        assert node.place.factors <= MOST_FACTORS
        out = sum(edge.flow for edge in graph.edges
                  if edge.source.part_of and edge.source.whole() == node.key)  # fmt: skip
        into = sum(edge.flow for edge in graph.edges if edge.source == node.key)
        assert out == pytest.approx(node.flow, abs=1e-4 * scale), node.key
        assert into == pytest.approx(node.flow, abs=1e-4 * scale), node.key


@pytest.mark.parametrize("wiring", list(Wiring))
def test_a_closed_graph_is_as_it_was(wiring):
    settings = GraphSettings(wiring=wiring)
    assert build_graph(scored("gpt2"), settings, Opened()) == build_graph(scored("gpt2"), settings)


def test_the_circuit_lets_nothing_past_an_opened_state():
    nodes = opened("gpt2", "resid_mid:1@14")
    settings = GraphSettings(wiring=Wiring.CIRCUIT, budget=400, coverage=1.0)
    graph = build_graph(scored("gpt2"), settings, nodes)
    drawn = [node.key for node in graph.nodes if node.key.kind in (K.HEAD, K.NEURON)]
    early = {key for key in drawn if key.position == AT and key.layer < 1}
    late = {edge.target for edge in graph.edges if edge.source in early and edge.target.layer >= 2}
    assert early
    assert late == set()


def test_a_state_that_cannot_reach_the_target_is_not_drawn():
    nodes = opened("gpt2", "resid_final@3")
    graph = build_graph(scored("gpt2"), GraphSettings(), nodes)
    assert graph.opened
    assert nodes.nodes[0].key not in {node.key for node in graph.nodes}
    check_conserved(graph, scored("gpt2").flow.scale)


@pytest.mark.parametrize(
    ("architecture", "text", "said"),
    [
        ("gpt2", "resid_pre:3@2", "blocks 0 to 2"),
        ("gpt2", "resid_pre:1@15", "positions 0 to 14"),
        ("gpt_j", "resid_mid:1@2", "same state"),
    ],
)
def test_what_the_pass_has_not_is_refused(architecture, text, said):
    with pytest.raises(RequestError, match=said):
        opened(architecture, text)


def test_a_dictionary_of_other_vectors_is_refused():
    model = scored("gpt2").flow.model
    from dataclasses import replace

    whole = random_dictionary(model)
    elsewhere = replace(whole, about=replace(whole.about, sites=(Site(SiteKind.RESID_PRE, 0),)))
    with pytest.raises(RequestError, match="says nothing of resid_mid:1"):
        open_nodes(scored("gpt2"), [OpenAt.parse("resid_mid:1@3")], lambda _: elsewhere)
    wider = replace(whole, about=replace(whole.about, width=99))
    with pytest.raises(RequestError, match="another model's"):
        open_nodes(scored("gpt2"), [OpenAt.parse("resid_mid:1@3")], lambda _: wider)


@pytest.mark.parametrize("wiring", list(Wiring))
@pytest.mark.parametrize("architecture", ["gpt2", "gpt_j", "opt_350m", "mixtral"])
def test_the_inspectors_tables_sum_to_each_nodes_flow(architecture, wiring):
    """All that is listed of a node, and what is not listed, is its flow; on either side."""
    flow, nodes = scored(architecture), opened(architecture, *places(architecture))
    settings = GraphSettings(wiring=wiring, budget=12)
    graph = build_graph(flow, settings, nodes)
    ways = {(edge.source, edge.target): edge.flow for edge in graph.edges}
    for node in graph.nodes:
        if node.key.kind in (K.REST, K.TARGET, K.EMBED, K.POS_EMBED, K.BIAS):
            continue
        found = inspect_node(flow, graph, settings, node.key, nodes)
        for table, into in ((found.inflows, True), (found.outflows, False)):
            rows = {row.other: row.flow for row in table.rows}
            whole = sum(rows.values()) + table.remainder
            assert whole == pytest.approx(node.flow, abs=1e-4 * flow.flow.scale), node.key
            if table.remainder_count == 0:
                assert table.remainder == pytest.approx(0, abs=1e-4 * flow.flow.scale), node.key
            for (source, target), amount in ways.items():
                here, other = (target, source) if into else (source, target)
                if here == node.key and other.kind is not K.REST:
                    assert rows[other] == pytest.approx(amount, abs=1e-5 * flow.flow.scale)
