"""What differs between architectures, all of it: where a model's parts are found.

The rest of flowviz reads a `LoadedModel`. Most of what differs is told by which parts a block
has (a norm before or behind a sublayer, a gate, experts); what is left stands in a model's
configuration, and is read here. `docs/architectures.md` shows how to add an architecture.

A sublayer that cannot be read counts as writing nothing. The laws, which every run measures, then
say how much is missing, and the page shows what is right without it: the lens and the attention.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from flowviz.graph.types import ModelShape
from flowviz.models.block import Attention, Block, Gate, Mlp
from flowviz.models.experts import expert_mlp
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, Weights, exact
from flowviz.models.quantised import EightBitLinear
from flowviz.models.read_scoring import read_scoring
from flowviz.models.scoring import Scoring
from flowviz.models.tokens import Vocabulary

log = logging.getLogger(__name__)
NO_NORM = Norm()
ACTIVATIONS = ("act", "act_fn", "activation_fn", "activation", "gelu_impl")


def before_boot(model: Any) -> None:
    """Puts into another order what the bridge reads otherwise than the model does.

    Falcon-40B's fused queries, keys and values stand together by value head; the bridge takes
    all queries to come first. Its configuration says `multi_query`, which its blocks pass over.
    """
    if not getattr(model.config, "new_decoder_architecture", False):
        return
    model.config.multi_query = False
    for block in model.transformer.h:
        fused, groups = block.self_attention.query_key_value, block.self_attention.num_kv_heads
        fused.weight = Parameter(_by_kind(fused.weight, groups, block.self_attention.head_dim))
        if fused.bias is not None:
            fused.bias = Parameter(_by_kind(fused.bias, groups, block.self_attention.head_dim))


def as_trained(model: Any) -> None:
    """Mends what transformers computes otherwise than the model was trained.

    Falcon's eager attention adds ALiBi twice, by itself and with the mask (5.23; its `sdpa` adds
    it once, as it should be). Here what it adds by itself is zero.
    """
    if model.config.model_type == "falcon" and model.config.alibi:
        for block in model.transformer.h:
            block.register_forward_pre_hook(_alibi_in_the_mask, with_kwargs=True)


def _alibi_in_the_mask(_: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return args, {**kwargs, "alibi": torch.zeros_like(kwargs["alibi"])}


def _by_kind(fused: Tensor, groups: int, d_head: int) -> Tensor:
    """Rows by value head (its queries, its key, its value) → all queries, all keys, all values."""
    rows = fused.detach().unflatten(0, (groups, -1, d_head))
    parts = (rows[:, :-2], rows[:, -2], rows[:, -1])
    return torch.cat([part.reshape(-1, *fused.shape[1:]) for part in parts])


def read_model(name: str, bridge: Any, tokenizer: Any) -> LoadedModel:
    """Names the parts of a booted bridge. Raises ModelError where it cannot."""
    config = bridge.original_model.config
    blocks = tuple(_block(bridge, config, layer) for layer in range(len(bridge.blocks)))
    weight = _unembedding(bridge)
    return LoadedModel(
        shape=_shape(name, bridge, config, blocks, weight.shape[1]),
        bridge=bridge,
        vocabulary=Vocabulary(tokenizer, weight.shape[1]),
        context=getattr(bridge.cfg, "n_ctx", None),
        blocks=blocks,
        hooks=_hooks(bridge, blocks),
        embed_bias=_embed_bias(bridge),
        ln_final=_norm_of(bridge, "ln_final"),
        W_U=weight,
        b_U=_bias(bridge.b_U),
        logit_scale=_logit_scale(config),
        dtype=weight.dtype,
        device=weight.device,
        precision=_precision(bridge, weight.dtype),
    )


def _shape(
    name: str, bridge: Any, config: Any, blocks: tuple[Block, ...], vocabulary: int
) -> ModelShape:
    experts = tuple(block.mlp.d_expert * (block.mlp.router is not None) for block in blocks)
    return ModelShape(
        name=name,
        architecture=bridge.cfg.architecture,
        layers=len(blocks),
        heads=blocks[0].attention.heads,
        neurons=max(block.mlp.neurons for block in blocks),
        d_model=blocks[0].attention.weights.out_shape[2],
        vocabulary=vocabulary,
        parallel=blocks[0].parallel,
        expert_neurons=experts if any(experts) else (),
        logit_cap=getattr(config, "final_logit_softcapping", None),
    )


def _precision(bridge: Any, dtype: torch.dtype) -> str:
    """int8 where any layer is held so: what stays in `dtype` then is the smaller part."""
    eight_bit = any(isinstance(part, EightBitLinear) for part in bridge.original_model.modules())
    return "int8" if eight_bit else str(dtype).removeprefix("torch.")


def _unembedding(bridge: Any) -> Tensor:
    """From the last state to the logits; OPT-350m narrows the state first."""
    weight = bridge.W_U.detach()
    if _has(bridge, "project_out"):
        return bridge.project_out.weight.detach().T @ weight
    return weight


def _logit_scale(config: Any) -> float:
    """Cohere multiplies its logits, Granite divides them."""
    if config.model_type.startswith("cohere"):
        return float(config.logit_scale or 1)
    return 1 / float(getattr(config, "logits_scaling", None) or 1)


def _embed_bias(bridge: Any) -> Tensor | None:
    """BLOOM normalises its embeddings; the norm's bias is no part of a token."""
    return _norm(bridge.embed_ln).bias if _has(bridge, "embed_ln") else None


