"""All that flows into and out of one node where some are opened: for the inspector's tables.

What is drawn follows `opened_edges`; here every part counts, drawn or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch

from flowviz.flow import Flow
from flowviz.graph import circuit, stream
from flowviz.graph.bundles import Link
from flowviz.graph.circuit import Reading
from flowviz.graph.edges import link_between
from flowviz.graph.opened import (
    OpenedNode,
    gradient_at,
    members,
    next_state,
    node_vector,
    step_behind,
)
from flowviz.graph.opened_edges import (
    open_ways,
    read_along,
    reader_of,
    values_out,
    written_parts,
)
from flowviz.graph.types import BIAS_NAMES, OUTPUTS, EdgeKind, NodeKey, NodeKind
from flowviz.graph.vectors import component_vectors, written_bias
from flowviz.values import NodeValues

Nodes = Sequence[OpenedNode]
READERS = frozenset({NodeKind.HEAD, NodeKind.NEURON, NodeKind.TARGET})


def to_opened(part: NodeKey, nodes: Nodes) -> Link:
    """A part's only inflow: its node."""
    node = _node(part.whole(), nodes)
    flow = node.flows[node.keys.index(part)] if node and part in node.keys else 0.0
    return Link(part.whole(), EdgeKind.PART, flow, None)


def to_parts(node: OpenedNode) -> list[Link]:
    """An opened node's outflows: its parts, drawn or not."""
    pairs = zip(node.keys, node.flows, strict=True)
    return [Link(key, EdgeKind.PART, flow, None) for key, flow in pairs]


def _node(key: NodeKey, nodes: Nodes) -> OpenedNode | None:
    return next((node for node in nodes if node.key == key), None)


@torch.inference_mode()
def inside_output(flow: Flow, key: NodeKey) -> list[Link]:
    """What an opened sublayer's output gathers."""
    own = sorted(members(flow, key))
    gradient = gradient_at(flow, key)
    biases = [each for each in own if each.kind is NodeKind.BIAS]
    written = [
        written_bias(flow, key.layer, BIAS_NAMES[each.index])[key.position] for each in biases
    ]
    writers = [each for each in own if each.kind is not NodeKind.BIAS]
    flows = torch.cat([torch.stack(written), component_vectors(flow, writers)]) @ gradient
    pairs = zip([*biases, *writers], flows.tolist(), strict=True)
    return [Link(far, EdgeKind.WRITE, amount, None) for far, amount in pairs]


