"""On every architecture: flows are conserved at every part, and are those of the flow graph."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flowviz.flow import Flow, FlowTarget
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.inside.build import open_blocks
from flowviz.inside.request import InsideRequest, InsideSettings, Rank, Rotary
from flowviz.inside.types import NO_FLOW, SOURCES, InsideGraph, PartKey, PartKind
from tests.architectures import ARCHITECTURES, UNCOVERED
from tests.flows import TARGET, scored
from tests.inside.opened import (
    ALL,
    FEW,
    NOTHING,
    inflows,
    kinds,
    of_kind,
    open_up,
    opened,
    outflows,
)

NAMES = sorted(ARCHITECTURES)
TOLERANCE = 1e-4
PLACES = [((1, 1), 10), ((0, 2), 10), ((2, 2), None), ((0, 0), 0)]
BY_FLOW = replace(FEW, rank=Rank.FLOW, rotary=Rotary.BEFORE)


def assert_conserved(graph: InsideGraph, scale: float) -> None:
    into, out = inflows(graph), outflows(graph)
    first = PartKey(PartKind.STATE, graph.layers[0])
    last = PartKey(PartKind.STATE, graph.layers[1] + 1)
    for node in graph.nodes:
        key = node.key
        if key.kind in NO_FLOW:
            assert node.flow is None
            continue
        assert node.flow is not None
        if key.kind not in SOURCES and key != first:
            assert abs(into[key] - node.flow) < TOLERANCE * scale, f"into {key}"
        if key.kind is not PartKind.ELSEWHERE and key != last:
            assert abs(out[key] - node.flow) < TOLERANCE * scale, f"out of {key}"


@pytest.mark.parametrize("name", NAMES)
def test_flow_is_conserved_at_every_part(name: str) -> None:
    of = scored(name)
    for layers, at in PLACES:
        for settings in (FEW, BY_FLOW, NOTHING):
            graph = open_up(of, layers, at, settings)
            assert graph.checks.exact, graph.checks
            assert_conserved(graph, of.flow.scale)


few = st.integers(0, 5)


@given(
    name=st.sampled_from(["gpt2", "llama", "gpt_j", "gemma2", "opt_350m", "gpt_oss"]),
    layers=st.sampled_from([(0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2)]),
    at=st.integers(0, TARGET.position),
    settings=st.builds(InsideSettings, few, few, few, few, few, st.sampled_from(Rank),
                       st.sampled_from(Rotary)),
)  # fmt: skip
@hypothesis_settings(max_examples=40, deadline=None)
def test_flow_is_conserved_whatever_is_drawn(
    name: str, layers: tuple[int, int], at: int, settings: InsideSettings
) -> None:
    of = scored(name)
    graph = open_up(of, layers, at, settings)
    assert graph.checks.exact
    assert_conserved(graph, of.flow.scale)
    heads = of_kind(graph, PartKind.HEAD)
    blocks = layers[1] - layers[0] + 1
    assert len(heads) == blocks * min(settings.heads, 4)
    assert len(of_kind(graph, PartKind.ROW)) == blocks * settings.rows
    values = of_kind(graph, PartKind.VALUE)
    assert len(values) <= len(heads) * min(settings.memories, at + 1)
    assert [v.key.source for v in values] == [
        k.key.source for k in of_kind(graph, PartKind.KEY)
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_with_everything_drawn_nothing_is_left(name: str) -> None:
    of = scored(name)
    graph = open_up(of, settings=ALL)
    assert_conserved(graph, of.flow.scale)
    assert of_kind(graph, PartKind.REST) == []
    drawn = {head.key.index for head in of_kind(graph, PartKind.HEAD)}
    assert drawn == set(range(of.flow.model.blocks[1].attention.heads))


@pytest.mark.parametrize("name", NAMES)
def test_flows_are_those_of_the_flow_graph(name: str) -> None:
    of = scored(name)
    graph = open_up(of, (0, 2), 10)
    compared = 0
    for node in graph.nodes:
        twin = in_the_flow(node.key, of.flow)
        if twin is not None:
            assert node.flow is not None
            assert abs(node.flow - of.flow.values[twin]) < TOLERANCE * of.flow.scale, node.key
            compared += 1
    assert compared > 3 * (1 + 2 + 4)  # states, heads, neurons of three blocks at least


def in_the_flow(key: PartKey, flow: Flow) -> NodeKey | None:
    """The node of the flow graph that a part is."""
    layers = flow.model.shape.layers
    if key.kind is PartKind.STATE and key.layer == layers:
        return NodeKey(NodeKind.RESID_FINAL, layers, 10) if flow.target.position >= 10 else None
    same = {
        PartKind.STATE: NodeKind.RESID_PRE,
        PartKind.MID: NodeKind.RESID_MID,
        PartKind.HEAD: NodeKind.HEAD,
        PartKind.NEURON: NodeKind.NEURON,
        PartKind.BIAS: NodeKind.BIAS,
    }
    kind = same.get(key.kind)
    if kind is NodeKind.BIAS and BIAS_NAMES[key.index] in ("ln1", "b_V"):
        return None  # there they stand at the position that is read, not at the one that reads
    return None if kind is None else NodeKey(kind, key.layer, 10, key.index)


@pytest.mark.parametrize("name", ["gpt2", "falcon_40b", "qwen2", "granite"])
def test_biases_inside_values_sum_to_those_of_the_flow_graph(name: str) -> None:
    of = scored(name)
    graphs = [open_up(of, at=at) for at in range(TARGET.position + 1)]
    for index, bias in enumerate(BIAS_NAMES[:2]):
        total = sum(node.flow or 0.0 for graph in graphs for node in of_kind(graph, PartKind.BIAS)
                    if node.key.index == index)  # fmt: skip
        expected = float(of.flow.values.biases[index, 1].sum())
        assert abs(total - expected) < TOLERANCE * of.flow.scale, bias


@pytest.mark.parametrize("name", NAMES)
def test_queries_and_keys_are_those_of_the_pass(name: str) -> None:
    graph = opened(name)
    assert graph.checks.queries_exact, graph.checks.pattern_error
    read = [n for n in graph.nodes if n.key.kind in (PartKind.QUERY, PartKind.HEAD_QUERY,
                                                     PartKind.KEY)]  # fmt: skip
    assert len(read) >= 1 + 2 + 2
    assert all(node.projection is not None and node.norm for node in read)


@pytest.mark.parametrize("name", NAMES)
def test_every_part_has_a_length_and_a_reading(name: str) -> None:
    graph = opened(name)
    for node in graph.nodes:
        hangs = node.key.of is not None
        assert (node.projection is None) is hangs, node.key
        assert node.norm is not None or node.key.kind is PartKind.ELSEWHERE, node.key
        if node.projection is not None:
            assert len(node.projection.top) == len(node.projection.bottom) == 10


@pytest.mark.parametrize("name", ["gpt2", "gpt_j", "gemma2", "mixtral", "opt_350m"])
def test_blocks_chain_through_their_states(name: str) -> None:
    of = scored(name)
    chain = open_up(of, (0, 2))
    assert [node.key.layer for node in of_kind(chain, PartKind.STATE)] == [0, 1, 2, 3]
    single = [open_up(of, (layer, layer)) for layer in range(3)]
    ids = {edge.id: edge for edge in chain.edges}
    assert sum(len(graph.edges) for graph in single) == len(ids) == len(chain.edges)
    for graph in single:
        for edge in graph.edges:
            assert ids[edge.id].flow == pytest.approx(edge.flow, abs=1e-6)


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt_neox"])
@pytest.mark.parametrize("target", [FlowTarget(14, 7), FlowTarget(11, 3, 8)])
def test_any_target(name: str, target: FlowTarget) -> None:
    of = scored(name, target)
    graph = open_up(of, (0, 1), None)
    assert graph.position == target.position
    assert_conserved(graph, of.flow.scale)
    assert PartKind.ELSEWHERE not in kinds(graph)  # nothing flows from the target's place to others


def test_what_a_state_gives_elsewhere_is_the_sum_over_later_positions() -> None:
    of = scored("gpt2")
    graph = open_up(of, (1, 1), 4)
    elsewhere = of_kind(graph, PartKind.ELSEWHERE)
    drawn = of.flow.head_sources(1)  # head, query, source
    later = sum(float(drawn[head, query, 4]) for head in range(4) for query in range(5, 15))
    assert [node.flow for node in elsewhere] == [pytest.approx(later, rel=1e-4)]


@pytest.mark.parametrize("name", UNCOVERED)
def test_where_a_law_fails_no_flow_is_shown(name: str) -> None:
    of = scored(name)
    graph = open_up(of, (0, 1))
    assert not graph.checks.exact
    assert {node.flow for node in graph.nodes} == {edge.flow for edge in graph.edges} == {None}
    assert not kinds(graph) & {PartKind.REST, PartKind.ELSEWHERE}
    for kind in (PartKind.HEAD, PartKind.NEURON, PartKind.ATTENTION, PartKind.MLP):
        assert all(node.norm is node.projection is None for node in of_kind(graph, kind))
    assert all(node.projection for node in of_kind(graph, PartKind.STATE))
    logits = of.flow.trace.logits[TARGET.position]
    own = float(logits[TARGET.token] - logits[TARGET.contrast])
    assert graph.target.value == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("name", ["deepseek_v3", "mamba"])
def test_queries_that_cannot_be_read_are_not_read(name: str) -> None:
    graph = opened(name, (0, 0), settings=InsideSettings())
    assert not graph.checks.queries_exact
    for kind in (PartKind.QUERY, PartKind.HEAD_QUERY, PartKind.KEY):
        assert all(node.norm is node.projection is None for node in of_kind(graph, kind))


def test_a_wrong_flow_is_measured() -> None:
    of = scored("gpt2")
    good = open_up(of)
    model = of.flow.model
    block = model.blocks[1]
    wrong = replace(block.attention, b_V=torch.ones(4, 8))
    blocks = (model.blocks[0], replace(block, attention=wrong), model.blocks[2])
    broken = type(of)(replace(of.flow, model=replace(model, blocks=blocks)))
    broken.__dict__["errors"] = of.errors  # as though the whole flow had passed its laws
    request = InsideRequest("x", layers=(1, 1), at=10, settings=FEW)
    graph = open_blocks(model, broken, request)
    assert good.checks.exact
    assert graph.checks.flow_error > 1e-3
    assert {node.flow for node in graph.nodes} == {None}
