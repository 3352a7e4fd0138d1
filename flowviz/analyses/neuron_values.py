"""Values of neurons read as tokens, without a pass: each with its own scale in the final norm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.analyses.top import logits_of
from flowviz.analyses.written import through
from flowviz.graph.types import Projection
from flowviz.lens import projections, read
from flowviz.models.loaded import LoadedModel

LISTED = 10  # tokens at either end


def value_norms(model: LoadedModel, layer: int, neurons: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The length of each one's row of W_out."""
    return model.blocks[layer].mlp.writes(neurons).norm(dim=-1)


def value_projections(
    model: LoadedModel, layer: int, neurons: Int[Tensor, " n"], signs: Float[Tensor, " n"]
) -> list[Projection]:
    """What each value, times its sign, promotes; its first token stands as the target."""
    found: list[Projection] = []
    for logits in _logits(model, layer, neurons, signs):
        readings = read(logits, 0, LISTED)
        first = readings.top_logits[:, 0]
        own = replace(readings, target_logit=first, target_rank=torch.ones_like(first).long())
        found += projections(model, own)
    return found


def value_entropies(
    model: LoadedModel, layer: int, neurons: Int[Tensor, " n"], signs: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """The entropy in bits of what each value, times its sign, projects to."""
    parts = _logits(model, layer, neurons, signs)
    return torch.cat([read(logits, 0, 1).entropy for logits in parts])


def _logits(
    model: LoadedModel, layer: int, neurons: Int[Tensor, " n"], signs: Float[Tensor, " n"]
) -> Iterator[Float[Tensor, "m d_vocab"]]:
    block, norm = model.blocks[layer], model.ln_final
    values = through(block, block.mlp.post, block.mlp.writes(neurons)).to(model.device)
    signed = values * signs[:, None].to(values)
    return logits_of(model, norm.apply(signed, norm.scale_of(signed)), states=False)
