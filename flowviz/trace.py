"""One pass of one model on one prompt, recorded: everything that the flow is computed from.

TransformerLens hooks record the residual stream, the attention patterns, values and outputs of
the heads, the activations of the neurons and the scales of the norms. A trace of T tokens holds

    T * layers * (3 d_model + d_kv + 2 d_mlp + heads * T) + T * (4 d_model + d_vocab)

floats, so that its size is known before it is made (`trace_bytes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.models.architecture import hook_names
from flowviz.models.loaded import Block, LoadedModel


@dataclass(frozen=True, eq=False)
class BlockTrace:
    """What one block did.

    Args:
        gate: the frozen factor of each neuron: act(z)/z, or act(g) for a gated MLP.
        post: each neuron's output.
    """

    resid_pre: Float[Tensor, "pos d_model"]
    resid_mid: Float[Tensor, "pos d_model"]
    ln1_scale: Float[Tensor, "pos 1"]
    ln2_scale: Float[Tensor, "pos 1"]
    pattern: Float[Tensor, "head pos pos"]
    v: Float[Tensor, "pos kv_head d_head"]
    z: Float[Tensor, "pos head d_head"]
    gate: Float[Tensor, "pos d_mlp"]
    post: Float[Tensor, "pos d_mlp"]


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything recorded of one pass, in float32 or better."""

    ids: tuple[int, ...]
    blocks: tuple[BlockTrace, ...]
    embed: Float[Tensor, "pos d_model"]
    pos_embed: Float[Tensor, "pos d_model"] | None
    resid_final: Float[Tensor, "pos d_model"]
    final_scale: Float[Tensor, "pos 1"]
    logits: Float[Tensor, "pos d_vocab"]

    def resid_post(self, layer: int) -> Float[Tensor, "pos d_model"]:
        """The residual stream after a block."""
        last = layer + 1 == len(self.blocks)
        return self.resid_final if last else self.blocks[layer + 1].resid_pre

    @property
    def bytes(self) -> int:
        """The memory that it holds."""
        parts = [part for block in self.blocks for part in vars(block).values()]
        parts += [part for part in vars(self).values() if isinstance(part, Tensor)]
        return sum(part.numel() * part.element_size() for part in parts)


def trace_bytes(model: LoadedModel, tokens: int) -> int:
    """The memory that a trace of so many tokens takes in float32."""
    shape, block = model.shape, model.blocks[0]
    kv = block.W_V.shape[0] * block.W_V.shape[2]
    per_layer = 3 * shape.d_model + kv + 2 * shape.neurons + shape.heads * tokens
    return 4 * tokens * (shape.layers * per_layer + 4 * shape.d_model + shape.vocabulary)


def record(model: LoadedModel, ids: list[int]) -> Trace:
    """Runs the model once on these ids and records the pass."""
    parts: dict[tuple[str, int], Tensor] = {}

    def keep(part: str, layer: int) -> Any:
        def hook(value: Tensor, hook: Any = None) -> Tensor:
            parts[part, layer] = _kept(value)
            return value

        return hook

    hooks = [(name, keep(*place)) for name, place in hook_names(model).items()]
    tokens = torch.tensor([ids], device=model.device)
    with model.lock, torch.inference_mode():
        model.bridge.run_with_hooks(tokens, fwd_hooks=hooks, prepend_bos=False)
        model.forget_pass()
        blocks = tuple(_block(parts, layer, block) for layer, block in enumerate(model.blocks))
    return Trace(
        ids=tuple(ids),
        blocks=blocks,
        embed=parts["embed", -1],
        pos_embed=parts.get(("pos_embed", -1)),
        resid_final=parts["resid_final", -1],
        final_scale=parts["final_scale", -1],
        logits=parts["logits", -1],
    )


def _kept(value: Tensor) -> Tensor:
    value = value.detach()[0]
    return value if value.dtype == torch.float64 else value.float()


def _block(parts: dict[tuple[str, int], Tensor], layer: int, block: Block) -> BlockTrace:
    names = ("resid_pre", "resid_mid", "ln1_scale", "ln2_scale", "pattern", "v", "z", "post")
    pre = parts.pop(("pre", layer))
    linear = parts.pop(("linear", layer), None)
    post = parts["post", layer]
    gate = block.act(pre) if linear is not None else _ratio(block, pre, post)
    return BlockTrace(gate=gate, **{name: parts.pop((name, layer)) for name in names})


def _ratio(block: Block, pre: Tensor, post: Tensor) -> Tensor:
    """act(z) / z, and the derivative where z is near zero."""
    near = 1e-6
    step = torch.tensor([-1e-3, 1e-3], dtype=pre.dtype, device=pre.device)
    low, high = block.act(step)
    return torch.where(pre.abs() > near, post / pre, (high - low) / 2e-3)