def _block(bridge: Any, config: Any, layer: int) -> Block:
    block = bridge.blocks[layer]
    parallel = _is_parallel(bridge, config, layer)
    ln1, ln2 = _norm_of(block, "ln1"), _norm_of(block, "ln2")
    if parallel and not _has(block, "ln2"):
        ln2 = ln1  # one norm for both
    post1, post2 = _norm_of(block, "ln1_post"), _norm_of(block, "ln2_post")
    if _norms_stream(config):
        ln1, ln2, post1, post2 = NO_NORM, NO_NORM, ln1, ln2
    return Block(
        attention=replace(
            _attention(bridge, block, ln1, post1), scoring=_scoring(block, config, layer)
        ),
        mlp=_mlp(bridge, block, ln2, post2),
        parallel=parallel,
        residual_scale=float(getattr(config, "residual_multiplier", 1)),
        norms_stream=_norms_stream(config),
    )


def _is_parallel(bridge: Any, config: Any, layer: int) -> bool:
    """Whether no state stands between attention and MLP, or none is shown."""
    if type(bridge.blocks[layer]).__name__ == "ParallelBlockBridge":
        return True
    shown = f"blocks.{layer}.hook_resid_mid" in bridge.hook_dict
    return not shown and not _norms_stream(config)


def _norms_stream(config: Any) -> bool:
    """GPT-1 and OPT-350m normalise the stream itself, behind each sublayer."""
    return config.model_type == "openai-gpt" or not getattr(config, "do_layer_norm_before", True)


def _attention(bridge: Any, block: Any, norm: Norm, post: Norm) -> Attention:
    try:
        return _read_attention(block.attn, norm, post)
    except Exception as error:  # whatever another architecture's parts make this stumble over
        log.info("attention that flowviz cannot read: %s", error)
        values = torch.zeros(1, bridge.cfg.d_model, 1)
        outputs = torch.zeros(bridge.cfg.n_heads or 1, 1, bridge.cfg.d_model)
        weights = Weights(lambda: values, lambda: outputs)
        return Attention(norm=norm, weights=weights, b_V=None, b_O=None, post=post)


def _read_attention(attention: Any, norm: Norm, post: Norm) -> Attention:
    return Attention(
        norm=norm,
        weights=Weights(lambda: attention.W_V, lambda: attention.W_O),
        b_V=_bias(attention.b_V),
        b_O=_bias(attention.b_O),
        post=post,
    )


def _scoring(block: Any, config: Any, layer: int) -> Scoring | None:
    try:
        return read_scoring(block.attn, config, layer, _norm, _bias)
    except Exception as error:  # whatever another architecture's parts make this stumble over
        log.info("queries and keys that flowviz cannot read: %s", error)
        return None


def _mlp(bridge: Any, block: Any, norm: Norm, post: Norm) -> Mlp:
    try:
        mlp = _read_mlp(block, norm, post)
        _check_mlp(mlp, bridge)
        return mlp
    except Exception as error:  # whatever another architecture's parts make this stumble over
        log.info("an MLP that flowviz cannot read: %s", error)
        nothing = torch.zeros(1, bridge.cfg.d_model, 1)
        weights = Weights(lambda: nothing, lambda: nothing.transpose(1, 2))
        return Mlp(norm=norm, weights=weights, b_in=None, b_out=None, act=torch.relu, gated=False,
                   post=post)  # fmt: skip


def _check_mlp(mlp: Mlp, bridge: Any) -> None:
    """Raises where the two matrices do not belong together, or experts do not run as read."""
    (experts, d_model, d_in), (_, d_out, _) = mlp.weights.in_shape, mlp.weights.out_shape
    if (d_in, d_model) != (d_out, bridge.cfg.d_model):
        raise ValueError(f"W_in of {experts} x {d_model} x {d_in}, W_out from {d_out}")
    if mlp.router is not None:
        with torch.inference_mode():
            mlp.router.fire(torch.zeros_like(exact(mlp.W_in[:1, :, 0])))


