"""Every run checks itself: the laws of the flow, measured on the very pass that is drawn.

An error is relative to the largest of the target, its logits and any state's flow in the pass,
so that a small difference of two large logits is not blamed for its cancellation.

Each block's parts are checked against its output as vectors, by the products of both with a few
fixed random directions (Freivalds 1977): a matrix product less than adding the parts up, and a
fault shows with near certainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import BIAS_NAMES

PROBES = 8
TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.bfloat16: 0.3, torch.float16: 0.05}
_ABOVE_MID = [BIAS_NAMES.index(name) for name in ("ln2", "b_in", "b_out")]


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
    return LawErrors(
        node=_node_error(flow) / scale,
        cut=_cut_error(flow) / scale,
        target=abs(flow.value - _model_target(flow)) / scale,
        block=max(_block_error(flow, layer) for layer in range(len(flow.blocks))),
    )


def _model_target(flow: Flow) -> float:
    logits, target = flow.trace.logits[flow.target.position], flow.target
    away = 0.0 if target.contrast is None else float(logits[target.contrast])
    return float(logits[target.token]) - away


def _node_error(flow: Flow) -> float:
    """Law 1 at every state: what flows in, and what flows out, against its own flow."""
    return max(_block_node_error(flow, layer) for layer in range(len(flow.blocks)))


def _block_node_error(flow: Flow, layer: int) -> float:
    values, p = flow.values, flow.positions
    part, gradient = flow.trace.blocks[layer], flow.blocks[layer]
    passed = (part.resid_pre[:p] * gradient.r_mid).sum(-1)
    kept = (part.resid_mid[:p] * gradient.r_post).sum(-1)
    bias = {name: values.biases[i, layer] for i, name in enumerate(BIAS_NAMES)}
    sources = flow.head_sources(layer)
    read = values.neurons[layer].sum(-1) - bias["ln2"] - bias["b_in"]
    after = values.resid_final if layer + 1 == values.layers else values.resid_pre[layer + 1]
    constants = flow.head_constants(layer).sum(0) * part.pattern[:, :p, :p].sum(-1).T
    errors = (
        passed + sources.sum((0, 1)) - values.resid_pre[layer],
        passed + values.heads[layer].sum(-1) + bias["b_O"] - values.resid_mid[layer],
        kept + read - values.resid_mid[layer],
        kept + values.neurons[layer].sum(-1) + bias["b_out"] - after,
        sources.sum(-1).T + constants - values.heads[layer],
    )
    return max(float(error.abs().max()) for error in errors)


def _cut_error(flow: Flow) -> float:
    """Law 2 at every cut, the embeddings included."""
    values = flow.values
    above = values.biases.sum((0, 2)).flip(0).cumsum(0).flip(0)
    pre = values.resid_pre.sum(-1) + above[:-1]
    mid = values.resid_mid.sum(-1) + above[1:] + values.biases[_ABOVE_MID, :-1].sum((0, 2))
    bottom = values.embed.sum() + values.pos_embed.sum() + above[0]
    return float((torch.cat([pre, mid, bottom[None]]) - flow.value).abs().max())


def _block_error(flow: Flow, layer: int) -> float:
    block, part = flow.model.blocks[layer], flow.trace.blocks[layer]
    dtype, after = part.z.dtype, flow.trace.resid_post(layer)
    probes = _probes(after)
    heads = part.z.flatten(1) @ (block.W_O.flatten(0, 1).to(dtype) @ probes)
    neurons = part.post @ (block.W_out.to(dtype) @ probes)
    pre, mid, post = part.resid_pre @ probes, part.resid_mid @ probes, after @ probes
    attention = mid - pre - heads - _probed(block.b_O, probes)
    mlp = post - mid - neurons - _probed(block.b_out, probes)
    return max(float((e.norm(dim=-1) / post.norm(dim=-1)).max()) for e in (attention, mlp))


def _probes(like: Tensor) -> Float[Tensor, "d_model probe"]:
    generator = torch.Generator().manual_seed(0)
    probes = torch.randn(like.shape[-1], PROBES, generator=generator, dtype=like.dtype)
    return probes.to(like.device)


def _probed(bias: Tensor | None, probes: Tensor) -> Tensor | float:
    return 0.0 if bias is None else bias.to(probes.dtype) @ probes
