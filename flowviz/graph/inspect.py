"""A closer look at one node, drawn or not: all that flows in and out, and what its kind adds."""

from __future__ import annotations

from dataclasses import replace

import torch

from flowviz.errors import RequestError
from flowviz.flow import Flow
from flowviz.graph import stream
from flowviz.graph.describe import describe_nodes
from flowviz.graph.flow_tables import flow_tables
from flowviz.graph.inspection import (
    AttentionCell,
    FlowRow,
    FlowTable,
    Inspection,
    LensRow,
    NeuronReading,
)
from flowviz.graph.opened import Opened
from flowviz.graph.scored import Scored
from flowviz.graph.types import OUTPUTS, STATES, EdgeKind, FlowGraph, NodeKey, NodeKind
from flowviz.graph.unexplained import inspection_without_flow
from flowviz.graph.vectors import component_vectors, read_directions
from flowviz.lens import normed_components, normed_states, projections, read, to_logits
from flowviz.request import GraphSettings

LENS_TOKENS = 3
NOTHING = Opened()


def inspect_node(
    scored: Scored,
    graph: FlowGraph,
    settings: GraphSettings,
    key: NodeKey,
    opened: Opened = NOTHING,
) -> Inspection:
    """Everything the inspector shows of a node.

    Args:
        opened: the nodes that the graph draws as sums of their parts.

    Raises:
        RequestError: this pass has no such node, or it cannot reach the target.
    """
    flow = scored.flow
    if key.kind is NodeKind.REST:
        return _inspect_rest(graph, key)
    if (key.part_of or key.kind in OUTPUTS) and not opened.has(key):
        raise RequestError(
            f"The picture has no node {key}: the node that it belongs to is not opened. Open that "
            "one into its factors first."
        )
    if key != stream.target_key(flow) and not (flow.has(key) or opened.has(key)):
        raise RequestError(
            f"This pass has no node {key}: it has {flow.model.shape.layers} blocks and "
            f"{flow.positions} positions up to the target. Click a node in the graph."
        )
    ranking = scored.ranking(settings.score)
    node = describe_nodes(scored, (key,), ranking, settings.score, k=10, opened=opened)[0]
    clean = None if scored.changed is None else scored.changed.clean.flow
    into, out = flow_tables(flow, graph, settings, node, clean, opened)
    inspection = Inspection(
        node=node,
        inflows=into,
        outflows=out,
        attention=_attention(flow, key, clean) if key.kind is NodeKind.HEAD else None,
        lens=_lens_before(flow, key.position, clean) if key.kind in STATES else None,
        neuron=_neuron(flow, key) if key.kind is NodeKind.NEURON else None,
    )
    return inspection if graph.checks.exact else inspection_without_flow(inspection)


def _inspect_rest(graph: FlowGraph, key: NodeKey) -> Inspection:
    node = graph.node(key)
    if node is None:
        raise RequestError(f"The graph has no rest node {key}. Click a node in the graph.")
    none = FlowTable((), 0.0, 0)
    row = FlowRow(key.cut(), EdgeKind.REST, node.flow, 1.0, drawn=True)
    return Inspection(node, none, FlowTable((row,), 0.0, 0))


def _attention(flow: Flow, key: NodeKey, clean: Flow | None) -> tuple[AttentionCell, ...]:
    layer, head, at = key.layer, key.index, key.position
    weights = flow.trace.blocks[layer].pattern[head, at, : at + 1].tolist()
    flows = flow.head_row(layer, head, at)[: at + 1].tolist()
    before: list[float | None] = [None] * len(weights)
    if clean is not None:
        before = clean.trace.blocks[layer].pattern[head, at, : at + 1].tolist()
    text = flow.model.vocabulary.text
    return tuple(
        AttentionCell(place, text(flow.trace.ids[place]), *numbers)
        for place, numbers in enumerate(zip(weights, flows, before, strict=True))
    )


def _lens_before(flow: Flow, at: int, clean: Flow | None) -> tuple[LensRow, ...]:
    rows = _lens(flow, at)
    if clean is None:
        return rows
    return tuple(
        replace(row, before=was.projection.target_probability)
        for row, was in zip(rows, _lens(clean, at), strict=True)
    )


def _lens(flow: Flow, at: int) -> tuple[LensRow, ...]:
    layers = range(flow.model.shape.layers)
    between = () if flow.model.shape.parallel else (NodeKind.RESID_MID,)
    kinds = (NodeKind.RESID_PRE, *between)
    keys = [NodeKey(kind, layer, at) for layer in layers for kind in kinds]
    keys.append(NodeKey(NodeKind.RESID_FINAL, len(layers), at))
    normed = normed_states(flow.model, component_vectors(flow, keys))
    is_state = torch.ones(len(keys), dtype=torch.bool, device=normed.device)
    logits = to_logits(flow.model, normed, is_state)
    readings = read(logits, flow.target.token, LENS_TOKENS)
    return tuple(map(LensRow, keys, projections(flow.model, readings)))


def _neuron(flow: Flow, key: NodeKey) -> NeuronReading:
    """The neuron's weights as tokens: what it looks for, and what it then writes."""
    block, part = flow.model.blocks[key.layer], flow.trace.blocks[key.layer]
    activation = float(part.post[key.position, key.index])
    index = torch.tensor([key.index], device=part.post.device)
    looks_for = read_directions(flow, key.layer, index)[0]
    post_scale = None if part.ln2_post_scale is None else part.ln2_post_scale[key.position]
    writes = block.onto_stream(
        block.mlp.post, block.mlp.writes(index)[0].to(index.device), post_scale
    )
    scale = flow.trace.final_scale[key.position]
    vectors = torch.stack([looks_for, writes * (-1.0 if activation < 0 else 1.0)]).to(scale.device)
    normed = normed_components(flow.model, vectors, scale[None].expand(2, 1))
    logits = to_logits(flow.model, normed, torch.zeros(2, dtype=torch.bool, device=scale.device))
    looked, written = projections(flow.model, read(logits, flow.target.token, 10))
    return NeuronReading(activation, looked, written)
