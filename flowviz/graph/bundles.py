"""Edges as arrays: all that flows into or out of one node, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import EdgeKind, NodeKey


@dataclass(frozen=True, eq=False)
class Bundle:
    """Edges between one node and others of one kind, which differ in index or in position.

    Args:
        kind: by which way the flow goes.
        base: the first of the nodes at the far ends.
        along: in what the far ends differ; None where there is one alone.
        flows: the flow of each edge.
        weights: where a head reads, its attention weights.
    """

    kind: EdgeKind
    base: NodeKey
    along: Literal["index", "position"] | None
    flows: Float[Tensor, " far"]
    weights: Float[Tensor, " far"] | None = None

    def key(self, place: int) -> NodeKey:
        """The node at the far end of one edge."""
        return replace(self.base, **{self.along: place}) if self.along else self.base

    def place(self, key: NodeKey) -> int | None:
        """Which edge leads to that node; None where none does."""
        place = getattr(key, self.along) if self.along else 0
        in_range = place < self.flows.shape[0]
        return place if in_range and self.key(place) == key else None


@dataclass(frozen=True)
class Link:
    """One edge, with its numbers read out; `far` is the node at the far end.

    Args:
        before: its flow without interventions; None where there are none.
    """

    far: NodeKey
    kind: EdgeKind
    flow: float
    weight: float | None
    before: float | None = None

    @property
    def size(self) -> float:
        """What it counts by: its absolute flow, now or before."""
        return max(abs(self.flow), abs(self.before or 0.0))


def links(bundles: Iterable[Bundle], keys: Iterable[NodeKey]) -> list[Link]:
    """The edges of these bundles that lead to one of the keys."""
    keys = list(keys)
    found: list[Link] = []
    for bundle in bundles:
        same = [key for key in keys if key.kind is bundle.base.kind]
        hits = [place for key in same if (place := bundle.place(key)) is not None]
        found += read_out(bundle, hits)
    return found


def read_out(bundle: Bundle, places: list[int]) -> list[Link]:
    """These edges of a bundle, read out at once."""
    if not places:
        return []
    flows = bundle.flows[places].tolist()
    weights = [None] * len(places) if bundle.weights is None else bundle.weights[places].tolist()
    return [
        Link(bundle.key(place), bundle.kind, flow, weight)
        for place, flow, weight in zip(places, flows, weights, strict=True)
    ]


def total(bundles: Iterable[Bundle]) -> float:
    """The sum of all flows."""
    return sum(float(bundle.flows.sum()) for bundle in bundles)


def magnitude(bundles: Iterable[Bundle]) -> float:
    """The sum of all absolute flows."""
    return sum(float(bundle.flows.abs().sum()) for bundle in bundles)
