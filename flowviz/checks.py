"""Every run checks itself: the laws of the flow, measured on the very pass that is drawn.

An error is relative to the largest of the target, its logits and any state's flow in the pass,
so that a small difference of two large logits is not blamed for its cancellation.

Each block's parts are checked against its output as vectors, by the products of both with a few
fixed random directions (Freivalds 1977): a matrix product less than adding the parts up, and a
fault shows with near certainty.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import BIAS_NAMES
from flowviz.interventions.changes import Affine
from flowviz.models.block import Block
from flowviz.models.parts import Norm, exact
from flowviz.trace import BlockTrace

PROBES = 8
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.02}
"""What counts as exact. Half precision rounds every state that the model hands on: on random models
of 3 to 12 blocks the largest error was 4e-2 in bfloat16 and 4e-3 in float16. In float64 most models
still take norms or the softmax in float32: 1e-7, where GPT-2 has 1e-15 (`tests/test_precision.py`).
"""
_ABOVE_MID = [
    BIAS_NAMES.index(name)
    for name in ("ln2", "b_in", "b_out", "ln2_post", "set_neurons", "set_post")
]
_BELOW_FIRST = [BIAS_NAMES.index(name) for name in ("ln_embed", "set_first")]


@dataclass(frozen=True)
class LawErrors:
    """The largest relative error against each law; see the head of this module."""

    node: float
    cut: float
    target: float
    block: float


@torch.inference_mode()
def law_errors(flow: Flow) -> LawErrors:
    """Measures the laws on one flow."""
    scale = flow.scale
    blocks = [_block_error(flow, layer) for layer in range(len(flow.blocks))]
    return LawErrors(
        node=_largest([_node_error(flow, layer) for layer in range(len(flow.blocks))]) / scale,
        cut=_cut_error(flow) / scale,
        target=_largest(
            [
                abs(flow.value - model_target(flow)) / scale,
                flow.trace.head_error,
                flow.model.boot_error,
            ]
        ),
        block=_largest([_first_error(flow), *blocks]),
    )


def _largest(errors: list[float]) -> float:
    """The largest error; not a number where one is not."""
    return math.nan if any(map(math.isnan, errors)) else max(errors)


def model_target(flow: Flow) -> float:
    """The target by the model's own logits, before a soft cap."""
    logits, target = flow.trace.logits[flow.target.position], flow.target
    away = 0.0 if target.contrast is None else float(logits[target.contrast])
    return float(logits[target.token]) - away


def _node_error(flow: Flow, layer: int) -> float:
    """Law 1 in one block: at every state, what flows in and what flows out against its own flow,
    and at every head what flows in against its own."""
    values, p = flow.values, flow.positions
    part, gradient = flow.trace.blocks[layer], flow.blocks[layer]
    bias = {name: values.biases[i, layer] for i, name in enumerate(BIAS_NAMES)}
    sources = flow.head_sources(layer)
    constants = flow.head_constants(layer).sum(0) * part.pattern[:, :p, :p].sum(-1).T
    constants = constants + flow.set_heads(layer)
    after = values.resid_final if layer + 1 == values.layers else values.resid_pre[layer + 1]
    read = sources.sum((0, 1))
    neurons = flow.neuron_flows(layer).sum(-1)
    wrote = values.heads[layer].sum(-1) + bias["b_O"] + bias["ln1_post"] + bias["set_mid"]
    read_late = neurons - bias["ln2"] - bias["b_in"] - bias["set_neurons"]
    wrote_late = neurons + bias["b_out"] + bias["ln2_post"] + bias["set_post"]
    passed = (part.resid_pre[:p] * gradient.into_mid).sum(-1)
    errors = [sources.sum(-1).T + constants - values.heads[layer]]
    if part.resid_mid is None:
        errors += [
            passed + read + read_late - values.resid_pre[layer],
            passed + wrote + wrote_late - after,
        ]
    else:
        kept = (part.resid_mid[:p] * gradient.into_post).sum(-1)
        errors += [
            passed + read - values.resid_pre[layer],
            passed + wrote - values.resid_mid[layer],
            kept + read_late - values.resid_mid[layer],
            kept + wrote_late - after,
        ]
    return _largest([float(error.abs().max()) for error in errors])


def _cut_error(flow: Flow) -> float:
    """Law 2 at every cut, the embeddings included."""
    values = flow.values
    above = values.biases.sum((0, 2)).flip(0).cumsum(0).flip(0)
    first = values.biases[_BELOW_FIRST, 0].sum()
    bottom = values.embed.sum() + values.pos_embed.sum() + above[0]
    pre = values.resid_pre.sum(-1) + above[:-1]
    pre[0] -= first  # it has already entered the first state
    mid = values.resid_mid.sum(-1) + above[1:] + values.biases[_ABOVE_MID, :-1].sum((0, 2))
    cuts = [pre, bottom[None]] if flow.model.shape.parallel else [pre, mid, bottom[None]]
    return float((torch.cat(cuts) - flow.value).abs().max())


