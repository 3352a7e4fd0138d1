"""A picture while it is drawn: parts with their vectors, and what goes from one into the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from flowviz.inside.types import PartEdge, PartEdgeKind, PartKey, PartKind

ROUNDING = 1e-5  # of a vector's length: the rounding error of a float32 sum


@dataclass(frozen=True, eq=False)
class Part:
    """A node before its vector is read.

    Args:
        vector: as it is projected; None where there is nothing to project.
    """

    key: PartKey
    flow: float | None = None
    vector: Float[Tensor, " d_model"] | None = None
    activation: float | None = None
    strength: float | None = None


@dataclass(frozen=True, eq=False)
class Sketch:
    """Parts and edges in the order in which they were drawn.

    Args:
        dust: flow that is no more than the rounding error of a sum.
    """

    dust: float
    parts: dict[PartKey, Part] = field(default_factory=dict)
    edges: list[PartEdge] = field(default_factory=list)

    def part(
        self,
        key: PartKey,
        flow: float | None = None,
        vector: Float[Tensor, " d_model"] | None = None,
        activation: float | None = None,
        strength: float | None = None,
    ) -> PartKey:
        """Draws a part, once."""
        self.parts.setdefault(key, Part(key, flow, vector, activation, strength))
        return key

    def join(
        self,
        source: PartKey,
        target: PartKey,
        kind: PartEdgeKind,
        flow: float | None = None,
        norm: float | None = None,
        strength: float | None = None,
        weight: float | None = None,
    ) -> None:
        """Draws an edge. Where no norm is given it is that of what it starts from."""
        self.edges.append(PartEdge(source, target, kind, flow, norm, strength, weight))

    def rest(
        self,
        of: PartKey,
        flow: float,
        vector: Float[Tensor, " d_model"] | None,
        feeds: Sequence[tuple[PartKey, float]],
    ) -> None:
        """Draws what flows into a part and is not drawn, unless both flow and vector are dust.

        Args:
            feeds: what drawn parts give to it, so that all that leaves them is seen.
        """
        feeds = [(source, amount) for source, amount in feeds if abs(amount) > self.dust]
        if abs(flow) <= self.dust and not feeds and self._is_dust(of, vector):
            return
        key = hanging(PartKind.REST, of)
        self.part(key, flow, vector)
        self.join(key, of, PartEdgeKind.REST, flow)
        for source, amount in feeds:
            self.join(source, key, PartEdgeKind.REST, amount)

    def _is_dust(self, of: PartKey, vector: Tensor | None) -> bool:
        whole = self.parts[of].vector
        if vector is None or whole is None:
            return True
        return float(vector.norm()) <= ROUNDING * float(whole.norm())

    def elsewhere(self, state: PartKey, flow: float) -> None:
        """Draws what a state gives to other positions, unless it is dust."""
        if abs(flow) <= self.dust:
            return
        key = hanging(PartKind.ELSEWHERE, state)
        self.part(key, flow)
        self.join(state, key, PartEdgeKind.REST, flow)


def hanging(kind: PartKind, on: PartKey) -> PartKey:
    """The rest or elsewhere node that hangs on a part."""
    return PartKey(kind, on.layer, on.index, on.source, of=on.kind)
