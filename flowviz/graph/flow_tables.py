"""The inspector's two tables: all that flows into a node and out of it, summed to its own flow.

The strongest flows and all that are drawn become rows; the others are one remainder, so that
nothing is left out (law 1). In the stream wiring the far ends are the states, heads and neurons
next to the node; in the circuit wiring they are the components of the whole pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch

from flowviz.flow import Flow
from flowviz.graph import circuit, stream
from flowviz.graph.bundles import Bundle, Link, read_out
from flowviz.graph.inspection import FlowRow, FlowTable
from flowviz.graph.opened import Opened, OpenedNode
from flowviz.graph.opened_links import (
    inside_output,
    into_opened,
    links_of_part,
    out_past_opened,
    through_opened,
    to_opened,
    to_parts,
)
from flowviz.graph.select import COMPONENTS, last_cut
from flowviz.graph.types import OUTPUTS, STATES, EdgeKind, FlowGraph, FlowNode, NodeKey, NodeKind
from flowviz.request import GraphSettings, Wiring
from flowviz.values import NodeValues

MOST_ROWS = 40
NOTHING = Opened()


@dataclass(frozen=True)
class Side:
    """One side of a node: its strongest and its drawn flows, and how many there are in all."""

    links: tuple[Link, ...]
    count: int


def flow_tables(
    flow: Flow,
    graph: FlowGraph,
    settings: GraphSettings,
    node: FlowNode,
    clean: Flow | None = None,
    opened: Opened = NOTHING,
) -> tuple[FlowTable, FlowTable]:
    """The inflows and the outflows of one node.

    Args:
        clean: the flow through the pass without interventions, where there are some.
        opened: the nodes that the graph draws as sums of their parts.
    """
    key = node.key
    sources = {edge.source for edge in graph.edges if edge.target == key}
    readers = {edge.target for edge in graph.edges if edge.source == key}
    into, out = _sides(flow, settings, key, sources, readers, opened.nodes)
    if clean is not None:
        first, last = ({link.far for link in side.links} for side in (into, out))
        before = _sides(clean, settings, key, first, last, opened.before)
        into, out = (_both(now, was) for now, was in zip((into, out), before, strict=True))
    return _table(into, node.flow, sources), _table(out, node.flow, readers)


def _sides(
    flow: Flow,
    settings: GraphSettings,
    key: NodeKey,
    sources: set[NodeKey],
    readers: set[NodeKey],
    nodes: tuple[OpenedNode, ...] = (),
) -> tuple[Side, Side]:
    """What flows in and out; those of `sources` and `readers` are among it."""
    along_stream = settings.wiring is Wiring.STREAM
    if nodes:
        return (
            _opened_inflows(flow, settings, key, sources, nodes),
            _opened_outflows(flow, key, readers, nodes, along_stream),
        )
    if along_stream:
        cut = last_cut(settings, flow.model.shape.layers)
        into = _from_bundles(stream.inflows(flow, key, cut), sources)
        return into, _from_bundles(stream.outflows(flow, key), readers)
    return _circuit_inflows(flow, key, sources), _circuit_outflows(flow, key, readers)


def _opened_inflows(
    flow: Flow,
    settings: GraphSettings,
    key: NodeKey,
    sources: set[NodeKey],
    nodes: tuple[OpenedNode, ...],
) -> Side:
    """What flows in, where nodes are opened."""
    along_stream = settings.wiring is Wiring.STREAM
    if key.part_of:
        return _side([to_opened(key, nodes)], sources)
    if key.kind in OUTPUTS:
        return _side(inside_output(flow, key), sources)
    if along_stream:
        plain = _from_bundles(
            stream.inflows(flow, key, last_cut(settings, flow.model.shape.layers)), sources
        )
    elif key.kind in STATES:
        values = into_opened(flow, key)
        plain = _from_values(values, EdgeKind.WRITE, sources)
    else:
        plain = _circuit_inflows(flow, key, sources)
    links = through_opened(flow, key, plain.links, nodes, along_stream)
    return _side(links, sources, plain.count - len(plain.links))


def _opened_outflows(
    flow: Flow,
    key: NodeKey,
    readers: set[NodeKey],
    nodes: tuple[OpenedNode, ...],
    along_stream: bool,
) -> Side:
    """What flows out, where nodes are opened."""
    own = next((node for node in nodes if node.key == key), None)
    if own is not None:
        return _side(to_parts(own), readers)
    if key.part_of:
        values, others = links_of_part(flow, key, nodes, along_stream)
        plain = _from_values(values, EdgeKind.READ, readers)
        plain = Side((*others, *plain.links), plain.count + len(others))
    elif along_stream:
        plain = _from_bundles(stream.outflows(flow, key), readers)
    else:
        plain = _circuit_outflows(flow, key, readers)
    links = out_past_opened(flow, key, plain.links, nodes, along_stream)
    return _side(links, readers, plain.count - len(plain.links))


def _side(links: Iterable[Link], drawn: set[NodeKey], more: int = 0) -> Side:
    """The strongest and the drawn of some links, and how many there are with those not listed."""
    links = [link for link in links if link.flow]
    order = sorted(links, key=lambda link: (link.far not in drawn, *_strongest(link)))
    return Side(tuple(order[: max(MOST_ROWS, len(drawn))]), len(links) + max(more, 0))


def _both(now: Side, before: Side) -> Side:
    """The flows of now with what they were; those that were strong and are no more among them."""
    were = {(link.far, link.kind): link for link in before.links}
    links = []
    for link in now.links:
        was = were.pop((link.far, link.kind), None)
        links.append(replace(link, before=0.0 if was is None else was.flow))
    gone = sorted(were.values(), key=_strongest)[:MOST_ROWS]
    links += [replace(was, flow=0.0, before=was.flow) for was in gone]
    return Side(tuple(links), max(now.count, len(links)))


def _table(side: Side, own: float, drawn: set[NodeKey]) -> FlowTable:
    """The drawn and the strongest as rows, the strongest first."""
    if not side.links:
        return FlowTable((), 0.0, 0)
    order = sorted(side.links, key=lambda link: (link.far not in drawn, *_strongest(link)))
    share = 1 / own if own else 0.0
    rows = [
        FlowRow(
            link.far,
            link.kind,
            link.flow,
            link.flow * share,
            link.far in drawn,
            link.weight,
            link.before,
        )
        for link in sorted(order[: max(MOST_ROWS, len(drawn))], key=_strongest)
    ]
    remainder = own - sum(row.flow for row in rows)
    return FlowTable(tuple(rows), remainder, side.count - len(rows))


def _strongest(link: Link) -> tuple[float, NodeKey]:
    return -link.size, link.far


def _from_bundles(bundles: Iterable[Bundle], drawn: set[NodeKey]) -> Side:
    links: list[Link] = []
    count = 0
    for bundle in bundles:
        places = bundle.flows.abs().topk(min(MOST_ROWS, bundle.flows.shape[0])).indices.tolist()
        wanted = {place for key in drawn if (place := _place(bundle, key)) is not None}
        found = read_out(bundle, sorted(wanted.union(places)))
        links += [link for link in found if link.flow]
        count += int(torch.count_nonzero(bundle.flows))
    return Side(tuple(links), count)


def _place(bundle: Bundle, key: NodeKey) -> int | None:
    return bundle.place(key) if key.kind is bundle.base.kind else None


def _from_values(values: NodeValues, kind: EdgeKind, drawn: set[NodeKey]) -> Side:
    sizes = values.each(torch.abs)
    keys = {key for each in COMPONENTS for _, key in sizes.strongest(each, MOST_ROWS)}
    keys |= {key for key in drawn if key.kind in COMPONENTS}
    links = tuple(Link(key, kind, amount, None) for key in keys if (amount := values[key]))
    return Side(links, values.count(COMPONENTS))


def _circuit_inflows(flow: Flow, key: NodeKey, drawn: set[NodeKey]) -> Side:
    kind = EdgeKind.WRITE if key.kind is NodeKind.TARGET else EdgeKind.READ
    side = _from_values(circuit.inflow_values(flow, key), kind, drawn)
    if key.kind is not NodeKind.HEAD:
        return side
    weights = flow.trace.blocks[key.layer].pattern[key.index, key.position].tolist()
    links = (replace(link, weight=weights[link.far.position]) for link in side.links)
    return Side(tuple(links), side.count)


def _circuit_outflows(flow: Flow, key: NodeKey, drawn: set[NodeKey]) -> Side:
    values, direct = circuit.outflow_values(flow, key)
    side = _from_values(values, EdgeKind.READ, drawn)
    if not direct:
        return side
    to_target = Link(stream.target_key(flow), EdgeKind.WRITE, direct, None)
    return Side((to_target, *side.links), side.count + 1)
