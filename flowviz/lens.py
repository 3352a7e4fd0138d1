"""The lens: vectors read as the tokens that they project to, any number in one product.

A *hidden state* is read as the model would read it if it were the last one (logit lens,
nostalgebraist 2020): the final norm with the state's own scale, then the unembedding and its bias.
A *component's* vector is read as what it adds to the logits: the final norm's linear part, with
the scale frozen at that of its position in this pass, then the unembedding, without biases. With
the frozen scale the parts of a state sum to its logits; each carries the sign of what it does
here, a neuron that of its activation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flowviz.graph.types import Projection, TokenScore
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact


@dataclass(frozen=True, eq=False)
class Readings:
    """Projections of n vectors, still as arrays.

    Args:
        ids, logits: of the k tokens at the top, then of the k at the bottom, lowest first.
        entropy: of each softmax, in bits.
        log_total: the logarithm of each softmax's denominator.
    """

    top: Int[Tensor, "n k"]
    top_logits: Float[Tensor, "n k"]
    bottom: Int[Tensor, "n k"]
    bottom_logits: Float[Tensor, "n k"]
    entropy: Float[Tensor, " n"]
    log_total: Float[Tensor, " n"]
    target_logit: Float[Tensor, " n"]
    target_rank: Int[Tensor, " n"]


def normed_states(
    model: LoadedModel, states: Float[Tensor, "n d_model"]
) -> Float[Tensor, "n d_model"]:
    """Hidden states through the final norm, each with its own scale."""
    norm = model.ln_final
    normed = norm.apply(states, norm.scale_of(states))
    return normed if norm.bias is None else normed + exact(norm.bias, normed)


def normed_components(
    model: LoadedModel, vectors: Float[Tensor, "n d_model"], scale: Float[Tensor, "n 1"]
) -> Float[Tensor, "n d_model"]:
    """Vectors written into the stream through the final norm's linear part, its scale frozen."""
    return model.ln_final.apply(vectors, scale)


@torch.inference_mode()
def to_logits(
    model: LoadedModel, normed: Float[Tensor, "n d_model"], is_state: Bool[Tensor, " n"]
) -> Float[Tensor, "n d_vocab"]:
    """Normed vectors through the unembedding, in one product.

    Only states take its bias, and its soft cap: a cap of a part is no part of a capped sum.
    """
    logits = (normed.to(model.W_U.dtype) @ model.W_U).to(normed.dtype)
    if model.b_U is not None:
        logits = logits + exact(model.b_U, logits) * is_state[:, None]
    if model.logit_scale != 1:
        logits = logits * model.logit_scale
    if model.shape.logit_cap is None:
        return logits
    return torch.where(is_state[:, None], model.capped(logits), logits)


@torch.inference_mode()
def read(logits: Float[Tensor, "n d_vocab"], target: int, k: int = 10) -> Readings:
    """The top and bottom k tokens of each row, and where the target stands in it."""
    k = min(k, logits.shape[1])
    top, bottom = logits.topk(k), logits.topk(k, largest=False)
    log_total = logits.logsumexp(-1)
    expected = torch.softmax(logits, -1).mul_(logits).sum(-1)
    aim = logits[:, target]
    return Readings(
        top=top.indices,
        top_logits=top.values,
        bottom=bottom.indices,
        bottom_logits=bottom.values,
        entropy=((log_total - expected) / math.log(2)).clamp(min=0),
        log_total=log_total,
        target_logit=aim,
        target_rank=(logits > aim[:, None]).sum(-1) + 1,
    )


def projections(model: LoadedModel, readings: Readings) -> list[Projection]:
    """Readings as plain data, one projection a vector."""
    top = _scores(model, readings.top, readings.top_logits, readings.log_total)
    bottom = _scores(model, readings.bottom, readings.bottom_logits, readings.log_total)
    probability = (readings.target_logit - readings.log_total).exp()
    plain = (readings.entropy, readings.target_logit, readings.target_rank, probability)
    rows = zip(top, bottom, *(part.tolist() for part in plain), strict=True)
    return [Projection(*row) for row in rows]


def _scores(
    model: LoadedModel, ids: Tensor, logits: Tensor, log_total: Tensor
) -> list[tuple[TokenScore, ...]]:
    probabilities = (logits - log_total[:, None]).exp()
    text = model.vocabulary.text
    return [
        tuple(TokenScore(i, text(i), logit, p) for i, logit, p in zip(*row, strict=True))
        for row in zip(ids.tolist(), logits.tolist(), probabilities.tolist(), strict=True)
    ]
