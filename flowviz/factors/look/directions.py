"""The tokens that factors' directions raise and lower, all of a dictionary at once.

A direction of the residual stream is read as what one unit of it adds to the logits: the final
norm's linear part with a frozen scale, then the unembedding (`flowviz/lens.py`). The scale is the
mean of those that the norm had at the corpus's beginning, so that scores of all factors can be
compared; which tokens they are does not depend on it. Of an encoder they are read through the last
matrix of the head that fills in masks, without what its head does before (which is not linear).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.factors.look.surveyed import Directions
from flowviz.lens import normed_components, to_logits
from flowviz.models.kind import ModelKind
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact

TOKENS = 10  # raised, and lowered
AT_ONCE = 2**24  # logits
PLAIN = (
    "Tokens of directions are read through the last matrix of the model's head alone, without what "
    "the head does before it."
)
ELSEWHERE = (SiteKind.HEADS, SiteKind.NEURONS)


@torch.inference_mode()
def directions_of(
    model: LoadedModel | LoadedEncoder,
    atoms: NDArray[np.float32],
    sites: Sequence[Site],
    scale: float | None,
) -> tuple[Directions | None, tuple[str, ...]]:
    """The tokens of every direction; None where there are none, with the reason in words."""
    if any(site.kind in ELSEWHERE for site in sites):
        return None, ("Directions are not read as tokens: they are none of the residual stream.",)
    head = _last_matrix(model) if isinstance(model, LoadedEncoder) else model.W_U
    if head is None or head.shape[0] != atoms.shape[1]:
        return None, (
            f"Directions are not read as tokens: {model.shape.name} has no matrix from its states "
            "to tokens.",
        )
    found = [
        _extremes(_logits(model, head, some.to(head.device), scale or 1.0))
        for some in torch.from_numpy(atoms).split(max(1, AT_ONCE // head.shape[1]))
    ]
    top, top_scores, bottom, bottom_scores = (
        np.concatenate([each[part].cpu().numpy() for each in found]) for part in range(4)
    )
    ids = np.unique(np.concatenate([top, bottom])).tolist()
    tokens = {i: model.vocabulary.text(i) for i in ids}
    notes = (PLAIN,) if isinstance(model, LoadedEncoder) else ()
    return Directions(top, top_scores, bottom, bottom_scores, tokens), notes


def _last_matrix(model: LoadedEncoder) -> Tensor | None:
    """From what an encoder's head makes of a state to logits; None where there is no such head."""
    if not model.predicts or model.kind is ModelKind.BOTH:
        return None
    last = model.weights.get_output_embeddings()
    return None if last is None else exact(last.weight).T


def _logits(
    model: LoadedModel | LoadedEncoder,
    head: Float[Tensor, "width token"],
    vectors: Float[Tensor, "factor width"],
    scale: float,
) -> Float[Tensor, "factor token"]:
    if isinstance(model, LoadedEncoder):
        return vectors @ head
    normed = normed_components(model, vectors, torch.full_like(vectors[:, :1], scale))
    return to_logits(model, normed, torch.zeros_like(vectors[:, 0], dtype=torch.bool))


def _extremes(logits: Float[Tensor, "factor token"]) -> tuple[Tensor, ...]:
    """The tokens with the highest logits, those logits, and the same of the lowest."""
    k, logits = min(TOKENS, logits.shape[1]), logits.float()
    top, bottom = logits.topk(k), logits.topk(k, largest=False)
    return top.indices, top.values, bottom.indices, bottom.values


@torch.inference_mode()
def mean_scale(model: LoadedModel | LoadedEncoder, states: NDArray[np.float32]) -> float | None:
    """The mean scale of the final norm over some last states; None for an encoder."""
    if isinstance(model, LoadedEncoder):
        return None
    return float(model.ln_final.scale_of(torch.from_numpy(states)).mean())