def into_opened(flow: Flow, key: NodeKey) -> NodeValues:
    """What every component gives to a hidden state, by the circuit."""
    share = torch.zeros_like(flow.trace.resid_final[: flow.positions, 0])
    share[key.position] = 1
    how = Reading(gradient_at(flow, key), share, flow.trace.resid_final[: flow.positions])
    return circuit.read_values(flow, how, step_behind(flow, key) // 2)


@torch.inference_mode()
def through_opened(
    flow: Flow, key: NodeKey, links: Iterable[Link], nodes: Nodes, along_stream: bool
) -> list[Link]:
    """Inflows with the parts of opened nodes in place of what reaches the node through them."""
    if along_stream:
        return _along_stream(flow, key, list(links), nodes)
    links = list(links)
    own = _node(key, nodes)
    if own is None and key.kind not in READERS:
        return links
    reader = circuit.readers_of(flow, [key]) if own is None else [reader_of(flow, own)]
    outer = [link for link in links if circuit.written(flow, link.far) is not None]
    fars = [link.far for link in outer]
    sources = circuit.written_by(flow, fars)
    ways = open_ways(flow, nodes, (fars, sources), ([key], reader))[:, 0].tolist()
    kept = [link for link, way in zip(outer, ways, strict=True) if way]
    inner = [link for link in links if link not in outer]
    parts, spread = written_parts(flow, nodes), [part for node in nodes for part in node.keys]
    flows = circuit.flows_read(flow, parts, reader)
    flows = (flows * open_ways(flow, nodes, (spread, parts), ([key], reader)))[:, 0].tolist()
    pairs = zip(spread, flows, strict=True)
    return [
        *kept,
        *inner,
        *(link_between(flow, far, key, amount) for far, amount in pairs if amount),
    ]


def _along_stream(flow: Flow, key: NodeKey, links: list[Link], nodes: Nodes) -> list[Link]:
    for node in nodes:
        is_behind = node.key.kind in OUTPUTS and next_state(flow, node.key) == key
        gone = members(flow, node.key) if is_behind else {node.key}
        found = [link for link in links if link.far in gone]
        if not found:
            continue
        flows = (node.vectors @ read_along(flow, node, key)).tolist()
        kind = EdgeKind.WRITE if is_behind else found[0].kind
        links = [link for link in links if link.far not in gone]
        weight = None if is_behind else found[0].weight
        links += [
            Link(part, kind, amount, weight) for part, amount in zip(node.keys, flows, strict=True)
        ]
    return links


@torch.inference_mode()
def links_of_part(
    flow: Flow, part: NodeKey, nodes: Nodes, along_stream: bool
) -> tuple[NodeValues, list[Link]]:
    """What a part of an opened node sends on: to heads and neurons, and to whatever else."""
    node = _node(part.whole(), nodes)
    known = node is not None and part in node.keys
    vector = node.vectors[node.keys.index(part)] if known and node else None
    key = part.whole()
    vector = torch.zeros_like(node_vector(flow, key)) if vector is None else vector
    values, direct = values_out(flow, key, vector)
    end = Link(stream.target_key(flow), EdgeKind.WRITE, direct, None)
    if not along_stream:
        return values, [end]
    if key.kind in OUTPUTS:
        amount = float(vector @ gradient_at(flow, key))
        return values.each(torch.zeros_like), [
            Link(next_state(flow, key), EdgeKind.WRITE, amount, None)
        ]
    return _only_next(flow, key, values), _onwards(flow, key, vector)


def _only_next(flow: Flow, key: NodeKey, values: NodeValues) -> NodeValues:
    """Of what a state gives to heads and neurons, that to those of its own block that read it."""
    kept = values.each(torch.zeros_like)
    if key.kind is NodeKind.RESID_FINAL:
        return kept
    if key.kind is NodeKind.RESID_PRE:
        kept.heads[key.layer] = values.heads[key.layer]
    if key.kind is NodeKind.RESID_MID or flow.model.blocks[key.layer].parallel:
        kept.neurons[key.layer] = values.neurons[key.layer]
    return kept


def _onwards(flow: Flow, key: NodeKey, vector: torch.Tensor) -> list[Link]:
    """The edge along the stream, or into the target."""
    if key.kind is NodeKind.RESID_FINAL:
        amount = float(vector @ gradient_at(flow, key))
        return [Link(stream.target_key(flow), EdgeKind.WRITE, amount, None)]
    late = key.kind is NodeKind.RESID_MID
    block = flow.blocks[key.layer]
    along = block.into_post if late else block.into_mid
    following = NodeKey(NodeKind.MLP_OUT if late else NodeKind.ATTN_OUT, key.layer, key.position)
    amount = float(vector @ along[key.position])
    return [Link(next_state(flow, following), EdgeKind.RESIDUAL, amount, None)]


@torch.inference_mode()
def out_past_opened(
    flow: Flow, key: NodeKey, links: Iterable[Link], nodes: Nodes, along_stream: bool
) -> list[Link]:
    """Outflows, with opened nodes in place of what is reached through them."""
    links = list(links)
    if along_stream:
        output = next((node.key for node in nodes if node.key.kind in OUTPUTS
                       and key in members(flow, node.key)), None)  # fmt: skip
        return [replace(link, far=output) for link in links] if output else links
    if key.part_of:
        (own,) = [node for node in nodes if node.key == key.whole()]
        source = written_parts(flow, [own.only([key])])
    elif circuit.written(flow, key) is None:
        return links
    else:
        source = circuit.written_by(flow, [key])
    fars = [link.far for link in links if link.far.kind in READERS]
    readers = circuit.readers_of(flow, fars)
    ways = open_ways(flow, nodes, ([key], source), (fars, readers))[0].tolist()
    open_to = {far for far, way in zip(fars, ways, strict=True) if way}
    through = [reader_of(flow, node) for node in nodes]
    opened = [node.key for node in nodes]
    flows = circuit.flows_read(flow, source, through)
    flows = (flows * open_ways(flow, nodes, ([key], source), (opened, through)))[0].tolist()
    found = [
        Link(far, EdgeKind.WRITE, amount, None) for far, amount in zip(opened, flows, strict=True)
    ]
    return [*(link for link in links if link.far in open_to), *found]
