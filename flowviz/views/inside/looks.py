"""What colours and widths of an opened block say; a choice of the page that needs no new run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowviz.checked import choice
from flowviz.inside.types import InsideGraph, PartEdge, PartEdgeKind, PartNode


class Colour(StrEnum):
    """What a node's colour says."""

    RANK = "rank"  # the target's rank among all tokens, as the part reads
    SIGN = "sign"  # whether it speaks for or against the target, and how much
    ENTROPY = "entropy"  # how sharp its reading is


class Width(StrEnum):
    """What an edge's width says; the edges of attention always say the weight."""

    FLOW = "flow"
    NORM = "norm"
    STRENGTH = "strength"  # activation x norm of the weights' own vector


@dataclass(frozen=True)
class Look:
    """Both choices."""

    colour: Colour = Colour.RANK
    width: Width = Width.FLOW

    def to_mapping(self) -> dict[str, str]:
        """As a link says it; what has its default value is left out."""
        given = {"colour": self.colour, "width": self.width}
        default = Look()
        return {
            name: str(value) for name, value in given.items() if value != getattr(default, name)
        }

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> Look:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        base = cls()
        return cls(
            choice("colour", flat.get("colour"), Colour) or base.colour,
            choice("width", flat.get("width"), Width) or base.width,
        )


@dataclass(frozen=True)
class Scale:
    """The largest numbers of a picture, to which tones, sizes and widths are relative."""

    flow: float
    edges: Mapping[Width, float]
    norms: Mapping[str, float]  # of each kind of part
    vocabulary: int

    @classmethod
    def of(cls, graph: InsideGraph) -> Scale:
        """The scale of one picture."""
        norms: dict[str, float] = {}
        for node in graph.nodes:
            norms[node.key.kind] = max(norms.get(node.key.kind, 0.0), amount(node.norm))
        widths = {
            width: max((amount(measure(edge, width)) for edge in graph.edges), default=0.0)
            for width in Width
        }
        flow = max((amount(node.flow) for node in graph.nodes), default=0.0)
        return cls(flow, widths, norms, max(graph.model.vocabulary, 2))

    def tone(self, node: PartNode, colour: Colour) -> float | None:
        """How strong its colour is, 0 to 1; None where it has nothing to say."""
        if colour is Colour.SIGN:
            return None if node.flow is None else math.sqrt(part(node.flow, self.flow))
        read = node.projection
        if read is None:
            return None
        if colour is Colour.RANK:
            rank = min(max(read.target_rank, 1), self.vocabulary)
            return 1 - math.log(rank) / math.log(self.vocabulary)
        return 1 - min(max(read.entropy / math.log2(self.vocabulary), 0.0), 1.0)

    def size(self, node: PartNode) -> float:
        """How large it is drawn, 0 to 1: its norm beside the largest of its kind."""
        return math.sqrt(part(node.norm, self.norms[node.key.kind]))

    def width(self, edge: PartEdge, width: Width) -> float | None:
        """How wide it is drawn, 0 to 1; None where it has nothing to say."""
        if edge.kind is PartEdgeKind.ATTEND:
            return None if edge.weight is None else min(abs(edge.weight), 1.0)
        value = measure(edge, width)
        return None if value is None else math.sqrt(part(value, self.edges[width]))


def measure(edge: PartEdge, width: Width) -> float | None:
    """The number that an edge's width says."""
    return {Width.FLOW: edge.flow, Width.NORM: edge.norm, Width.STRENGTH: edge.strength}[width]


def amount(value: float | None) -> float:
    """How much a number is; nothing where there is none, or none that is finite."""
    return abs(value) if value is not None and math.isfinite(value) else 0.0


def part(value: float | None, whole: float) -> float:
    """A number as a share of the largest, 0 to 1."""
    return min(amount(value) / whole, 1.0) if whole > 0 else 0.0
