"""The strongest paths from the prompt to the target.

A path's strength is the product, along its edges, of each edge's absolute flow as a share of all
that flows into its node: the part of the influence on the target that takes this way. No path
grows stronger by growing longer, so a best-first search from the target backwards meets the
strongest complete path first. What is not drawn is no path: rest edges count in the shares only.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from itertools import count

from flowviz.graph.types import STATES, EdgeKind, FlowEdge, FlowGraph, NodeKey, NodeKind

MOST_STEPS = 20_000
Step = tuple[float, int, tuple[NodeKey, ...], int]  # minus its strength, order, nodes so far, sign


@dataclass(frozen=True)
class Path:
    """A way from a source to the target.

    Args:
        keys: its nodes, from the prompt to the target.
        strength: its part of the influence on the target, 0 to 1.
        sign: 1, or -1 where an odd number of its edges works against what they enter.
    """

    keys: tuple[NodeKey, ...]
    strength: float
    sign: int

    @property
    def landmarks(self) -> tuple[NodeKey, ...]:
        """Its nodes without the hidden states between them."""
        first, *others = self.keys
        return (first, *(key for key in others if key.kind not in STATES))


def strongest_paths(graph: FlowGraph, most: int = 5) -> tuple[Path, ...]:
    """The strongest complete paths, the strongest first."""
    into = _inflows(graph)
    flows = {node.key: node.flow for node in graph.nodes}
    number = count()
    ends = [node.key for node in graph.nodes if node.key.kind is NodeKind.TARGET]
    heap: list[Step] = [(-1.0, next(number), (end,), 1) for end in ends]
    found: list[Path] = []
    while heap and len(found) < most and next(number) < MOST_STEPS:
        weight, _, keys, sign = heapq.heappop(heap)
        steps = into.get(keys[0], [])
        if not steps and len(keys) > 1:
            found.append(Path(keys, -weight, sign))
        for edge, share in steps:
            turn = 1 if edge.flow * flows[edge.target] >= 0 else -1
            step: Step = (weight * share, next(number), (edge.source, *keys), sign * turn)
            heapq.heappush(heap, step)
    return tuple(found)


def _inflows(graph: FlowGraph) -> dict[NodeKey, list[tuple[FlowEdge, float]]]:
    """For each node its drawn inflows with their shares; those without flow are left out."""
    edges: dict[NodeKey, list[FlowEdge]] = defaultdict(list)
    for edge in graph.edges:
        edges[edge.target].append(edge)
    shares = {}
    for key, inflows in edges.items():
        whole = sum(abs(edge.flow) for edge in inflows)
        drawn = [edge for edge in inflows if edge.kind is not EdgeKind.REST and edge.flow]
        shares[key] = [(edge, abs(edge.flow) / whole) for edge in drawn] if whole > 0 else []
    return shares
