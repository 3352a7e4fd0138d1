"""The edges of two passes as one set: each with its flow on both sides.

What flows into a node differs by the sum of what each of its inflows differs by, so that the
differences of all inflows sum to the difference of the node (law 3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flowviz.compare.sides import Sides
from flowviz.compare.types import ChangedEdge
from flowviz.flow import Flow
from flowviz.graph.bundles import Link
from flowviz.graph.edges import Drawn, Inflow, circuit_inflows, stream_inflows
from flowviz.graph.select import last_cut
from flowviz.graph.types import EdgeKind, FlowEdge, FlowNode, NodeKey
from flowviz.request import GraphSettings, Wiring


@dataclass(frozen=True)
class Both:
    """What flows into the drawn nodes on both sides, by column."""

    first: dict[NodeKey, Inflow]
    second: dict[NodeKey, Inflow]

    def differences(self) -> dict[NodeKey, Inflow]:
        """Second minus first; what one side lacks is 0 there."""
        keys = dict.fromkeys([*self.first, *self.second])
        return {key: _difference(self.first.get(key), self.second.get(key)) for key in keys}

    def edge(self, edge: FlowEdge) -> ChangedEdge:
        """Both sides of an edge."""
        one, other = (
            next((link for link in side[edge.target].links if link.far == edge.source), None)
            if edge.target in side
            else None
            for side in (self.first, self.second)
        )
        return ChangedEdge(
            edge.source,
            edge.target,
            edge.kind,
            first_flow=one.flow if one else 0.0,
            second_flow=other.flow if other else 0.0,
            first_weight=one.weight if one else None,
            second_weight=other.weight if other else None,
        )

    def rest(
        self, drawn: Drawn, edges: list[ChangedEdge], dust: float
    ) -> tuple[list[FlowNode], list[FlowEdge]]:
        """A rest node, and its edge, wherever more differs than rounding errors."""
        before = {key: self.first[key].total if key in self.first else 0.0 for key in drawn.rest}
        for edge in edges:
            before[edge.target] -= edge.first_flow
        nodes = [
            FlowNode(key.rest(), amount, 0.0, before=before[key])
            for key, amount in drawn.rest.items()
            if abs(amount) > dust
        ]
        return nodes, [
            FlowEdge(node.key, node.key.cut(), EdgeKind.REST, node.flow, 0.0, before=node.before)
            for node in nodes
        ]


def inflows(sides: Sides, settings: GraphSettings, keys: list[NodeKey]) -> Both:
    """What flows into each of these nodes in either pass."""
    own = [sides.own(key) for key in keys]
    firsts, seconds = ({mine: key for mine, key in zip(part, keys, strict=True) if mine}
                       for part in zip(*own, strict=True))  # fmt: skip
    return Both(
        _inflows(sides.first.flow, settings, firsts),
        _inflows(sides.second.flow, settings, seconds),
    )


def _inflows(
    flow: Flow, settings: GraphSettings, named: dict[NodeKey, NodeKey]
) -> dict[NodeKey, Inflow]:
    """The inflows of one pass's own nodes, renamed."""
    if settings.wiring is Wiring.CIRCUIT:
        found = circuit_inflows(flow, list(named))
    else:
        found = stream_inflows(flow, list(named), last_cut(settings, flow.model.shape.layers))
    return {
        named[key]: replace(
            inflow,
            links=tuple(replace(link, far=named[link.far]) for link in inflow.links),
        )
        for key, inflow in found.items()
    }


def _difference(first: Inflow | None, second: Inflow | None) -> Inflow:
    one = {link.far: link for link in first.links} if first else {}
    other = {link.far: link for link in second.links} if second else {}
    links = tuple(_link(one.get(far), other.get(far)) for far in sorted(one.keys() | other.keys()))
    total = (second.total if second else 0.0) - (first.total if first else 0.0)
    hidden = total - sum(link.flow for link in links)
    return Inflow(links, total, sum(abs(link.flow) for link in links) + abs(hidden))


def _link(first: Link | None, second: Link | None) -> Link:
    there = second or first
    assert there is not None
    amount = (second.flow if second else 0.0) - (first.flow if first else 0.0)
    return Link(there.far, there.kind, amount, there.weight)
