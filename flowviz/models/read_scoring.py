"""Where architectures keep what their queries and keys are made and compared with.

Most is told by attributes that transformers gives every attention (`scaling`, `sliding_window`,
`sinks`); positions that are added to scores, and rotations that a block does on its own, are asked
of the family. What is not read shows in `AttentionTrace.pattern_error`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from flowviz.models.parts import Norm
from flowviz.models.rotary import Layout
from flowviz.models.scoring import Scoring, Side

Bias = Callable[[int], Tensor]


def read_scoring(
    attention: Any, config: Any, layer: int, to_norm: Callable[[Any], Norm], b: Callable
) -> Scoring:
    """Reads one block's attention, a part of the bridge. Raises where it cannot.

    Args:
        to_norm, b: read a norm of the bridge, and a bias.
    """
    inner, cfg = attention.original_component, attention.config
    weight, key_shape = attention.W_Q, attention.W_K.shape
    query_shape = weight.shape
    q_norm, q_together = _norm(attention, "q_norm", query_shape, to_norm)
    k_norm, k_together = _norm(attention, "k_norm", key_shape, to_norm)
    sinks = getattr(inner, "sinks", None)
    return Scoring(
        queries=Side(lambda: attention.W_Q.detach(), b(attention.b_Q), q_norm, q_together),
        keys=Side(lambda: attention.W_K.detach(), b(attention.b_K), k_norm, k_together),
        scale=_scale(inner, config, query_shape[2]),
        cap=getattr(inner, "attn_logit_softcapping", None),
        window=_window(config, layer),
        bias=_alibi(config, inner, query_shape[0], weight.dtype),
        sinks=None if sinks is None else sinks.detach(),
        adjacent=_adjacent(inner, cfg),
        layout=_layout(config, cfg),
        table=_table(inner),
        stretch=_stretch(config),
        norm_last=bool(getattr(cfg, "qk_norm_after_rope", False)),
    )


def _scale(inner: Any, config: Any, d_head: int) -> float:
    for name in ("scaling", "softmax_scale", "inv_norm_factor"):
        if hasattr(inner, name):
            return float(getattr(inner, name))
    if hasattr(inner, "scale_attn"):  # GPT-J, CodeGen
        return 1 / float(inner.scale_attn)
    return 1.0 if config.model_type == "gpt_neo" else d_head**-0.5


def _window(config: Any, layer: int) -> int | None:
    if config.model_type == "gpt_neo":
        return config.window_size if config.attention_layers[layer] == "local" else None
    kinds = getattr(config, "layer_types", None)
    slides = kinds is None or kinds[layer] == "sliding_attention"
    return getattr(config, "sliding_window", None) if slides else None


def _norm(
    attention: Any, name: str, shape: Any, to_norm: Callable[[Any], Norm]
) -> tuple[Norm, bool]:
    """The norm on queries or keys, and whether it takes all heads together."""
    if name not in dict(attention.named_children()):
        return Norm(), False
    shown = getattr(attention, name)
    per_head = getattr(shown.original_component, "norms", None)  # StableLM: a module for each head
    if per_head is not None:
        weight = torch.stack([norm.weight.detach() for norm in per_head])
        bias = [norm.bias.detach() for norm in per_head if norm.bias is not None]
        return Norm(weight, torch.stack(bias) if bias else None, True, per_head[0].eps), False
    norm = to_norm(shown)
    heads, _, d_head = shape
    together = norm.weight is not None and norm.weight.numel() > d_head and norm.weight.dim() == 1
    if together and norm.centred:
        raise ValueError(f"{name} takes the mean over all heads")
    weight, bias = (
        None if each is None else each.reshape(-1, d_head).expand(heads, d_head)
        for each in (norm.weight, norm.bias)
    )
    return Norm(weight, bias, norm.centred, norm.eps), together


def _adjacent(inner: Any, cfg: Any) -> bool:
    flags = ("rotary_adjacent_pairs", "rotary_interleaved_cos_sin")
    return hasattr(inner, "embed_positions") or any(getattr(cfg, flag, False) for flag in flags)


def _layout(config: Any, cfg: Any) -> Layout:
    if config.model_type == "gpt_oss":
        return Layout.ONCE
    return Layout.TWINS if getattr(cfg, "rotary_interleaved_cos_sin", False) else Layout.HALVES


def _table(inner: Any) -> Tensor | None:
    """GPT-J and CodeGen hold the sine and cosine of every position in the block."""
    return getattr(inner, "embed_positions", None)


def _stretch(config: Any) -> tuple[float, int] | None:
    """Ministral 3 lets queries grow with their position."""
    rope = getattr(config, "rope_parameters", None)
    beta = rope.get("llama_4_scaling_beta") if isinstance(rope, dict) else None
    if not isinstance(rope, dict) or beta is None:
        return None
    return float(beta), int(rope["original_max_position_embeddings"])


def _alibi(config: Any, inner: Any, heads: int, dtype: torch.dtype) -> Bias | None:
    """What is added to the scores by position, by the family's own function and rounding."""
    if config.model_type == "bloom":
        from transformers.models.bloom.modeling_bloom import build_alibi_tensor

        return lambda n: build_alibi_tensor(_present(n), heads, dtype)[:, 0]
    if config.model_type == "falcon" and config.alibi:
        from transformers.models.falcon.modeling_falcon import build_alibi_tensor as build

        factor = float(inner.inv_norm_factor)
        return lambda n: build(_present(n), heads, dtype)[:, 0] * factor
    if config.model_type == "mpt" and config.attn_config.alibi:
        from transformers.models.mpt.modeling_mpt import build_mpt_alibi_tensor

        most = config.attn_config.alibi_bias_max
        return lambda n: build_mpt_alibi_tensor(heads, n, most, device="cpu")[:, 0]
    return None


def _present(positions: int) -> Tensor:
    """A mask that hides none."""
    return torch.ones(1, positions, dtype=torch.long, device="cpu")
