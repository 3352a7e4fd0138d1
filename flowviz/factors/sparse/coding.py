"""Learning a dictionary by sparse coding, one batch of vectors after the other.

    D, a = argmin ½ ‖x - a D‖² + λ Σ_f a_f        a ≥ 0, |d_f| = 1

1. With the dictionary as it is, the batch's codes A are found (`working.py`).
2. Each atom moves by what the error holds of it, scaled by how much the atom is used:

       D ← D + η (A^T (X - A D) / n) / H      H = running mean of a_f², the Hessian's diagonal

   and is brought to length 1 again. η falls from 0.5 (a whole step, 1, overshoots: the atoms of
   one vector answer to the same error).
3. An atom that no vector has used for `PATIENCE` batches is put where the dictionary is worst: on
   the error of one of the vectors that are reconstructed least.

Source: Yun, Chen, Olshausen, LeCun 2021, "Transformer visualization via dictionary learning:
contextualized embedding as a linear superposition of transformer factors", section 2 and appendix;
the third step is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from flowviz.factors.sparse.working import codes_of

RATE, HALVED_AFTER = 0.5, 200  # η, and after how many batches it is half of that
DECAY = 0.99  # of the running mean of squared codes
SMALLEST = 1e-3  # of its largest entry: rarely used atoms move no faster than this allows
PATIENCE = 50  # batches
TOLERANCE = 0.02  # of the codes while learning, as a share of λ


@dataclass(frozen=True)
class Progressed:
    """What one batch said of the dictionary.

    Args:
        loss: the objective, a vector.
        l0: how many factors a vector has, in the mean.
        explained: the share of the vectors' variance that their reconstructions explain.
        moved: how many unused atoms were put elsewhere.
    """

    loss: float
    l0: float
    explained: float
    moved: int


@dataclass(eq=False)
class Coding:
    """A dictionary while it is learned. Everything that goes on depends on is in its tensors.

    Args:
        atoms: the dictionary, rows of length 1.
        penalty: λ, in units of the vectors.
        usage: H above; unused: for how many batches each atom was not used.
    """

    atoms: Float[Tensor, "factor d_model"]
    penalty: float
    usage: Float[Tensor, " factor"] = field(init=False)
    unused: Float[Tensor, " factor"] = field(init=False)
    seen: int = 0

    def __post_init__(self) -> None:
        self.atoms = normalize(self.atoms, dim=1)
        self.usage = torch.zeros_like(self.atoms[:, 0])
        self.unused = torch.zeros_like(self.atoms[:, 0])

    @classmethod
    def begin(cls, factors: int, width: int, penalty: float, generator: torch.Generator) -> Coding:
        """A dictionary of random directions."""
        return cls(torch.randn(factors, width, generator=generator), penalty)

    def learn(self, vectors: Float[Tensor, "batch d_model"]) -> Progressed:
        """One step on one batch."""
        codes = codes_of(vectors, self.atoms, self.penalty, tolerance=TOLERANCE).values
        error = vectors - codes @ self.atoms
        self._count(codes)
        mean = self.usage / (1 - DECAY**self.seen)
        scale = torch.maximum(mean, SMALLEST * mean.max()).clamp(min=1e-30)
        rate = RATE * HALVED_AFTER / (HALVED_AFTER + self.seen)
        change = codes.T @ error / len(vectors) / scale[:, None]
        self.atoms = normalize(self.atoms + rate * change, dim=1)
        moved = self._move_unused(error)
        centred = vectors - vectors.mean(0)
        return Progressed(
            float((0.5 * error.square().sum() + self.penalty * codes.sum()) / len(vectors)),
            float((codes > 0).sum(1).float().mean()),
            1 - float(error.square().sum() / centred.square().sum()),
            moved,
        )

    def _count(self, codes: Float[Tensor, "batch factor"]) -> None:
        self.seen += 1
        self.usage = DECAY * self.usage + (1 - DECAY) * codes.square().mean(0)
        self.unused = torch.where((codes > 0).any(0), 0.0, self.unused + 1)

    def _move_unused(self, error: Float[Tensor, "batch d_model"]) -> int:
        """Puts atoms that nobody uses on the largest errors, no two on the same."""
        idle = torch.nonzero(self.unused >= PATIENCE).flatten()[: len(error) // 4]
        if len(idle):
            worst = error.norm(dim=1).topk(len(idle)).indices
            self.atoms[idle] = normalize(error[worst], dim=1)
            self.unused[idle] = 0
            self.usage[idle] = self.usage.mean()
        return len(idle)
