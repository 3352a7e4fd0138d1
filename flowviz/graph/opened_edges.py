"""The edges of opened nodes, in both wirings; see `opened`.

*stream*: what flows from the node to a reader flows from its parts instead. What a sublayer adds
gathers the edges of its heads or neurons, and its parts flow on into the state behind.
*circuit*: states are cut out there. One that is opened is put back, at its position: whatever was
written before it and is read behind it goes through it, and no more past it.

Into each part goes one edge, from its node. Parts that are not drawn are left to the rest of those
who read them, as all that is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph import circuit, stream
from flowviz.graph.bundles import Link, read_out
from flowviz.graph.circuit import Reader, Reading, Written
from flowviz.graph.edges import Inflow, circuit_inflows, link_between
from flowviz.graph.opened import (
    Opened,
    OpenedNode,
    depth_of,
    members,
    next_state,
    node_vector,
    step_behind,
)
from flowviz.graph.types import OUTPUTS, STATES, EdgeKind, NodeKey, NodeKind
from flowviz.values import NodeValues

Inflows = dict[NodeKey, Inflow]


def open_stream(flow: Flow, inflows: Inflows, nodes: Sequence[OpenedNode]) -> Inflows:
    """Inflows along the stream, with nodes opened."""
    inflows = dict(inflows)
    for node in nodes:
        if node.key.kind in OUTPUTS:
            _gather(flow, inflows, node)
    for node in nodes:
        for reader, inflow in list(inflows.items()):
            inflows[reader] = _split(flow, inflow, node, reader)
        inflows |= _parts(node)
    return inflows


def _gather(flow: Flow, inflows: Inflows, node: OpenedNode) -> None:
    """What a sublayer adds, between its heads or neurons and the state behind them."""
    behind = next_state(flow, node.key)
    into, inside = inflows.get(behind), members(flow, node.key)
    if into is None:
        return
    own = tuple(link for link in into.links if link.far in inside)
    size = sum(link.size for link in own) + abs(node.flow - sum(link.flow for link in own))
    inflows[node.key] = Inflow(own, node.flow, size)
    others = tuple(link for link in into.links if link.far not in inside)
    link = Link(node.key, EdgeKind.WRITE, node.flow, None)
    size = max(into.magnitude - sum(each.size for each in own), 0.0) + link.size
    inflows[behind] = replace(into, links=(*others, link), magnitude=size)


def _split(flow: Flow, inflow: Inflow, node: OpenedNode, reader: NodeKey) -> Inflow:
    """A reader's inflows, with the node's parts in place of the node."""
    found = next((link for link in inflow.links if link.far == node.key), None)
    if found is None:
        return inflow
    flows = (node.vectors @ read_along(flow, node, reader)).tolist()
    parts = [replace(found, far=key, flow=part) for key, part in zip(node.keys, flows, strict=True)]
    others = [link for link in inflow.links if link is not found]
    size = inflow.magnitude - found.size + sum(part.size for part in parts)
    return replace(inflow, links=(*others, *parts), magnitude=size)


def read_along(flow: Flow, node: OpenedNode, reader: NodeKey) -> Tensor:
    """The gradient of one edge: what a vector at the node sends along it."""
    if reader.kind in (NodeKind.HEAD, NodeKind.NEURON):
        how = circuit.reading(flow, reader)
        return how.direction * how.share[node.key.position]
    if reader.kind in STATES and node.key.kind in STATES:
        block = flow.blocks[node.key.layer]
        into = block.into_mid if node.key.kind is NodeKind.RESID_PRE else block.into_post
        return into[node.key.position]
    return node.gradient  # the target, or the state that a sublayer writes to


def _parts(node: OpenedNode) -> Inflows:
    """Each part's only inflow: the node."""
    return {
        key: Inflow((Link(node.key, EdgeKind.PART, flow, None),), flow, abs(flow))
        for key, flow in zip(node.keys, node.flows, strict=True)
    }


def open_circuit(flow: Flow, keys: list[NodeKey], nodes: Sequence[OpenedNode]) -> Inflows:
    """Inflows from component to component, with opened nodes put back."""
    inflows = circuit_inflows(flow, keys)
    if not nodes:
        return inflows
    components = [key for key in keys if circuit.written(flow, key) is not None]
    parts = [key for node in nodes for key in node.keys]
    sources = circuit.written_by(flow, components).and_then(written_parts(flow, nodes))
    inner = [key for key in keys if circuit.reads(flow, key) is not None]
    readers = [*circuit.readers_of(flow, inner), *(reader_of(flow, node) for node in nodes)]
    flows = circuit.flows_read(flow, sources, readers)
    keys = [*inner, *(node.key for node in nodes)]
    flows = flows * open_ways(flow, nodes, ([*components, *parts], sources), (keys, readers))
    own = {node.key: node.flow for node in nodes}
    for place, reader in enumerate([*inner, *own]):
        row = zip([*components, *parts], flows[:, place].tolist(), strict=True)
        found = [link_between(flow, far, reader, amount) for far, amount in row if amount]
        whole = own[reader] if reader in own else inflows[reader].total
        if reader in inflows:  # biases inside it
            found += [link for link in inflows[reader].links if link.far not in components]
        size = sum(link.size for link in found) + abs(whole - sum(link.flow for link in found))
        inflows[reader] = Inflow(tuple(found), whole, size)
    for node in nodes:
        inflows |= _parts(node)
    return inflows


