"""A factor's activation as an affine function of the vector, with what is active frozen.

An activation is a_f(x) = w · x + c as long as the same factors are active:

    autoencoders   w = L_f W_enc[:, f]      c = L_f (b_f - centre · W_enc[:, f])
    coding         w = (G^-1 D_S)_f         c = -w · b - λ (G^-1 1)_f          G = D_S D_S^T

with L_f the length of the decoder's row. Of coding: over the active factors S, where a_S > 0, the
objective ½ ‖x - b - a_S D_S‖² + λ Σ a_S has the gradient a_S G - (x - b) D_S^T + λ = 0, so that
a_S = ((x - b) D_S^T - λ) G^-1; the row of the pseudo-inverse of D_S is the direction.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from flowviz.errors import RequestError
from flowviz.factors.dictionary.encoders import Autoencoder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.types import Dictionary


def affine_of(
    dictionary: Dictionary, vector: NDArray[np.float32], factor: int
) -> tuple[NDArray[np.float64], float]:
    """The direction w and the constant c of an active factor at a vector.

    Raises:
        RequestError: it is not active there, or the dictionary does not show how it encodes.
    """
    active, _ = dictionary.encode(vector[None]).row(0)
    if factor not in active:
        raise RequestError(
            f"Factor {factor} is not active there, so that there is nothing to split. Choose one "
            "of its contexts."
        )
    if not isinstance(dictionary, LoadedDictionary):
        raise RequestError(f"{dictionary.about.name} does not show how it encodes.")
    encoder = dictionary.encoder
    if isinstance(encoder, Autoencoder):
        weights = encoder.weights[:, factor].double() * float(encoder.lengths[factor])
        constant = float(encoder.bias[factor]) * float(encoder.lengths[factor])
        return weights.numpy(), constant - float(encoder.centre.double() @ weights)
    atoms = encoder.atoms[torch.from_numpy(active.astype(np.int64))].double()
    inverse = torch.linalg.pinv(atoms @ atoms.T, hermitian=True)
    own = inverse[active.tolist().index(factor)]
    direction = own @ atoms
    constant = -float(direction @ encoder.offset.double()) - encoder.penalty * float(own.sum())
    return direction.numpy(), constant