def _read_mlp(block: Any, norm: Norm, post: Norm) -> Mlp:
    mlp, inner = block.mlp, block.mlp.original_component
    if hasattr(inner, "experts"):
        return expert_mlp(inner, norm, post)
    if _has(mlp, "dense_in"):  # a plain MLP among blocks of experts
        into, out, gated = mlp.dense_in, mlp.dense_out, _has(mlp, "dense_gate")
        weights = Weights(lambda: into.weight.T[None], lambda: out.weight.T[None])
        b_in, b_out, gate = into.bias, out.bias, getattr(mlp, "dense_gate", None)
    else:
        weights = Weights(lambda: mlp.W_in[None], lambda: mlp.W_out[None])
        b_in, b_out, gated = mlp.b_in, mlp.b_out, mlp.W_gate is not None
        gate = getattr(mlp, "gate", None)
    bias = _bias(b_out)
    return Mlp(
        norm=norm,
        weights=weights,
        b_in=_bias(b_in),
        b_out=None if bias is None else bias[None],
        act=_activation(inner if inner is not None else block.original_component),
        gated=gated,
        post=post,
        gate=_gate(mlp, gate) if gated else None,
    )


def _gate(mlp: Any, branch: Any) -> Gate:
    return Gate(lambda: mlp.W_gate.detach()[None], _bias(getattr(branch, "bias", None)))


def _activation(module: Any) -> Any:
    return next(getattr(module, name) for name in ACTIVATIONS if hasattr(module, name))


def _has(component: Any, name: str) -> bool:
    return component is not None and name in dict(component.named_children())


def _norm_of(component: Any, name: str) -> Norm:
    """A norm by its name; none where there is none, or none that can be read."""
    try:
        return _norm(getattr(component, name)) if _has(component, name) else NO_NORM
    except AttributeError as error:
        log.info("a norm that flowviz cannot read: %s", error)
        return NO_NORM


def _norm(norm: Any) -> Norm:
    inner = norm.original_component
    weight = getattr(inner, "weight", None)
    if weight is not None:
        weight = 1 + weight.detach().float() if norm.uses_weight_offset else weight.detach()
    return Norm(
        weight=weight,
        bias=_bias(getattr(inner, "bias", None)),
        centred=not norm.uses_rms_norm,
        eps=float(getattr(inner, "eps", getattr(inner, "variance_epsilon", 1e-5))),
    )


def _bias(bias: Tensor | None) -> Tensor | None:
    """A bias that is there; the bridge fills some absent ones with zeros."""
    return bias.detach() if bias is not None and bool(torch.any(bias != 0)) else None


def _hooks(bridge: Any, blocks: tuple[Block, ...]) -> dict[str, tuple[str, int]]:
    """Hook name → (what it shows, its layer); layer -1 stands outside blocks."""
    narrow = _has(bridge, "project_in")
    names = {
        "project_in.hook_out" if narrow else "hook_embed": ("embed", -1),
        _last_state(bridge): ("resid_final", -1),
        "unembed.hook_out": ("logits", -1),
    }
    if _has(bridge, "pos_embed"):
        names["hook_pos_embed"] = ("pos_embed", -1)
    for layer, block in enumerate(blocks):
        shown = getattr(bridge.blocks[layer], "mlp", None)
        names |= {f"blocks.{layer}.{hook}": (part, layer) for hook, part in _in_block(block, shown)}
    return {name: place for name, place in names.items() if name in bridge.hook_dict}


def _last_state(bridge: Any) -> str:
    """What reads the state behind the last block."""
    if _has(bridge, "ln_final"):
        return "ln_final.hook_in"
    return "project_out.hook_in" if _has(bridge, "project_out") else "unembed.hook_in"


def _in_block(block: Block, mlp: Any) -> list[tuple[str, str]]:
    named = [("hook_in", "resid_pre"), *_ATTENTION_HOOKS]
    if not block.parallel:
        named.append(("mlp.in.hook_in" if block.norms_stream else "hook_resid_mid", "resid_mid"))
    for name, norm in (("ln1", block.attention.post), ("ln2", block.mlp.post)):
        if norm.eps is not None:
            behind = name if block.norms_stream else f"{name}_post"
            named.append((f"{behind}.hook_scale", f"{name}_post_scale"))
    named.append(("mlp.out.hook_out" if _has(mlp, "out") else "mlp.hook_out", "mlp_out"))
    if block.mlp.router is not None:
        return [*named, ("mlp.hook_in", "mlp_in")]
    named += [("mlp.hook_pre", "pre"), ("mlp.hook_post", "post")]
    return [*named, ("mlp.hook_pre_linear", "linear")] if block.mlp.gated else named


_ATTENTION_HOOKS = [
    ("attn.hook_pattern", "pattern"),
    ("attn.hook_v", "v"),
    ("attn.hook_z", "z"),
    ("attn.o.hook_out", "attn_out"),
    ("attn.hook_cos", "cos"),
    ("attn.hook_sin", "sin"),
]
