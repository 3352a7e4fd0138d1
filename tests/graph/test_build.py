"""Graphs keep their laws, in both wirings, whatever is asked for."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.errors import RequestError
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.scored import Scored
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.request import CHOOSABLE_KINDS, GraphSettings, Score, Wiring
from flowviz.trace import record
from tests.flows import scored
from tests.models import random_model

TOLERANCE = 1e-4
ARCHITECTURES = ("gpt2", "llama")
GRAPHS = st.builds(
    GraphSettings,
    wiring=st.sampled_from(Wiring),
    score=st.sampled_from(Score),
    coverage=st.floats(0.05, 1),
    budget=st.integers(1, 200),
    edge_coverage=st.floats(0.05, 1),
    layers=st.sampled_from([None, (0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]),
    positions=st.sampled_from([None, (0, 14), (3, 9), (14, 14)]),
    kinds=st.frozensets(st.sampled_from(CHOOSABLE_KINDS)),
    heads_per_layer=st.sampled_from([None, 0, 1, 3]),
    positive_neurons=st.sampled_from([None, 0, 2]),
    negative_neurons=st.sampled_from([None, 0, 2]),
)


def inflows(graph: FlowGraph) -> dict[NodeKey, float]:
    into: dict[NodeKey, float] = defaultdict(float)
    for edge in graph.edges:
        into[edge.target] += edge.flow
    return into


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(architecture=st.sampled_from(ARCHITECTURES), asked=GRAPHS)
def test_shown_inflows_and_rest_are_the_nodes_flow(architecture, asked):
    """Law 3, and that a graph is whole: one target, no loose ends, within its bounds."""
    graph = build_graph(scored(architecture), asked)
    scale = scored(architecture).flow.scale
    nodes = {node.key: node for node in graph.nodes}
    for key, amount in inflows(graph).items():
        assert amount == pytest.approx(nodes[key].flow, abs=TOLERANCE * scale)
    assert graph.checks.rest_error < TOLERANCE
    assert sum(key.kind is NodeKind.TARGET for key in nodes) == 1
    assert len(nodes) == len(graph.nodes)
    assert all(edge.source in nodes and edge.target in nodes for edge in graph.edges)
    leaving = {edge.source for edge in graph.edges}
    assert all(key in leaving for key in nodes if key.kind is not NodeKind.TARGET)
    assert len(graph.nodes) + len(graph.edges) <= 1000
    drawn = [key for key in nodes if key.kind not in (NodeKind.REST, NodeKind.TARGET)]
    assert len(drawn) <= asked.budget
    assert 0 <= graph.coverage <= 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("wiring", list(Wiring))
def test_where_everything_is_drawn_nothing_is_left_as_rest(architecture, wiring):
    model = random_model(architecture, layers=2, heads=2, neurons=4)
    flow = flow_of(model, record(model, [5, 6, 7]), FlowTarget(2, 7))
    asked = GraphSettings(wiring=wiring, coverage=1.0, budget=400, edge_coverage=1.0)
    graph = build_graph(Scored(flow), asked)
    assert [node.key for node in graph.nodes if node.key.kind is NodeKind.REST] == []
    assert graph.coverage == pytest.approx(1)


def test_the_same_request_gives_the_same_graph():
    first = build_graph(scored("gpt2"), GraphSettings())
    scored.cache_clear()
    assert build_graph(scored("gpt2"), GraphSettings()) == first


def test_more_coverage_draws_more_and_holds_more():
    small, large = (
        build_graph(scored("gpt2"), GraphSettings(coverage=share, budget=400))
        for share in (0.3, 0.7)
    )
    assert small.coverage < large.coverage
    assert len(small.nodes) < len(large.nodes)
    assert small.coverage >= 0.28
    assert large.coverage >= 0.68


def test_a_budget_keeps_the_strongest():
    graph = build_graph(scored("gpt2"), GraphSettings(wiring=Wiring.CIRCUIT, budget=5))
    influence = scored("gpt2").influence
    drawn = [node.key for node in graph.nodes if node.key.kind in (NodeKind.HEAD, NodeKind.BIAS)]
    strongest = [key for _, key in influence.strongest(NodeKind.HEAD, 1)]
    assert strongest[0] in drawn


def test_per_layer_bounds_hold():
    asked = GraphSettings(heads_per_layer=1, positive_neurons=2, negative_neurons=1, budget=400,
                          coverage=1.0)  # fmt: skip
    graph = build_graph(scored("llama"), asked)
    for layer in range(3):
        heads = [n for n in graph.nodes if n.key.kind is NodeKind.HEAD and n.key.layer == layer]
        neurons = [n for n in graph.nodes if n.key.kind is NodeKind.NEURON and n.key.layer == layer]
        assert len(heads) <= 1
        assert sum(neuron.flow > 0 for neuron in neurons) <= 2
        assert sum(neuron.flow < 0 for neuron in neurons) <= 1


def test_a_range_of_blocks_reads_the_states_of_the_cut_above():
    graph = build_graph(scored("gpt2"), GraphSettings(layers=(0, 1), coverage=1.0, budget=400))
    into_target = [edge for edge in graph.edges if edge.target.kind is NodeKind.TARGET]
    states = [edge for edge in into_target if edge.source.kind is NodeKind.RESID_PRE]
    assert {edge.source.layer for edge in states} == {2}
    assert all(node.key.layer <= 2 or node.key.kind in (NodeKind.TARGET, NodeKind.REST)
               for node in graph.nodes)  # fmt: skip


@pytest.mark.parametrize("asked", [GraphSettings(layers=(3, 5)), GraphSettings(positions=(15, 16))])
def test_a_range_outside_the_pass_is_refused_with_the_way_out(asked):
    with pytest.raises(RequestError, match="Choose a range within 0-"):
        build_graph(scored("gpt2"), asked)


def test_gradient_scores_are_shown_where_they_were_asked_for():
    graph = build_graph(scored("gpt2"), GraphSettings(score=Score.GRADIENT))
    others = [node for node in graph.nodes if node.key.kind not in (NodeKind.REST, NodeKind.TARGET)]
    assert all(node.gradient is not None for node in others)
    plain = build_graph(scored("gpt2"), GraphSettings())
    assert all(node.gradient is None for node in plain.nodes)
