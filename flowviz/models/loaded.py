"""A loaded model: its weights under the field's standard names, the same for every architecture.

Everything downstream reads these parts and never asks which architecture they came from; what
differs between architectures is decided once, in `architecture.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import ModelShape
from flowviz.models.block import Block
from flowviz.models.parts import Norm
from flowviz.models.tokens import Vocabulary


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in memory. Take `lock` around every forward pass: its hooks are shared.

    Args:
        hooks: where the bridge shows what a trace holds, by name (`architecture.py`).
        embed_bias: of the norm between the embedding and the first block, where there is one.
        logit_scale: what the model multiplies its logits with, after W_U and b_U.
        precision: of the weights, in a word.
        boot_error: the logits behind the bridge against those of the model without it.
    """

    shape: ModelShape
    bridge: Any
    vocabulary: Vocabulary
    context: int | None
    blocks: tuple[Block, ...]
    hooks: dict[str, tuple[str, int]]
    embed_bias: Float[Tensor, " d_model"] | None
    ln_final: Norm
    W_U: Float[Tensor, "d_model d_vocab"]
    b_U: Float[Tensor, " d_vocab"] | None
    logit_scale: float
    dtype: torch.dtype
    device: torch.device
    precision: str
    boot_error: float = 0.0
    lock: Any = field(default_factory=RLock)

    @property
    def module(self) -> Any:
        """What holds the weights."""
        return self.bridge

    def forget_pass(self) -> None:
        """Lets go of the last pass's attention patterns, which the bridge would keep.

        At 1,024 tokens of GPT-2 small they are 0.6 GB, with autograd's graph behind them.
        """
        with self.lock:
            for block in self.bridge.blocks:
                if hasattr(block, "attn"):
                    block.attn._pattern = None

    def capped(self, logits: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Logits as the model gives them: softly capped, where it does so."""
        cap = self.shape.logit_cap
        return logits if cap is None else torch.tanh(logits / cap) * cap
