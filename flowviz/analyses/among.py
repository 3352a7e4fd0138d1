"""Query, key and value of a head at one position, compared with each other by their top tokens.

The query is read as what it looks for in the stream, the key as what finds it, both through the
head's own QK circuit and before rotary positions turn them (flowviz/attention/queries_keys.py);
the value through W_O. A layer whose queries and keys do not give the model's attention pattern is
left out.
"""

from __future__ import annotations

from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.analyses.means import Means
from flowviz.analyses.top import Tops, shared
from flowviz.analyses.types import Series
from flowviz.analyses.written import values
from flowviz.attention.queries_keys import (
    AttentionTrace,
    key_directions,
    query_directions,
    record_attention,
)
from flowviz.checks import TOLERANCE
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace

PAIRS = tuple(combinations(("query", "key", "value"), 2))


class Among:
    """I_k of the three pairs, by layer, over the prompts that were taken."""

    def __init__(self, model: LoadedModel, tops: Tops) -> None:
        self.model, self.tops = model, tops
        self.means = {pair: Means(model.shape.layers) for pair in PAIRS}
        self.left_out: set[int] = set()

    def take(self, trace: Trace, at: int) -> None:
        """All heads of one prompt."""
        layers = range(len(trace.blocks))
        for layer, attention in record_attention(self.model, trace, layers).items():
            if attention.pattern_error <= TOLERANCE.get(self.model.dtype, 0.0):
                self._layer(trace, layer, at, attention)
            else:
                self.left_out.add(layer)

    def _layer(self, trace: Trace, layer: int, at: int, attention: AttentionTrace) -> None:
        vectors = _three(self.model, trace, layer, at, attention)
        tops = {name: self.tops.of_components(some) for name, some in vectors.items()}
        for one, other in PAIRS:
            figures = shared(tops[one], tops[other])
            self.means[one, other].add(torch.full_like(figures, layer).long(), figures)

    def series(self) -> list[Series]:
        """One line a pair."""
        return [
            means.series(
                f"{one}~{other}", f"{one.capitalize()} and {other}", range(self.model.shape.layers)
            )
            for (one, other), means in self.means.items()
        ]

    def notes(self) -> tuple[str, ...]:
        """Which layers were left out."""
        if not self.left_out:
            return ()
        layers = ", ".join(map(str, sorted(self.left_out)))
        return (
            f"Queries and keys of layers {layers} are left out on some prompts or on all: made "
            "again from the stream, they do not give the model's own attention pattern.",
        )


def _three(
    model: LoadedModel, trace: Trace, layer: int, at: int, attention: AttentionTrace
) -> dict[str, Float[Tensor, "head d_model"]]:
    heads = torch.arange(attention.heads, device=trace.resid_final.device)
    here = torch.full_like(heads, at)
    block, part = model.blocks[layer], trace.blocks[layer]
    return {
        "query": query_directions(model, layer, attention, at),
        "key": key_directions(model, layer, attention, at, heads, here, rotated=False),
        "value": values(block, part, at, here[:, None])[:, 0],
    }
