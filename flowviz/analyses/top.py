"""The top tokens of many vectors, and how many of them two vectors share."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flowviz.lens import to_logits
from flowviz.models.loaded import LoadedModel

LOGITS = 2**24  # that are held at once: 64 MB in float32


def rows_at_once(model: LoadedModel) -> int:
    """How many vectors are read in one product."""
    return max(LOGITS // model.shape.vocabulary, 1)


def logits_of(
    model: LoadedModel, normed: Float[Tensor, "n d_model"], is_state: Bool[Tensor, " n"]
) -> Iterator[Float[Tensor, "m d_vocab"]]:
    """The logits of normed vectors (flowviz/lens.py), so many at a time as memory is set aside."""
    rows = rows_at_once(model)
    for some, states in zip(normed.split(rows), is_state.split(rows), strict=True):
        yield to_logits(model, some, states)


def top_tokens(
    model: LoadedModel, normed: Float[Tensor, "n d_model"], is_state: Bool[Tensor, " n"], k: int
) -> Int[Tensor, "n k"]:
    """The k tokens that each normed vector promotes most."""
    found = [logits.topk(k).indices for logits in logits_of(model, normed, is_state)]
    return torch.cat(found)


def shared(one: Int[Tensor, "*n k"], other: Int[Tensor, "*#n k"]) -> Float[Tensor, "*n"]:
    """I_k: the share of the tokens of a set that are in the other; each set's are distinct.

    Sorted together, a token of both stands beside itself: one sort for any number of sets.
    """
    both = torch.cat([one, other.expand_as(one)], -1).sort(-1).values
    twice = (both[..., 1:] == both[..., :-1]).sum(-1)
    return twice.double() / one.shape[-1]
