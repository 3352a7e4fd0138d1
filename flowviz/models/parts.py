"""What blocks are made of: norms, and weights as plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


def exact(weight: Tensor, like: Tensor | None = None) -> Tensor:
    """A weight in the precision that the flow is computed in: float32, or float64 where it is.

    Args:
        like: a tensor on the device where the weight is needed; its own where it is None.
    """
    weight = weight if weight.dtype == torch.float64 else weight.float()
    return weight if like is None else weight.to(like.device)


@dataclass(frozen=True, eq=False)
class Norm:
    """LayerNorm (centred), RMSNorm, or none at all. With its scale frozen it is affine.

    Args:
        weight: what multiplies the normalised input, an offset of one included; None for ones.
        bias: None where there is none.
        centred: whether the mean is taken off first.
        eps: what is added to the mean square before the root; None where nothing is normalised.
    """

    weight: Float[Tensor, "*head d_model"] | None = None
    bias: Float[Tensor, "*head d_model"] | None = None
    centred: bool = False
    eps: float | None = None

    def pull(self, gradient: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """The transpose of the frozen norm, without its division by the scale.

        The division commutes with the rest, so that one pulled vector serves every position.
        """
        pulled = gradient if self.weight is None else gradient * exact(self.weight, gradient)
        return pulled - pulled.mean(-1, keepdim=True) if self.centred else pulled

    def back(
        self, gradient: Float[Tensor, "... d_model"], scale: Float[Tensor, "... 1"]
    ) -> Float[Tensor, "... d_model"]:
        """The transpose of the frozen norm."""
        return gradient if self.eps is None else self.pull(gradient) / scale

    def scale_of(self, state: Float[Tensor, "... d_model"]) -> Float[Tensor, "... 1"]:
        """The scale that the norm would divide this state by; one where nothing is normalised."""
        if self.eps is None:
            return torch.ones_like(state[..., :1])
        if self.centred:
            state = state - state.mean(-1, keepdim=True)
        return (state.pow(2).mean(-1, keepdim=True) + self.eps).sqrt()

    def apply(
        self, vector: Float[Tensor, "... d_model"], scale: Float[Tensor, "... 1"]
    ) -> Float[Tensor, "... d_model"]:
        """The linear part of the norm under a given scale; the bias is the caller's."""
        if self.eps is None:
            return vector
        if self.centred:
            vector = vector - vector.mean(-1, keepdim=True)
        vector = vector / scale
        return vector if self.weight is None else vector * exact(self.weight, vector)


class Weights:
    """Two matrices of a sublayer, in and out, as plain numbers.

    Weights in 8 bits are made plain anew at each reading, and not kept.
    """

    def __init__(self, read_in: Callable[[], Tensor], read_out: Callable[[], Tensor]) -> None:
        self._in, self._out = _kept(read_in), _kept(read_out)
        self.in_shape, self.out_shape = tuple(read_in().shape), tuple(read_out().shape)

    def into(self) -> Tensor:
        """What reads the stream."""
        return self._in()

    def out(self) -> Tensor:
        """What writes to the stream."""
        return self._out()


def _kept(read: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """A weight that is the same at every reading is read once."""
    first = read().detach()
    if first.data_ptr() == read().data_ptr():
        return lambda: first
    return lambda: read().detach()