def _first_error(flow: Flow) -> float:
    """The first state against the embeddings that it is the sum of."""
    trace, first = flow.trace, flow.trace.blocks[0].resid_pre
    parts = trace.embed if trace.pos_embed is None else trace.embed + trace.pos_embed
    if flow.model.embed_bias is not None:
        parts = parts + exact(flow.model.embed_bias, parts) * trace.blocks[0].factor("ln_embed")
    parts = parts if trace.first is None else trace.first(parts)
    size = torch.maximum(first.norm(dim=-1), trace.embed.norm(dim=-1)).clamp(min=1e-12)
    return float(((first - parts).norm(dim=-1) / size).max())


def _block_error(flow: Flow, layer: int) -> float:
    """A block's parts against what it makes of the stream."""
    block, part = flow.model.blocks[layer], flow.trace.blocks[layer]
    after = flow.trace.resid_post(layer)
    probes = _probes(after)
    if part.resid_mid is None:
        parts = part.resid_pre @ probes + _of_attention(block, part, probes)
        made = _changed(part.after, parts + _of_mlp(block, part, probes), probes)
        errors = [after @ probes - made]
    else:
        mid = part.resid_mid
        errors = [
            mid @ probes - _changed(part.mid, _made_by_attention(block, part), probes),
            after @ probes - _changed(part.after, _made_by_mlp(block, part), probes),
        ]
    size = torch.maximum((after @ probes).norm(dim=-1), (part.resid_pre @ probes).norm(dim=-1))
    size = size.clamp(min=1e-12)  # of states that an intervention made nothing
    return _largest([float((error.norm(dim=-1) / size).max()) for error in errors])


def _changed(change: Affine | None, made: Tensor, probes: Tensor) -> Tensor:
    """What interventions make of a state, along the probes."""
    if change is None:
        return made
    return made * change.factor.to(made) + change.put.to(made) @ probes


def _made_by_attention(block: Block, part: BlockTrace) -> Tensor:
    """The state behind the attention by its parts, along the probes."""

    def written(into: Tensor) -> Tensor:
        return _of_attention(block, part, into)

    post, scale = block.attention.post, part.ln1_post_scale
    return _made(block, post, scale, part.resid_pre, written, part.factor("ln1_post"))


def _made_by_mlp(block: Block, part: BlockTrace) -> Tensor:
    """The state behind the MLP by its parts, along the probes."""

    def written(into: Tensor) -> Tensor:
        return _of_mlp(block, part, into)

    post, scale = block.mlp.post, part.ln2_post_scale
    return _made(block, post, scale, part.mlp_state, written, part.factor("ln2_post"))


def _made(
    block: Block,
    post: Norm,
    scale: Tensor | None,
    before: Tensor,
    written: Callable[[Tensor], Tensor],
    factor: Tensor | float,
) -> Tensor:
    """What a sublayer makes of the stream, along the probes.

    Args:
        written: what it writes, along given directions.
        factor: of the bias of the norm behind it.
    """
    probes = _probes(before)
    if not block.norms_stream or scale is None:
        return before @ probes + written(probes)
    into = post.pull(probes.T).T
    return (before @ into + written(into)) / scale + _probed(post.bias, probes) * factor


def _of_attention(block: Block, part: BlockTrace, probes: Tensor) -> Tensor:
    """What the heads and their bias write, along the probes."""
    attention, into = block.attention, _into_output(block, block.attention.post, probes)
    heads = part.z.flatten(1) @ (exact(attention.W_O, into).flatten(0, 1) @ into)
    written = heads + _probed(attention.b_O, into) * part.factor("b_O")
    behind = _probed(attention.post.bias, probes) * part.factor("ln1_post")
    return _from_output(block, part.ln1_post_scale, written, behind)


def _of_mlp(block: Block, part: BlockTrace, probes: Tensor) -> Tensor:
    """What the neurons and their bias write, along the probes."""
    mlp, into = block.mlp, _into_output(block, block.mlp.post, probes)
    written = part.post @ torch.matmul(exact(mlp.W_out, into), into).flatten(0, 1)
    bias = mlp.written_bias(part.router)
    if bias is not None:
        written = written + exact(bias, into) @ into * part.factor("b_out")
    behind = _probed(mlp.post.bias, probes) * part.factor("ln2_post")
    return _from_output(block, part.ln2_post_scale, written, behind)


def _into_output(block: Block, post: Norm, probes: Tensor) -> Tensor:
    return probes if block.norms_stream else post.pull(probes.T).T


def _from_output(
    block: Block, scale: Tensor | None, written: Tensor, behind: Tensor | float
) -> Tensor:
    if block.norms_stream or scale is None:
        return written * block.residual_scale
    return (written / scale + behind) * block.residual_scale


def _probes(like: Tensor) -> Float[Tensor, "d_model probe"]:
    generator = torch.Generator().manual_seed(0)
    probes = torch.randn(like.shape[-1], PROBES, generator=generator, dtype=like.dtype)
    return probes.to(like.device)


def _probed(bias: Tensor | None, probes: Tensor) -> Tensor | float:
    return 0.0 if bias is None else exact(bias, probes) @ probes
