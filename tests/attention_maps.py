"""Hand-made attention maps for tests of what is drawn of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from flowviz.attention.types import AttentionMaps, Weighting
from flowviz.graph.types import ModelShape, Prediction, Target

WORDS = ("In", " France", " the", "<b>", "\n", " שלום")
PARIS, ROME = Prediction(7, " Paris", 0.9, 12.5), Prediction(8, " Rome", 0.05, 9.5)


def looking_back(
    tokens: Sequence[str] = WORDS, layers: int = 2, heads: int = 3, back: int = 1
) -> AttentionMaps:
    """Head h of layer l gives 1 - (l mod 4) / 4 to `back + h` tokens before, the rest to itself."""
    count = len(tokens)
    weights = np.zeros((layers, heads, count, count), np.float32)
    for layer in range(layers):
        for head in range(heads):
            for i in range(count):
                weights[layer, head, i, i] += layer % 4 / 4
                weights[layer, head, i, max(0, i - back - head)] += 1 - layer % 4 / 4
    return AttentionMaps.of(weights, tokens)


def with_model(maps: AttentionMaps) -> AttentionMaps:
    """The same of a model, with its target."""
    model = ModelShape("demo", "GPT2LMHeadModel", maps.layers, maps.heads, 8, 16, 100)
    target = Target(maps.positions - 1, PARIS, 0, None, None, 12.5)
    return replace(maps, model=model, target=target, predictions=(PARIS, ROME))


def signed(maps: AttentionMaps, unit: float = 0.5) -> AttentionMaps:
    """The same as flow: every other source speaks against the target; 1 stands for `unit`."""
    signs = np.where(np.arange(maps.positions) % 2, -1, 1).astype(np.float16)
    return replace(maps, weights=maps.weights * signs, weighting=Weighting.FLOW, unit=unit)
