"""The embeddings of all tokens as they enter the first block, whatever a model does to them first.

Some models scale their embeddings, normalise them or widen them. So they are not read from the
weights but from a pass, which is stopped as soon as they are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.models.loaded import LoadedModel

TOKENS = 8192  # in one stopped pass
LENGTH = 32  # of each row in it


class _Stop(Exception):
    """Ends a pass once the embeddings are there."""


def token_embeddings(model: LoadedModel) -> Iterator[tuple[int, Float[Tensor, "n d_model"]]]:
    """The embeddings of tokens 0, 1, … in pieces, each with the id of its first token.

    Positions are not in them; the bias of a norm behind the embedding is.
    """
    table = model.bridge.original_model.get_input_embeddings().weight
    everything = torch.arange(min(table.shape[0], model.shape.vocabulary), device=model.device)
    for ids in everything.split(TOKENS):
        yield int(ids[0]), _embedded(model, ids)


@torch.inference_mode()
def _embedded(model: LoadedModel, ids: Int[Tensor, " n"]) -> Float[Tensor, "n d_model"]:
    found: list[Tensor] = []

    def hook(value: Tensor, hook: Any = None) -> Tensor:
        found.append(value.detach())
        raise _Stop

    length = min(LENGTH, model.context or LENGTH)
    rows = ids.new_zeros(-(-len(ids) // length) * length)
    rows[: len(ids)] = ids
    (name,) = (name for name, place in model.hooks.items() if place == ("embed", -1))
    with model.lock:
        with suppress(_Stop):
            model.bridge.run_with_hooks(
                rows.unflatten(0, (-1, length)), fwd_hooks=[(name, hook)], prepend_bos=False
            )
        model.forget_pass()
    embedded = found[0].flatten(0, -2)[: len(ids)].to(model.device)
    return embedded if embedded.dtype == torch.float64 else embedded.float()
