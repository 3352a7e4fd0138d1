"""How each method finds the factors of vectors: a matrix of activations of unit atoms, mostly zero.

    coding     argmin_a ½ ‖x - b - a D‖² + λ Σ a, a ≥ 0          D rows of length 1 (`working.py`)
    relu       max(0, p)                                         p = (x - c) W_enc + b_enc
    jumprelu   p where p > θ, else 0                             θ a threshold for each factor
    topk       the k largest of max(0, p)

An autoencoder's decoder rows have lengths of their own; they are put into the activations, so that
every atom has length 1 and an activation is the length of what its factor adds:

    x ≈ b_dec + Σ_f (a_f |w_f|) (w_f / |w_f|)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.factors.kinds import Method
from flowviz.factors.sparse.working import codes_of

TOLERANCE = 1e-3  # of the codes, as a share of λ


@dataclass(frozen=True, eq=False)
class Coder:
    """Sparse coding over unit atoms."""

    atoms: Float[Tensor, "factor width"]
    offset: Float[Tensor, " width"]
    penalty: float

    def __call__(self, vectors: Float[Tensor, "row width"]) -> Float[Tensor, "row factor"]:
        """The activations of unit atoms."""
        centred = vectors - self.offset
        return codes_of(centred, self.atoms, self.penalty, tolerance=TOLERANCE).values


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """A sparse autoencoder.

    Args:
        method: RELU, JUMPRELU or TOPK.
        lengths: of the decoder's rows as they were learned.
        centre: what is subtracted first; zero where the method does not.
        threshold: with JUMPRELU, of each factor.
        k: with TOPK, how many factors a vector has at most.
        by_length: whether the k largest are those of the activations times `lengths`.
    """

    method: Method
    weights: Float[Tensor, "width factor"]
    bias: Float[Tensor, " factor"]
    lengths: Float[Tensor, " factor"]
    centre: Float[Tensor, " width"]
    threshold: Float[Tensor, " factor"] | None = None
    k: int | None = None
    by_length: bool = False

    def __call__(self, vectors: Float[Tensor, "row width"]) -> Float[Tensor, "row factor"]:
        """The activations of unit atoms."""
        before = torch.addmm(self.bias, vectors - self.centre, self.weights)
        return self._active(before) * self.lengths

    def _active(self, before: Float[Tensor, "row factor"]) -> Float[Tensor, "row factor"]:
        if self.method is Method.JUMPRELU:
            assert self.threshold is not None
            return torch.where(before > self.threshold, before, 0.0).clamp(min=0.0)
        positive = before.clamp(min=0.0)
        return self._largest(positive) if self.method is Method.TOPK else positive

    def _largest(self, positive: Float[Tensor, "row factor"]) -> Float[Tensor, "row factor"]:
        assert self.k is not None
        ranked = positive * self.lengths if self.by_length else positive
        kept = ranked.topk(min(self.k, ranked.shape[1]), dim=1).indices
        return torch.zeros_like(positive).scatter(1, kept, positive.gather(1, kept))
