"""A closer look at one node, drawn or not: all that flows in and out, and what its kind adds.

In the stream wiring the far ends are states, heads and neurons next to it; in the circuit wiring
they are the components of the whole pass. Either way the rows and their remainder sum to the
node's flow.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from flowviz.errors import RequestError
from flowviz.flow import Flow
from flowviz.graph import circuit, stream
from flowviz.graph.build import Scored, describe_nodes
from flowviz.graph.bundles import Bundle, read_out
from flowviz.graph.inspection import (
    AttentionCell,
    FlowRow,
    FlowTable,
    Inspection,
    LensRow,
    NeuronReading,
)
from flowviz.graph.select import COMPONENTS, last_cut
from flowviz.graph.types import STATES, EdgeKind, FlowGraph, NodeKey, NodeKind
from flowviz.graph.vectors import component_vectors
from flowviz.lens import normed_components, normed_states, projections, read, to_logits
from flowviz.models.loaded import exact
from flowviz.request import GraphSettings, Wiring
from flowviz.values import NodeValues

MOST_ROWS = 40
LENS_TOKENS = 3


def inspect_node(
    scored: Scored, graph: FlowGraph, settings: GraphSettings, key: NodeKey
) -> Inspection:
    """Everything the inspector shows of a node.

    Raises:
        RequestError: this pass has no such node, or it cannot reach the target.
    """
    flow = scored.flow
    if key.kind is NodeKind.REST:
        return _inspect_rest(graph, key)
    if key != stream.target_key(flow) and not flow.values.has(key):
        raise RequestError(
            f"This pass has no node {key}: it has {flow.model.shape.layers} blocks and "
            f"{flow.positions} positions up to the target. Click a node in the graph."
        )
    node = describe_nodes(scored, (key,), scored.ranking(settings.score), settings.score, k=10)[0]
    drawn = {(edge.source, edge.target) for edge in graph.edges}
    into, out = _tables(flow, settings, key, node.flow, drawn)
    return Inspection(
        node=node,
        inflows=into,
        outflows=out,
        attention=_attention(flow, key) if key.kind is NodeKind.HEAD else None,
        lens=_lens(flow, key.position) if key.kind in STATES else None,
        neuron=_neuron(flow, key) if key.kind is NodeKind.NEURON else None,
    )


def _inspect_rest(graph: FlowGraph, key: NodeKey) -> Inspection:
    node = graph.node(key)
    if node is None:
        raise RequestError(f"The graph has no rest node {key}. Click a node in the graph.")
    none = FlowTable((), 0.0, 0)
    row = FlowRow(key.cut(), EdgeKind.REST, node.flow, 1.0, drawn=True)
    return Inspection(node, none, FlowTable((row,), 0.0, 0))


def _tables(
    flow: Flow,
    settings: GraphSettings,
    key: NodeKey,
    own: float,
    drawn: set[tuple[NodeKey, NodeKey]],
) -> tuple[FlowTable, FlowTable]:
    if settings.wiring is Wiring.STREAM:
        into = stream.inflows(flow, key, last_cut(settings, flow.model.shape.layers))
        sides = _from_bundles(into), _from_bundles(stream.outflows(flow, key))
    else:
        sides = _circuit_inflows(flow, key), _circuit_outflows(flow, key)
    inward, outward = sides
    pairs_in = [(far, key) for far, *_ in inward]
    pairs_out = [(key, far) for far, *_ in outward]
    return (
        _table(inward, own if inward else 0.0, pairs_in, drawn),
        _table(outward, own if outward else 0.0, pairs_out, drawn),
    )


Far = tuple[NodeKey, EdgeKind, float, float | None]


def _table(
    fars: list[Far],
    own: float,
    pairs: list[tuple[NodeKey, NodeKey]],
    drawn: set[tuple[NodeKey, NodeKey]],
) -> FlowTable:
    """The strongest as rows, and always those that are drawn."""
    order = sorted(
        range(len(fars)), key=lambda i: (pairs[i] not in drawn, -abs(fars[i][2]), fars[i][0])
    )
    shown, hidden = order[:MOST_ROWS], order[MOST_ROWS:]
    share = 1 / own if own else 0.0
    rows = [
        FlowRow(far, kind, amount, amount * share, pairs[i] in drawn, weight)
        for i in shown
        for far, kind, amount, weight in [fars[i]]
    ]
    rows.sort(key=lambda row: (-abs(row.flow), row.other))
    # Law 1: the rows leave of the node's own flow what the others carry.
    return FlowTable(tuple(rows), own - sum(row.flow for row in rows), len(hidden))


def _from_bundles(bundles: list[Bundle]) -> list[Far]:
    fars: list[Far] = []
    for bundle in bundles:
        places = bundle.flows.nonzero().flatten().tolist()
        for link in read_out(bundle, places):
            fars.append((link.far, link.kind, link.flow, link.weight))
    return fars


def _from_values(values: NodeValues, kind: EdgeKind) -> list[Far]:
    """The strongest of what every component sends or takes; the others stay in the remainder."""
    sizes = replace(values, **{name: part.abs() for name, part in vars(values).items()})
    return [
        (key, kind, values[key], None)
        for node_kind in sorted(COMPONENTS)
        for _, key in sizes.strongest(node_kind, 4 * MOST_ROWS)
    ]


def _circuit_inflows(flow: Flow, key: NodeKey) -> list[Far]:
    kind = EdgeKind.WRITE if key.kind is NodeKind.TARGET else EdgeKind.READ
    fars = _from_values(circuit.inflow_values(flow, key), kind)
    if key.kind is not NodeKind.HEAD:
        return fars
    weights = flow.trace.blocks[key.layer].pattern[key.index, key.position].tolist()
    return [(far, way, amount, weights[far.position]) for far, way, amount, _ in fars]


def _circuit_outflows(flow: Flow, key: NodeKey) -> list[Far]:
    values, direct = circuit.outflow_values(flow, key)
    fars = _from_values(values, EdgeKind.READ)
    return [(stream.target_key(flow), EdgeKind.WRITE, direct, None), *fars] if direct else fars


def _attention(flow: Flow, key: NodeKey) -> tuple[AttentionCell, ...]:
    layer, head, at = key.layer, key.index, key.position
    weights = flow.trace.blocks[layer].pattern[head, at, : at + 1].tolist()
    flows = flow.head_row(layer, head, at)[: at + 1].tolist()
    text = flow.model.vocabulary.text
    return tuple(
        AttentionCell(place, text(flow.trace.ids[place]), weight, amount)
        for place, (weight, amount) in enumerate(zip(weights, flows, strict=True))
    )


def _lens(flow: Flow, at: int) -> tuple[LensRow, ...]:
    layers = range(flow.model.shape.layers)
    kinds = (NodeKind.RESID_PRE, NodeKind.RESID_MID)
    keys = [NodeKey(kind, layer, at) for layer in layers for kind in kinds]
    keys.append(NodeKey(NodeKind.RESID_FINAL, len(layers), at))
    normed = normed_states(flow.model, component_vectors(flow, keys))
    logits = to_logits(flow.model, normed, torch.ones(len(keys), dtype=torch.bool))
    readings = read(logits, flow.target.token, LENS_TOKENS)
    return tuple(map(LensRow, keys, projections(flow.model, readings)))


def _neuron(flow: Flow, key: NodeKey) -> NeuronReading:
    """The neuron's weights as tokens: what it looks for, and what it then writes."""
    block = flow.model.blocks[key.layer]
    activation = float(flow.trace.blocks[key.layer].post[key.position, key.index])
    looks_for = exact(block.ln2.weight * block.W_in[:, key.index])
    writes = exact(block.W_out[key.index]) * (-1.0 if activation < 0 else 1.0)
    scale = flow.trace.final_scale[key.position]
    vectors = torch.stack([looks_for, writes])
    normed = normed_components(flow.model, vectors, scale[None].expand(2, 1))
    logits = to_logits(flow.model, normed, torch.zeros(2, dtype=torch.bool))
    looked, written = projections(flow.model, read(logits, flow.target.token, 10))
    return NeuronReading(activation, looked, written)
