"""Changes as hooks of the bridge: the model itself runs on with what they make of each value.

Wherever a hook stands, its value may hold one pass or many, with or without a dimension for them.
A hidden state between attention and MLP is not passed on by what its hook gives: only the MLP
reads that. So what was changed there is added to the state behind the block as well. Where norms
stand on the stream, the first norm's output is that state, and is passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from flowviz.graph.types import NodeKind
from flowviz.interventions.changes import Affine, Changes
from flowviz.models.block import Block, Mlp
from flowviz.models.parts import exact

Hook = Callable[..., Tensor]
Change = Callable[[Tensor], Tensor]


def hooks_of(changes: Changes) -> list[tuple[str, Hook]]:
    """The hooks by name, in the order in which they must be set."""
    model, hooks = changes.model, []
    passed_on: dict[int, Tensor] = {}
    for name, (part, layer) in model.hooks.items():
        change = _change(changes, part, layer, passed_on)
        if change is not None:
            hooks.append((name, _hook(change, changes.positions, _dimensions(part))))
    for layer, block in enumerate(model.blocks):
        mid = _mid(changes, layer, {}) if block.norms_stream else None
        if mid is not None:
            hooks.append((f"blocks.{layer}.ln1.hook_out", _hook(mid, changes.positions, 2)))
        if block.mlp.router is not None and _writes_anew(changes, layer):
            hooks += _expert_hooks(changes, layer)
    return hooks


def _dimensions(part: str) -> int:
    """Those of a value of one pass, without a dimension for passes."""
    return 3 if part == "z" else 2


def _hook(change: Change, positions: int, dimensions: int) -> Hook:
    def hook(value: Tensor, hook: Any = None) -> Tensor:
        if value.dim() > dimensions:
            return change(value)
        return change(value.unflatten(0, (-1, positions))).flatten(0, 1)

    return hook


def _change(changes: Changes, part: str, layer: int, passed_on: dict[int, Tensor]) -> Change | None:
    """What becomes of the value of one hook; None where it stays."""
    match part:
        case "embed":
            return _embeddings(changes)
        case "pos_embed":
            return changes.vectors.get((NodeKind.POS_EMBED, 0))
        case "z" if layer in changes.heads:
            return lambda z: changes.z(layer, z)
        case "post" if layer in changes.neurons:
            return lambda post: changes.post(layer, post)
        case "attn_out" if ("b_O", layer) in changes.biases:
            return lambda out: out + _less(changes, "b_O", layer).to(out)
        case "mlp_out" if ("b_out", layer) in changes.biases and not _is_expert(changes, layer):
            return lambda out: out + _less(changes, "b_out", layer).to(out)
        case "resid_mid" if not changes.model.blocks[layer].norms_stream:
            return _mid(changes, layer, passed_on)
        case "resid_pre":
            return _state(changes, NodeKind.RESID_PRE, layer, passed_on)
        case "resid_final":
            return _state(changes, NodeKind.RESID_FINAL, len(changes.model.blocks), passed_on)
    return None


def _is_expert(changes: Changes, layer: int) -> bool:
    return changes.model.blocks[layer].mlp.router is not None


def _embeddings(changes: Changes) -> Change | None:
    """The embedding stands there with its norm's bias, which is no part of a token."""
    change, bias = changes.vectors.get((NodeKind.EMBED, 0)), changes.model.embed_bias
    if change is None or bias is None:
        return change
    bias = exact(bias, change.put)
    return Affine(change.factor, change.put + (1 - change.factor) * bias)


def _mid(changes: Changes, layer: int, passed_on: dict[int, Tensor]) -> Change | None:
    change = changes.vectors.get((NodeKind.RESID_MID, layer))
    if change is None and ("ln1_post", layer) not in changes.biases:
        return None

    def apply(state: Tensor) -> Tensor:
        changed = state + _less(changes, "ln1_post", layer).to(state)
        changed = changed if change is None else change(changed)
        passed_on[layer] = changed - state
        return changed

    return apply


