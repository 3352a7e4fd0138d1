"""The top tokens of many vectors, and how many of them two vectors share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.lens import normed_components, normed_states, to_logits
from flowviz.models.loaded import LoadedModel

LOGITS = 2**24  # that are held at once: 64 MB in float32


def rows_at_once(model: LoadedModel) -> int:
    """How many vectors are read in one product."""
    return max(LOGITS // model.shape.vocabulary, 1)


def logits_of(
    model: LoadedModel, normed: Float[Tensor, "n d_model"], states: bool
) -> Iterator[Float[Tensor, "m d_vocab"]]:
    """The logits of normed vectors, so many at a time as memory is set aside for.

    Args:
        states: whether they are read as states or as components (flowviz/lens.py).
    """
    for some in normed.split(rows_at_once(model)):
        is_state = torch.full((len(some),), states, device=some.device)
        yield to_logits(model, some, is_state)


def state_logits(
    model: LoadedModel, states: Float[Tensor, "n d_model"]
) -> Iterator[Float[Tensor, "m d_vocab"]]:
    """The logits of states of the stream, each with its own scale."""
    return logits_of(model, normed_states(model, states), states=True)


def component_logits(
    model: LoadedModel, vectors: Float[Tensor, "n d_model"]
) -> Iterator[Float[Tensor, "m d_vocab"]]:
    """The logits of written vectors, the final norm's scale set aside."""
    scale = torch.ones_like(vectors[:, :1])
    return logits_of(model, normed_components(model, vectors, scale), states=False)


@dataclass(frozen=True, eq=False)
class Tops:
    """Reads vectors as the k tokens that each promotes most."""

    model: LoadedModel
    k: int

    def of_states(self, states: Float[Tensor, "n d_model"]) -> Int[Tensor, "n k"]:
        """Of states of the stream."""
        return self._of(state_logits(self.model, states))

    def of_components(self, vectors: Float[Tensor, "n d_model"]) -> Int[Tensor, "n k"]:
        """Of vectors that are written into the stream; a positive factor changes nothing."""
        return self._of(component_logits(self.model, vectors))

    def _of(self, logits: Iterator[Tensor]) -> Int[Tensor, "n k"]:
        return torch.cat([some.topk(self.k).indices for some in logits])


def shared(one: Int[Tensor, "*n k"], other: Int[Tensor, "*#n k"]) -> Float[Tensor, "*n"]:
    """I_k: the share of the tokens of a set that are in the other; each set's are distinct.

    Sorted together, a token of both stands beside itself: one sort for any number of sets. The
    figures are on the processor, where means are taken.
    """
    both = torch.cat([one, other.expand_as(one)], -1).sort(-1).values
    twice = (both[..., 1:] == both[..., :-1]).sum(-1)
    return twice.cpu().double() / one.shape[-1]
