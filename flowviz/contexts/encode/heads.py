"""What a head writes, as few numbers: z_h M_h, with M_h the square root of W_O,h W_O,h^T.

M_h is symmetric, so that it is the same wherever it is computed, and

    (z_h M_h) . (z'_h M_h) = z_h W_O,h W_O,h^T z'_h = (z_h W_O,h) . (z'_h W_O,h)

so that inner products, norms and cosines are exactly those of what is written, d_head numbers
instead of d_model. It is taken in float64, from the eigenvectors, so that a W_O,h of any rank has
one.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.models.parts import exact


def roots(written: Float[Tensor, "head d_head d_model"]) -> Float[Tensor, "head d_head d_head"]:
    """The square root of each head's Gram matrix, in float32, on the processor.

    Args:
        written: what each number of each head's z writes.
    """
    double = written.double().cpu()
    values, vectors = torch.linalg.eigh(double @ double.transpose(1, 2))
    root = (vectors * values.clamp(min=0).sqrt()[:, None]) @ vectors.transpose(1, 2)
    return root.float()


def small(
    z: Float[Tensor, "*text_pos head d_head"], root: Float[Tensor, "head d_head d_head"]
) -> Float[Tensor, "row head d_head"]:
    """What heads write, as few numbers each; all texts' positions in a row."""
    rows = exact(z).reshape(-1, *root.shape[:2])
    return torch.bmm(rows.transpose(0, 1), root.to(rows)).transpose(0, 1)