def _state(
    changes: Changes, kind: NodeKind, layer: int, passed_on: dict[int, Tensor]
) -> Change | None:
    """The state in front of a block, or behind the last; with what the block before passes on."""
    change, before = changes.vectors.get((kind, layer)), layer - 1
    biases = [("ln_embed", 0)] if layer == 0 else [("ln2_post", before)]
    if layer and changes.model.blocks[before].parallel:
        biases.append(("ln1_post", before))
    biases = [bias for bias in biases if bias in changes.biases]
    mid = _has_mid(changes, before)
    if change is None and not biases and not mid:
        return None

    def apply(state: Tensor) -> Tensor:
        if before in passed_on:
            state = state + passed_on.pop(before)
        for bias in biases:
            state = state + _less(changes, *bias).to(state)
        return state if change is None else change(state)

    return apply


def _has_mid(changes: Changes, layer: int) -> bool:
    if layer < 0 or changes.model.blocks[layer].norms_stream:
        return False
    return (NodeKind.RESID_MID, layer) in changes.vectors or ("ln1_post", layer) in changes.biases


def _less(changes: Changes, name: str, layer: int) -> Tensor:
    """What a written bias adds to its place by being multiplied: (factor - 1) times the bias."""
    factor = changes.biases.get((name, layer))
    if factor is None:
        return torch.zeros((), device=changes.model.device)
    bias = written_bias_of(changes, name, layer)
    return (factor - 1) * exact(bias, factor)


def written_bias_of(changes: Changes, name: str, layer: int) -> Tensor:
    """A bias where it is added: an output's, or one of a norm behind."""
    block: Block = changes.model.blocks[layer]
    scale = 1.0 if block.norms_stream else block.residual_scale
    found = {
        "b_O": lambda: block.attention.b_O,
        "b_out": lambda: block.mlp.b_out,
        "ln1_post": lambda: _scaled(block.attention.post.bias, scale),
        "ln2_post": lambda: _scaled(block.mlp.post.bias, scale),
        "ln_embed": lambda: changes.model.embed_bias,
    }[name]()
    assert found is not None, name
    return found


def _scaled(bias: Tensor | None, scale: float) -> Tensor | None:
    return None if bias is None else exact(bias) * scale


def _writes_anew(changes: Changes, layer: int) -> bool:
    return layer in changes.neurons or ("b_out", layer) in changes.biases


def _expert_hooks(changes: Changes, layer: int) -> list[tuple[str, Hook]]:
    """Experts show no neurons: what they write is made again from what their router read."""
    model, read = changes.model, {}
    mlp = model.blocks[layer].mlp

    def see(value: Tensor, hook: Any = None) -> Tensor:
        read["input"] = value
        return value

    def write(value: Tensor, hook: Any = None) -> Tensor:
        inputs = exact(read.pop("input")).reshape(-1, value.shape[-1])
        return _written(changes, layer, mlp, inputs).to(value).view_as(value)

    names = {place: name for name, place in model.hooks.items()}
    return [(names["mlp_in", layer], see), (names["mlp_out", layer], write)]


def _written(changes: Changes, layer: int, mlp: Mlp, inputs: Tensor) -> Tensor:
    """What experts write when some of their neurons, or their bias, are changed."""
    assert mlp.router is not None
    firing = mlp.router.fire(inputs)
    if layer in changes.neurons:
        post = changes.post(layer, firing.post.unflatten(0, (-1, changes.positions)))
        firing = firing._replace(post=post.flatten(0, 1))
    bias, factor = mlp.written_bias(firing.router), changes.biases.get(("b_out", layer))
    written = mlp.written(firing)
    if bias is None or factor is None:
        return written
    less = bias.unflatten(0, (-1, changes.positions)) * (factor - 1)
    return written + less.flatten(0, 1)
