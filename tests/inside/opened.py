"""Opened blocks of small random models, and what tests of them ask again and again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from flowviz.flow import FlowTarget
from flowviz.graph.scored import Scored
from flowviz.inside.build import open_blocks
from flowviz.inside.request import InsideRequest, InsideSettings
from flowviz.inside.types import InsideGraph, PartKey, PartKind, PartNode
from tests.flows import TARGET, scored

FEW = InsideSettings(heads=2, memories=2, rows=3, high=4, low=3)
ALL = InsideSettings(heads=200, memories=20, rows=40, high=200, low=0)
NOTHING = InsideSettings(heads=0, memories=0, rows=0, high=0, low=0)


def opened(
    architecture: str,
    layers: tuple[int, int] = (1, 1),
    at: int | None = 10,
    settings: InsideSettings = FEW,
    target: FlowTarget = TARGET,
) -> InsideGraph:
    """A block of a random model, opened."""
    return open_up(scored(architecture, target), layers, at, settings)


def open_up(
    of: Scored,
    layers: tuple[int, int] = (1, 1),
    at: int | None = 10,
    settings: InsideSettings = FEW,
) -> InsideGraph:
    """A block of a flow, opened."""
    return open_blocks(of.flow.model, of, InsideRequest("x", "", layers=layers, at=at,
                                                        settings=settings))  # fmt: skip


def kinds(graph: InsideGraph) -> set[PartKind]:
    """The kinds of part that are drawn."""
    return {node.key.kind for node in graph.nodes}


def of_kind(graph: InsideGraph, kind: PartKind) -> list[PartNode]:
    """The parts of one kind, in the graph's order."""
    return [node for node in graph.nodes if node.key.kind is kind]


def the(graph: InsideGraph, kind: PartKind, index: int = 0, source: int = 0) -> PartNode:
    """A part of the first block that is open."""
    node = graph.node(PartKey(kind, graph.layers[0], index, source))
    assert node is not None, (kind, index, source)
    return node


def inflows(graph: InsideGraph) -> Mapping[PartKey, float]:
    """What flows into each part, edge by edge."""
    into: dict[PartKey, float] = defaultdict(float)
    for edge in graph.edges:
        into[edge.target] += edge.flow or 0.0
    return into


def outflows(graph: InsideGraph) -> Mapping[PartKey, float]:
    """What flows out of each part, edge by edge."""
    out: dict[PartKey, float] = defaultdict(float)
    for edge in graph.edges:
        out[edge.source] += edge.flow or 0.0
    return out


def sources(graph: InsideGraph, target: PartKey) -> set[PartKind]:
    """The kinds of part that go into one."""
    return {edge.source.kind for edge in graph.edges if edge.target == target}
