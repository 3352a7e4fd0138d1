"""Drawn edges: all edges between drawn nodes, then only what matters, then rest.

1. Read out every edge between two drawn nodes, and for each node the sum of all its inflows.
2. Each edge's influence is its node's, shared out by absolute flow.
3. Keep the edges with the largest influence to the coverage asked for, as many as may be drawn;
   and of every node the strongest edge that leads on, so that pruning cuts none off. A node that is
   opened keeps the edges to all its parts, and each part one that leads on.
4. Remove nodes from which no edge leads on to the target, until none is left.
5. What flows into a node and is not drawn becomes its rest (law 3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from flowviz.flow import Flow
from flowviz.graph import circuit, stream
from flowviz.graph.bundles import Link, links, magnitude, total
from flowviz.graph.select import Selection
from flowviz.graph.types import (
    BIAS_NAMES,
    OPENABLE,
    SOURCES,
    EdgeKind,
    FlowEdge,
    NodeKey,
    NodeKind,
)
from flowviz.graph.vectors import WRITTEN_BIASES

MOST_ELEMENTS = 1000
ROUNDS = 4


@dataclass(frozen=True)
class Inflow:
    """What flows into one drawn node.

    Args:
        links: its edges to drawn nodes.
        total: the sum of all its inflows, drawn or not.
        magnitude: the sum of their absolute values, as far as it is known.
        before: the total without interventions; None where there are none.
    """

    links: tuple[Link, ...]
    total: float
    magnitude: float
    before: float | None = None


@dataclass(frozen=True)
class Drawn:
    """What is left to draw: nodes in their order, edges, and the rest of each node.

    Args:
        before: of each node all that flowed in without interventions, where there are some.
    """

    keys: tuple[NodeKey, ...]
    edges: tuple[FlowEdge, ...]
    rest: dict[NodeKey, float]
    before: Mapping[NodeKey, float | None] = field(default_factory=dict)


def stream_inflows(flow: Flow, keys: list[NodeKey], cut: int | None) -> dict[NodeKey, Inflow]:
    """The inflows of each drawn node along the stream."""
    inflows: dict[NodeKey, Inflow] = {}
    for key in keys:
        if key.kind in SOURCES:
            continue
        bundles = stream.inflows(flow, key, cut)
        whole = flow.value if key.kind is NodeKind.TARGET and cut else total(bundles)
        inflows[key] = Inflow(tuple(links(bundles, keys)), whole, magnitude(bundles))
    return inflows


def circuit_inflows(flow: Flow, keys: list[NodeKey]) -> dict[NodeKey, Inflow]:
    """The inflows of each drawn node from the components before it."""
    readers = [key for key in keys if circuit.reads(flow, key) is not None]
    sources = [key for key in keys if circuit.written(flow, key) is not None]
    flows = circuit.flows_between(flow, sources, readers).T.tolist() if sources else []
    inner = [key for key in keys if key.kind is NodeKind.BIAS and not _is_written(key)]
    inflows: dict[NodeKey, Inflow] = {}
    for place, reader in enumerate(readers):
        row = flows[place] if flows else []
        found = [
            link_between(flow, s, reader, f) for s, f in zip(sources, row, strict=True) if f != 0
        ]
        found += links(circuit.bias_bundles(flow, reader), inner)
        whole = circuit.inflow_total(flow, reader)
        shown = sum(link.flow for link in found)
        size = sum(abs(link.flow) for link in found) + abs(whole - shown)
        inflows[reader] = Inflow(tuple(found), whole, size)
    return inflows


def _is_written(key: NodeKey) -> bool:
    return BIAS_NAMES[key.index] in WRITTEN_BIASES


def link_between(flow: Flow, source: NodeKey, reader: NodeKey, amount: float) -> Link:
    """An edge of the circuit wiring."""
    if reader.kind in OPENABLE:
        return Link(source, EdgeKind.WRITE, amount, None)
    if reader.kind is not NodeKind.HEAD:
        kind = EdgeKind.WRITE if reader.kind is NodeKind.TARGET else EdgeKind.READ
        return Link(source, kind, amount, None)
    pattern = flow.trace.blocks[reader.layer].pattern
    weight = float(pattern[reader.index, reader.position, source.position])
    return Link(source, EdgeKind.READ, amount, weight)


def draw(inflows: dict[NodeKey, Inflow], influence: dict[NodeKey, float], coverage: float) -> Drawn:
    """Prunes edges, drops what became disconnected, and adds up what is left out."""
    target = next(key for key in inflows if key.kind is NodeKind.TARGET)
    keys = [target, *(key for key in influence if key != target)]
    edges = _prune(_all_edges(inflows, influence), coverage, len(keys))
    connected = _leading_to(target, edges)
    edges = [edge for edge in edges if edge.target in connected]
    shown: dict[NodeKey, float] = defaultdict(float)
    for edge in edges:
        shown[edge.target] += edge.flow
    rest = {key: inflow.total - shown[key] for key, inflow in inflows.items() if key in connected}
    before = {key: inflows[key].before for key in rest}
    return Drawn(tuple(key for key in keys if key in connected), tuple(edges), rest, before)


def drawn_connected(
    choose: Callable[[frozenset[NodeKey]], Selection], drawn_of: Callable[[Selection], Drawn]
) -> tuple[Selection, Drawn]:
    """Selects and draws; where pruned edges cut nodes off, others get their place.

    Args:
        choose: selects nodes, without some.
        drawn_of: draws what was selected.
    """
    without: frozenset[NodeKey] = frozenset()
    for _ in range(ROUNDS):
        selection = choose(without)
        drawn = drawn_of(selection)
        lost = set(selection.keys) - set(drawn.keys)
        if not lost:
            break
        without |= lost
    return selection, drawn


def _all_edges(inflows: dict[NodeKey, Inflow], influence: dict[NodeKey, float]) -> list[FlowEdge]:
    edges = [
        FlowEdge(
            source=link.far,
            target=key,
            kind=link.kind,
            flow=link.flow,
            influence=influence[key] * link.size / inflow.magnitude,
            weight=link.weight,
            before=link.before,
        )
        for key, inflow in inflows.items()
        if inflow.magnitude > 0
        for link in inflow.links
        if link.size > 0
    ]
    return sorted(edges, key=lambda edge: (-edge.influence, edge.source, edge.target))


def _prune(edges: list[FlowEdge], coverage: float, nodes: int) -> list[FlowEdge]:
    """The strongest edges, and of every node the strongest that leads on; strongest first."""
    wanted = coverage * sum(edge.influence for edge in edges)
    room = MOST_ELEMENTS - 3 * nodes  # a node, its rest node and the edge between them
    kept: list[FlowEdge] = []
    held, left = 0.0, {edge.source for edge in edges}
    for edge in edges:
        leads_on = edge.source in left or edge.kind is EdgeKind.PART
        if leads_on or (held < wanted and room > len(left)):
            kept.append(edge)
            held += edge.influence
            room -= 1
            left.discard(edge.source)
    return kept


def _leading_to(target: NodeKey, edges: Iterable[FlowEdge]) -> set[NodeKey]:
    into: dict[NodeKey, list[NodeKey]] = defaultdict(list)
    for edge in edges:
        into[edge.target].append(edge.source)
    reached, todo = {target}, [target]
    while todo:
        fresh = [key for key in into[todo.pop()] if key not in reached]
        reached.update(fresh)
        todo.extend(fresh)
    return reached
