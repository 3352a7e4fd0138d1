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
    result = NodeValues.of(flow.model.shape, flow.positions, flow.trace.resid_final)
    reached = _from_target(flow, result)
    for layer, block in reversed(list(enumerate(flow.model.blocks))):
        if block.parallel:
            reached = _through_both(flow, layer, reached, result)
        else:
            reached = _through_mlp(flow, layer, reached, result)
            result.resid_mid[layer] = reached
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
    part, gradient, p = flow.trace.blocks[layer], flow.blocks[layer], flow.positions
    kept = (part.mlp_state[:p] * gradient.into_post).sum(-1)
    kept, neurons, *biases = _shares(
        reached, [kept[:, None], flow.neuron_flows(layer), *_written(flow, layer, AFTER_MLP)]
    )
    _keep_biases(result, layer, AFTER_MLP, biases)
    return kept[:, 0] + _read_by_neurons(flow, layer, neurons, result)


def _through_attention(flow: Flow, layer: int, reached: Tensor, result: NodeValues) -> Tensor:
    part, gradient, p = flow.trace.blocks[layer], flow.blocks[layer], flow.positions
    kept = (part.resid_pre[:p] * gradient.into_mid).sum(-1)
    kept, heads, *biases = _shares(
        reached, [kept[:, None], flow.values.heads[layer], *_written(flow, layer, AFTER_HEADS)]
    )
    _keep_biases(result, layer, AFTER_HEADS, biases)
    return kept[:, 0] + _read_by_heads(flow, layer, heads, result)


def _through_both(flow: Flow, layer: int, reached: Tensor, result: NodeValues) -> Tensor:
    part, gradient, p = flow.trace.blocks[layer], flow.blocks[layer], flow.positions
    kept = (part.resid_pre[:p] * gradient.into_post).sum(-1)
    writers = [flow.values.heads[layer], flow.neuron_flows(layer)]
    names = (*AFTER_HEADS, *AFTER_MLP)
    kept, heads, neurons, *biases = _shares(
        reached, [kept[:, None], *writers, *_written(flow, layer, names)]
    )
    _keep_biases(result, layer, names, biases)
    read = _read_by_heads(flow, layer, heads, result)
    return kept[:, 0] + read + _read_by_neurons(flow, layer, neurons, result)


AFTER_HEADS, AFTER_MLP = ("b_O", "ln1_post", "set_mid"), ("b_out", "ln2_post", "set_post")


def _written(flow: Flow, layer: int, names: tuple[str, ...]) -> list[Tensor]:
    return [flow.values.biases[_ROW[name], layer, :, None] for name in names]


def _keep_biases(
    result: NodeValues, layer: int, names: tuple[str, ...], shares: list[Tensor]
) -> None:
    for name, share in zip(names, shares, strict=True):
        result.biases[_ROW[name], layer] = share[:, 0]


def _read_by_neurons(flow: Flow, layer: int, neurons: Tensor, result: NodeValues) -> Tensor:
    """Gives what reached the neurons on to the state that they read, and to their biases."""
    through, own = flow.neuron_constants(layer)
    put = flow.set_neurons(layer)
    state = flow.neuron_flows(layer) - through - own - put
    total = state.abs() + through.abs() + own.abs() + put.abs()
    total = total.clamp(min=torch.finfo(state.dtype).tiny)
    given = neurons / total
    result.neurons[layer, :, : neurons.shape[1]] = neurons
    result.biases[_ROW["ln2"], layer] = (given * through.abs()).sum(-1)
    result.biases[_ROW["b_in"], layer] = (given * own.abs()).sum(-1)
    result.biases[_ROW["set_neurons"], layer] = (given * put.abs()).sum(-1)
    return (given * state.abs()).sum(-1)


def _read_by_heads(flow: Flow, layer: int, heads: Tensor, result: NodeValues) -> Tensor:
    """Gives what reached the heads on to the states that they read, and to their biases."""
    p = flow.positions
    result.heads[layer] = heads
    sources = flow.head_sources(layer).abs()
    constants = flow.head_constants(layer).abs()
    pattern = flow.trace.blocks[layer].pattern[:, :p, :p]
    put = flow.set_heads(layer).abs()
    total = sources.sum(-1).T + constants.sum(0) * pattern.abs().sum(-1).T + put
    given = heads / total.clamp(min=torch.finfo(total.dtype).tiny)
    read = torch.einsum("hqk,nqh->nk", pattern.abs(), constants * given)
    result.biases[_ROW["set_heads"], layer] = (given * put).sum(-1)
    result.biases[_ROW["ln1"], layer], result.biases[_ROW["b_V"], layer] = read
    return torch.einsum("hqk,qh->k", sources, given)


def _to_embeddings(flow: Flow, reached: Tensor, result: NodeValues) -> None:
    values, rows = flow.values, [_ROW[name] for name in ("ln_embed", "set_first")]
    biases = [values.biases[row, 0, :, None] for row in rows]
    token, position, *given = _shares(
        reached, [values.embed[:, None], values.pos_embed[:, None], *biases]
    )
    result.embed[:], result.pos_embed[:] = token[:, 0], position[:, 0]
    for row, bias in zip(rows, given, strict=True):
        result.biases[row, 0] = bias[:, 0]