def written_parts(flow: Flow, nodes: Iterable[OpenedNode]) -> Written:
    """What the parts of opened nodes are to those who read them."""
    nodes = list(nodes)
    spread = [node for node in nodes for _ in node.keys]
    return Written(
        torch.cat([node.vectors for node in nodes]),
        [float(depth_of(flow, node.key)) for node in spread],
        [step_behind(flow, node.key) for node in spread],
        [node.key.position for node in spread],
    )


def reader_of(flow: Flow, node: OpenedNode) -> Reader:
    """How an opened node reads what it is the sum of."""
    state = flow.trace.resid_final[: flow.positions]
    share = torch.zeros_like(state[:, 0])
    share[node.key.position] = 1
    is_output = node.key.kind in OUTPUTS
    depth = depth_of(flow, node.key) + 0.5 * is_output  # it reads what stands at its own depth
    how = Reading(node.gradient, share, state)
    return Reader(how, float(depth), step_behind(flow, node.key))


def open_ways(
    flow: Flow,
    nodes: Iterable[OpenedNode],
    sources: tuple[list[NodeKey], Written],
    readers: tuple[list[NodeKey], list[Reader]],
) -> Tensor:
    """Which sources reach which readers without passing an opened node: 1 where they do, else 0."""
    opened = [node.key for node in nodes]
    inside = {key: members(flow, key) for key in opened if key.kind in OUTPUTS}
    gates = [(key.position, depth_of(flow, key)) for key in opened if key.kind in STATES]
    ways = torch.ones(len(sources[0]), len(readers[0]), device=sources[1].vectors.device)
    seen = torch.tensor([reader.depth for reader in readers[1]], device=ways.device)
    outputs = torch.tensor([key in inside for key in readers[0]], device=ways.device)
    for row, (source, depth) in enumerate(zip(sources[0], sources[1].depths, strict=True)):
        output = next((key for key, own in inside.items() if source in own), None)
        if output is not None:
            ways[row] = torch.tensor([key == output for key in readers[0]]).to(ways)
            continue
        beyond = [gate for at, gate in gates if at == source.position and gate > depth]
        gate = min(beyond, default=float("inf"))
        ways[row] = (~outputs & (seen <= gate)).to(ways)
    return ways


def leading_on(
    flow: Flow, key: NodeKey, drawn: Iterable[NodeKey], cut: int | None, along_stream: bool
) -> list[NodeKey] | None:
    """The strongest way from an opened node to what is drawn; None where nothing flows on.

    Returns:
        nodes to draw as well, the opened one not among them.
    """
    drawn, way = set(drawn), list[NodeKey]()
    end, here = stream.target_key(flow), key
    while here not in drawn:
        if along_stream and here.kind is NodeKind.RESID_PRE and cut is not None:
            if here.layer > cut:
                return None
            if here.layer == cut:
                return way
        following = _strongest_out(flow, here, along_stream)
        if following is None:
            return None
        if following == end:
            return way
        way.append(following)
        here = following
    return way


def _strongest_out(flow: Flow, key: NodeKey, along_stream: bool) -> NodeKey | None:
    links = list(_out_along_stream(flow, key) if along_stream else _out_of_component(flow, key))
    links = [link for link in links if link.flow]
    return min(links, key=lambda link: (-link.size, link.far)).far if links else None


def _out_along_stream(flow: Flow, key: NodeKey) -> Iterator[Link]:
    if key.kind in OUTPUTS:
        yield Link(next_state(flow, key), EdgeKind.WRITE, 1.0, None)
        return
    for bundle in stream.outflows(flow, key):
        yield from read_out(bundle, [int(bundle.flows.abs().argmax())])


def _out_of_component(flow: Flow, key: NodeKey) -> Iterator[Link]:
    values, direct = values_out(flow, key)
    sizes = values.each(torch.abs)
    for kind in (NodeKind.HEAD, NodeKind.NEURON):
        for amount, far in sizes.strongest(kind, 1)[:1]:
            yield Link(far, EdgeKind.READ, amount, None)
    yield Link(stream.target_key(flow), EdgeKind.WRITE, direct, None)


def values_out(flow: Flow, key: NodeKey, vector: Tensor | None = None) -> tuple[NodeValues, float]:
    """What a node sends into every head and neuron, and straight into the target, by the circuit.

    Args:
        vector: of an opened node, only this part of it.
    """
    if key.kind not in OUTPUTS | STATES:
        return circuit.outflow_values(flow, key)
    vector = node_vector(flow, key) if vector is None else vector
    place = depth_of(flow, key), step_behind(flow, key)
    return circuit.vector_values(flow, vector, key.position, *place)


def opened_influence(flow: Flow, opened: Opened, ranking: NodeValues) -> dict[NodeKey, float]:
    """Opened outputs have the influence of what they gather; parts share their node's by flow."""
    found = dict[NodeKey, float]()
    for node in opened.nodes:
        whole = _influence(flow, node.key, ranking)
        if node.key.kind in OUTPUTS:
            found[node.key] = whole
        were = opened.node_before(node.key)
        flows = [abs(flow) for each in (node, were) if each for flow in each.flows]
        for key in opened.drawn(node.key):
            size = max(abs(opened.flow(key)), abs(opened.flow_before(key)))
            found[key] = whole * size / max(sum(flows), 1e-30)
    return found


def _influence(flow: Flow, key: NodeKey, ranking: NodeValues) -> float:
    if key.kind not in OUTPUTS:
        return ranking[key]
    return min(sum(ranking[each] for each in members(flow, key)), 1.0)
