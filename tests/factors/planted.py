"""Vectors that are sparse sums of known directions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


class Planted:
    """A dictionary and vectors made of it: about `active` factors each, and a little noise."""

    def __init__(self, factors: int, width: int, active: int, seed: int = 1) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.atoms = normalize(torch.randn(factors, width, generator=self.random), dim=1)
        self.active = active

    def batch(self, size: int, noise: float = 0.01) -> Tensor:
        factors, width = self.atoms.shape
        there = torch.rand(size, factors, generator=self.random) < self.active / factors
        amount = 0.5 + torch.rand(size, factors, generator=self.random)
        return (there * amount) @ self.atoms + noise * torch.randn(
            size, width, generator=self.random
        )

    def found(self, atoms: Tensor) -> Tensor:
        """For each planted direction the cosine of the atom that is most like it."""
        return (self.atoms @ normalize(atoms, dim=1).T).amax(1)
