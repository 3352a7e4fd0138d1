"""Rotary positions: a rotation by position of the pairs of dimensions of a query or key.

R_i turns pair p of a vector by the angle i * frequency_p (Su et al. 2021), so that
(R_i q) · (R_j k) depends on i - j alone; YaRN and longrope multiply it too. It is linear: what is
carried backwards goes through its transpose.
"""

from __future__ import annotations

from dataclasses import dataclass

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


def rotation_of(
    cos: Float[Tensor, "pos width"], sin: Float[Tensor, "pos width"], adjacent: bool
) -> Rotation:
    """From the tables that a model uses, in which each pair stands once or twice.

    Twice is one half behind the other, or each beside itself (Cohere).
    """
    half = cos.shape[1] // 2
    for first, second in ((slice(half), slice(half, None)), (slice(0, None, 2), slice(1, None, 2))):
        same = [table[:, first].equal(table[:, second]) for table in (cos, sin)]
        if all(same):
            return Rotation(cos[:, first], sin[:, first], adjacent)
    return Rotation(cos, sin, adjacent)
