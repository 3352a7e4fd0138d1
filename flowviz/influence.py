"""Influence: how much of the target goes through each node, along all paths.

1. The target has influence 1.
2. Going backwards, each node shares its influence out over its inflows, in proportion to their
   absolute flow (normalised at the node).
3. A node's influence is the sum of what it is given.

So a node counts by what reaches the target through it, and large flows that cancel further up do
not count twice. It is the measure by which circuit-tracer prunes its attribution graphs
(Ameisen et al. 2025), computed here for the whole pass: one product for each matrix.
"""

from __future__ import annotations

import torch
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import BIAS_NAMES
from flowviz.values import NodeValues

_ROW = {name: row for row, name in enumerate(BIAS_NAMES)}


@torch.inference_mode()
def influence_of(flow: Flow) -> NodeValues:
    """The influence of every node; at every cut they sum to at most 1, with biases above to 1."""
    shape, p = flow.model.shape, flow.positions
    result = NodeValues.zeros(shape.layers, p, shape.heads, shape.neurons)
    reached = _from_target(flow, result)
    for layer in reversed(range(shape.layers)):
        reached = _through_mlp(flow, layer, reached, result)
        reached = _through_attention(flow, layer, reached, result)
        result.resid_pre[layer] = reached
    _to_embeddings(flow, reached, result)
    return result


def _shares(reached: Tensor, inflows: list[Tensor]) -> list[Tensor]:
    """Shares a node's influence out over its inflows; each inflow has one dimension more."""
    inflows = [inflow.abs() for inflow in inflows]
    total = torch.stack([inflow.sum(-1) for inflow in inflows]).sum(0)
    per_flow = torch.where(total > 0, reached / total, torch.zeros_like(total))
    return [inflow * per_flow[..., None] for inflow in inflows]


def _from_target(flow: Flow, result: NodeValues) -> Tensor:
    biases = flow.values.biases[:, -1, -1]
    inflow = torch.cat([flow.values.resid_final[-1:], biases]).abs()
    shares = inflow / inflow.sum().clamp(min=torch.finfo(inflow.dtype).tiny)
    result.resid_final[-1] = shares[0]
    result.biases[:, -1, -1] = shares[1:]
    return result.resid_final


def _through_mlp(flow: Flow, layer: int, reached: Tensor, result: NodeValues) -> Tensor:
    part, gradient, values = flow.trace.blocks[layer], flow.blocks[layer], flow.values
    kept = (part.resid_mid[: flow.positions] * gradient.r_post).sum(-1)
    kept, neurons, bias = _shares(
        reached,
        [kept[:, None], values.neurons[layer], values.biases[_ROW["b_out"], layer, :, None]],
    )
    through, own = flow.neuron_constants(layer)
    state = values.neurons[layer] - through - own
    total = (state.abs() + through.abs() + own.abs()).clamp(min=torch.finfo(state.dtype).tiny)
    given = neurons / total
    result.neurons[layer] = neurons
    result.biases[_ROW["b_out"], layer] = bias[:, 0]
    result.biases[_ROW["ln2"], layer] = (given * through.abs()).sum(-1)
    result.biases[_ROW["b_in"], layer] = (given * own.abs()).sum(-1)
    result.resid_mid[layer] = kept[:, 0] + (given * state.abs()).sum(-1)
    return result.resid_mid[layer]


def _through_attention(flow: Flow, layer: int, reached: Tensor, result: NodeValues) -> Tensor:
    part, gradient, values = flow.trace.blocks[layer], flow.blocks[layer], flow.values
    p = flow.positions
    kept = (part.resid_pre[:p] * gradient.r_mid).sum(-1)
    kept, heads, bias = _shares(
        reached, [kept[:, None], values.heads[layer], values.biases[_ROW["b_O"], layer, :, None]]
    )
    result.heads[layer] = heads
    result.biases[_ROW["b_O"], layer] = bias[:, 0]
    sources = flow.head_sources(layer).abs()
    constants = flow.head_constants(layer).abs()
    pattern = part.pattern[:, :p, :p]
    total = sources.sum(-1).T + constants.sum(0) * pattern.sum(-1).T
    given = heads / total.clamp(min=torch.finfo(total.dtype).tiny)
    read = torch.einsum("hqk,nqh->nk", pattern, constants * given)
    result.biases[_ROW["ln1"], layer], result.biases[_ROW["b_V"], layer] = read
    return kept[:, 0] + torch.einsum("hqk,qh->k", sources, given)


def _to_embeddings(flow: Flow, reached: Tensor, result: NodeValues) -> None:
    values = flow.values
    token, position = _shares(reached, [values.embed[:, None], values.pos_embed[:, None]])
    result.embed[:], result.pos_embed[:] = token[:, 0], position[:, 0]
