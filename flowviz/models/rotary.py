"""Rotary positions: a rotation by position of the pairs of dimensions of a query or key.

R_i turns pair p of a vector by the angle i * frequency_p (Su et al. 2021), so that
(R_i q) · (R_j k) depends on i - j alone; YaRN and longrope multiply it too. It is linear: what is
carried backwards goes through its transpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rotation:
    """The rotations of all positions of a pass.

    Args:
        cos, sin: of each pair, times what the rotation multiplies with.
        adjacent: whether pair p is dimensions 2p and 2p + 1, or p and p + pairs.
    """

    cos: Float[Tensor, "pos pairs"]
    sin: Float[Tensor, "pos pairs"]
    adjacent: bool

    def turn(
        self, vectors: Float[Tensor, "*n d_head"], at: Int[Tensor, "*n"]
    ) -> Float[Tensor, "*n d_head"]:
        """R of each position times its vector."""
        return self._turned(vectors, self.cos[at], self.sin[at])

    def back(
        self, vectors: Float[Tensor, "*n d_head"], at: Int[Tensor, "*n"]
    ) -> Float[Tensor, "*n d_head"]:
        """The transposed R of each position times its vector."""
        return self._turned(vectors, self.cos[at], -self.sin[at])

    def _turned(self, vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        width = 2 * self.cos.shape[1]
        pairs, rest = vectors[..., :width], vectors[..., width:]
        sides = pairs.unflatten(-1, (-1, 2)) if self.adjacent else pairs.unflatten(-1, (2, -1)).mT
        one, two = sides.unbind(-1)
        turned = torch.stack([one * cos - two * sin, two * cos + one * sin], -1)
        turned = turned if self.adjacent else turned.mT
        return torch.cat([turned.flatten(-2), rest], -1)


class Layout(StrEnum):
    """How the pairs stand in a model's own tables of cosines and sines."""

    ONCE = "once"
    HALVES = "halves"  # all of them, and all of them again
    TWINS = "twins"  # each beside itself


def rotation_of(
    cos: Float[Tensor, "pos width"],
    sin: Float[Tensor, "pos width"],
    layout: Layout,
    adjacent: bool,
) -> Rotation:
    """From the tables that a model uses. Raises ValueError where they are laid out otherwise."""
    if layout is Layout.ONCE:
        return Rotation(cos, sin, adjacent)
    tables = [t.unflatten(1, (2, -1) if layout is Layout.HALVES else (-1, 2)) for t in (cos, sin)]
    dim = 1 if layout is Layout.HALVES else 2
    pairs = [table.unbind(dim) for table in tables]
    if not all(one.equal(other) for one, other in pairs):
        raise ValueError(f"rotations that are not laid out in {layout}")
    return Rotation(pairs[0][0], pairs[1][0], adjacent)
