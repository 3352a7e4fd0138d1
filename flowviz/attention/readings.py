"""What a model predicts at each token of a text: the strongest few, beside its attention."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import Prediction
from flowviz.models.tokens import Vocabulary

READINGS = 10
AT_ONCE = 64  # positions: a softmax over all would take the memory of the logits again


@torch.inference_mode()
def top_predictions(
    vocabulary: Vocabulary, logits: Float[Tensor, "pos d_vocab"], k: int = READINGS
) -> tuple[tuple[Prediction, ...], ...]:
    """The likeliest tokens at each position, the likeliest first.

    Args:
        logits: as the model gives them, behind any cap.
    """
    rows: list[tuple[Prediction, ...]] = []
    for some in logits.split(AT_ONCE):
        top = some.topk(min(k, some.shape[1]))
        chances = (top.values - some.logsumexp(-1, keepdim=True)).exp()
        found = zip(top.indices.tolist(), chances.tolist(), top.values.tolist(), strict=True)
        rows.extend(_row(vocabulary, *row) for row in found)
    return tuple(rows)


def _row(
    vocabulary: Vocabulary, ids: list[int], chances: list[float], logits: list[float]
) -> tuple[Prediction, ...]:
    each = zip(ids, chances, logits, strict=True)
    return tuple(Prediction(i, vocabulary.text(i), chance, logit) for i, chance, logit in each)
