"""A loaded model: its weights under the field's standard names, the same for every architecture.

Everything downstream reads these parts and never asks which architecture they came from; what
differs between architectures is decided once, in `architecture.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import RLock
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import ModelShape
from flowviz.models.tokens import Vocabulary


def exact(weight: Tensor) -> Tensor:
    """A weight in the precision that the flow is computed in: float32, or float64 where it is."""
    return weight if weight.dtype == torch.float64 else weight.float()


@dataclass(frozen=True, eq=False)
class Norm:
    """LayerNorm (centred) or RMSNorm. With its scale frozen it is affine in its input.

    Args:
        weight: what multiplies the normalised input; an offset of one is already in it.
        bias: None where there is none.
        centred: whether the mean is taken off first.
        eps: what is added to the mean square before the root.
    """

    weight: Float[Tensor, " d_model"]
    bias: Float[Tensor, " d_model"] | None
    centred: bool
    eps: float

    def pull(self, gradient: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """The transpose of the frozen norm, without its division by the scale.

        The division commutes with the rest, so that one pulled vector serves every position.
        """
        pulled = gradient * self.weight
        return pulled - pulled.mean(-1, keepdim=True) if self.centred else pulled

    def scale_of(self, state: Float[Tensor, "... d_model"]) -> Float[Tensor, "... 1"]:
        """The scale that the norm would divide this state by."""
        if self.centred:
            state = state - state.mean(-1, keepdim=True)
        return (state.pow(2).mean(-1, keepdim=True) + self.eps).sqrt()

    def apply(
        self, vector: Float[Tensor, "... d_model"], scale: Float[Tensor, "... 1"]
    ) -> Float[Tensor, "... d_model"]:
        """The linear part of the norm under a given scale; the bias is the caller's."""
        if self.centred:
            vector = vector - vector.mean(-1, keepdim=True)
        return vector / scale * self.weight


@dataclass(frozen=True, eq=False)
class Block:
    """One transformer block: attention, then MLP, each behind its norm.

    `W_in` is what carries the signal: for a gated MLP the linear branch. The gate's own weights
    are not needed once its value is frozen.
    """

    ln1: Norm
    W_V: Float[Tensor, "kv_head d_model d_head"]
    b_V: Float[Tensor, "kv_head d_head"] | None
    W_O: Float[Tensor, "head d_head d_model"]
    b_O: Float[Tensor, " d_model"] | None
    ln2: Norm
    W_in: Float[Tensor, "d_model d_mlp"]
    b_in: Float[Tensor, " d_mlp"] | None
    W_out: Float[Tensor, "d_mlp d_model"]
    b_out: Float[Tensor, " d_model"] | None
    act: Callable[[Tensor], Tensor]
    gated: bool

    @property
    def queries_per_value(self) -> int:
        """How many heads share one value head (grouped-query attention); 1 without it."""
        return self.W_O.shape[0] // self.W_V.shape[0]

    @cached_property
    def value_biases(self) -> Float[Tensor, "2 kv_head d_head"]:
        """What ln1's bias and b_V add to every value."""
        none = torch.zeros_like(self.W_V[:, 0])
        bias = self.ln1.bias
        through = none if bias is None else torch.einsum("d,kdh->kh", bias, self.W_V)
        return exact(torch.stack([through, none if self.b_V is None else self.b_V]))

    @cached_property
    def neuron_biases(self) -> Float[Tensor, "2 d_mlp"]:
        """What ln2's bias and b_in add to every neuron's (linear) input."""
        none = torch.zeros_like(self.W_in[0])
        through = none if self.ln2.bias is None else self.ln2.bias @ self.W_in
        return exact(torch.stack([through, none if self.b_in is None else self.b_in]))


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory. Take `lock` around every forward pass: its hooks are shared."""

    shape: ModelShape
    bridge: Any
    vocabulary: Vocabulary
    context: int | None
    blocks: tuple[Block, ...]
    ln_final: Norm
    W_U: Float[Tensor, "d_model d_vocab"]
    b_U: Float[Tensor, " d_vocab"] | None
    has_position_embedding: bool
    dtype: torch.dtype
    device: torch.device
    lock: Any = field(default_factory=RLock)

    def forget_pass(self) -> None:
        """Lets go of the last pass's attention patterns, which the bridge would keep.

        At 1,024 tokens of GPT-2 small they are 0.6 GB, with autograd's graph behind them.
        """
        with self.lock:
            for block in self.bridge.blocks:
                block.attn._pattern = None
