"""What is still right of an opened block where a law fails: its states, norms and attention."""

from __future__ import annotations

from dataclasses import replace

from flowviz.inside.types import InsideGraph, PartKind, PartNode

RIGHT = frozenset(
    {PartKind.STATE, PartKind.MEMORY, PartKind.LN1, PartKind.MID, PartKind.LN2, PartKind.QUERY,
     PartKind.HEAD_QUERY, PartKind.KEY}
)  # fmt: skip
GONE = frozenset({PartKind.REST, PartKind.ELSEWHERE})


def without_flow(graph: InsideGraph) -> InsideGraph:
    """The graph without any flow, without rests, and with readings only of what is the model's own.

    What a sublayer writes cannot be trusted there: heads, rows and neurons keep their place alone.
    """
    return replace(
        graph,
        nodes=tuple(_bare(node) for node in graph.nodes if node.key.kind not in GONE),
        edges=tuple(
            replace(edge, flow=None, norm=None, strength=None)
            for edge in graph.edges
            if not GONE & {edge.source.kind, edge.target.kind}
        ),
    )


def _bare(node: PartNode) -> PartNode:
    if node.key.kind in RIGHT:
        return replace(node, flow=None)
    weight = node.activation if node.key.kind is PartKind.VALUE else None
    return replace(node, flow=None, norm=None, activation=weight, strength=None, projection=None)
