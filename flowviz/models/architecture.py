"""What differs between architectures, all of it: where a model's parts are found.

The rest of flowviz reads `LoadedModel` and `HookNames`. A new architecture is an entry in
`SUPPORTED`, and a change below where its parts are called or shaped differently.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flowviz.errors import ModelError
from flowviz.graph.types import ModelShape
from flowviz.models.loaded import Block, LoadedModel, Norm
from flowviz.models.supported import SUPPORTED
from flowviz.models.tokens import Vocabulary


def read_model(name: str, bridge: Any, tokenizer: Any) -> LoadedModel:
    """Names the parts of a booted bridge. Raises ModelError for an architecture not covered."""
    architecture = bridge.cfg.architecture
    if architecture not in SUPPORTED:
        raise ModelError(
            f"{name} has the architecture {architecture}, for which the flow is not exact yet. "
            f"Choose a model with one of {', '.join(SUPPORTED)}."
        )
    blocks = tuple(_block(bridge, layer) for layer in range(len(bridge.blocks)))
    weight = bridge.W_U
    return LoadedModel(
        shape=_shape(name, architecture, blocks, weight.shape[1]),
        bridge=bridge,
        vocabulary=Vocabulary(tokenizer, weight.shape[1]),
        context=getattr(bridge.cfg, "n_ctx", None),
        blocks=blocks,
        ln_final=_norm(bridge.ln_final, bridge.cfg),
        W_U=weight,
        b_U=_bias(bridge.b_U),
        has_position_embedding=hasattr(bridge, "pos_embed"),
        dtype=weight.dtype,
        device=weight.device,
    )


def _shape(name: str, architecture: str, blocks: tuple[Block, ...], vocabulary: int) -> ModelShape:
    heads, _, d_model = blocks[0].W_O.shape
    return ModelShape(
        name=name,
        architecture=architecture,
        layers=len(blocks),
        heads=heads,
        neurons=blocks[0].W_out.shape[0],
        d_model=d_model,
        vocabulary=vocabulary,
    )


def _block(bridge: Any, layer: int) -> Block:
    block = bridge.blocks[layer]
    attention, mlp = block.attn, block.mlp
    return Block(
        ln1=_norm(block.ln1, bridge.cfg),
        W_V=attention.W_V,
        b_V=_bias(attention.b_V),
        W_O=attention.W_O,
        b_O=_bias(attention.b_O),
        ln2=_norm(block.ln2, bridge.cfg),
        W_in=mlp.W_in,
        b_in=_bias(mlp.b_in),
        W_out=mlp.W_out,
        b_out=_bias(mlp.b_out),
        act=_activation(bridge.cfg),
        gated=mlp.W_gate is not None,
    )


def _norm(norm: Any, config: Any) -> Norm:
    weight = norm.weight.detach()
    return Norm(
        weight=1 + weight if norm.uses_weight_offset else weight,
        bias=_bias(getattr(norm, "bias", None)),
        centred=not norm.uses_rms_norm,
        eps=float(config.eps),
    )


def _bias(bias: Tensor | None) -> Tensor | None:
    """A bias that is there; the bridge fills some absent ones with zeros."""
    return bias.detach() if bias is not None and bool(torch.any(bias != 0)) else None


def _activation(config: Any) -> Any:
    from transformers.activations import ACT2FN

    return ACT2FN[config.act_fn]


def hook_names(model: LoadedModel) -> dict[str, tuple[str, int]]:
    """Hook name → (what it holds in a BlockTrace, its layer); layer -1 stands outside blocks."""
    names = {
        "hook_embed": ("embed", -1),
        "ln_final.hook_in": ("resid_final", -1),
        "ln_final.hook_scale": ("final_scale", -1),
        "unembed.hook_out": ("logits", -1),
    }
    if model.has_position_embedding:
        names["hook_pos_embed"] = ("pos_embed", -1)
    for layer, block in enumerate(model.blocks):
        for hook, part in _BLOCK_HOOKS.items():
            names[f"blocks.{layer}.{hook}"] = (part, layer)
        if block.gated:
            names[f"blocks.{layer}.mlp.hook_pre_linear"] = ("linear", layer)
    return names


_BLOCK_HOOKS = {
    "hook_resid_pre": "resid_pre",
    "hook_resid_mid": "resid_mid",
    "ln1.hook_scale": "ln1_scale",
    "ln2.hook_scale": "ln2_scale",
    "attn.hook_pattern": "pattern",
    "attn.hook_v": "v",
    "attn.hook_z": "z",
    "mlp.hook_pre": "pre",
    "mlp.hook_post": "post",
}
