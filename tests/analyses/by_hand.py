"""The lens written out as plain sums, for tests that check projections against it."""

from __future__ import annotations

import torch
from torch import Tensor

from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace, record

PROMPT = "the cat sat on a mat"
OTHER = "Mary and John went to the store"


def traced(model: LoadedModel, prompt: str) -> Trace:
    return record(model, model.vocabulary.encode(prompt, model.context))


def component(model: LoadedModel, vector: Tensor) -> list[float]:
    """Logits of a written vector for GPT-2: centred, times the norm's weight, times W_U."""
    mean = float(vector.mean())
    weight = model.ln_final.weight
    assert weight is not None
    normed = [(float(x) - mean) * float(w) for x, w in zip(vector, weight, strict=True)]
    return (torch.tensor(normed) @ model.W_U).tolist()


def top(logits: list[float], k: int) -> set[int]:
    return set(sorted(range(len(logits)), key=lambda token: -logits[token])[:k])


def layer_norm(vector: Tensor, weight: Tensor, bias: Tensor | None, eps: float) -> Tensor:
    """LayerNorm, written out."""
    centred = vector - sum(vector.tolist()) / len(vector)
    variance = sum(x * x for x in centred.tolist()) / len(vector)
    normed = centred / (variance + eps) ** 0.5 * weight
    return normed if bias is None else normed + bias


def state(model: LoadedModel, vector: Tensor) -> Tensor:
    """Probabilities of a state for GPT-2: its own scale, bias, W_U, softmax."""
    norm = model.ln_final
    assert norm.weight is not None
    assert norm.eps is not None
    return torch.softmax(layer_norm(vector, norm.weight, norm.bias, norm.eps) @ model.W_U, -1)
