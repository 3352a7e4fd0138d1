"""The flow: a target's logit split exactly, backwards, down to embeddings and biases.

With every norm's scale, every attention pattern and every MLP gate frozen at the values of the
pass, the model is affine in its residual stream. Let r be the gradient of the target under that
freezing. A node with vector v then carries

    flow(v) = v . r(v)

and (law 1) what flows into a node flows out of it, (law 2) at every depth the flow of all states
plus that of all biases above is the target. r is carried backwards in closed form:

    r = pull(ln_final, w)                                         w: the logit's direction
    for each block, last to first:
        neurons  g = r @ W_out.T   flow = post * g   r += pull(ln2, (gate * g) @ W_in.T)
        heads    g = r @ W_O.T     flow = z . g      r += pull(ln1, pattern.T @ g @ W_V.T)

Sources: Elhage et al. 2021 (residual stream, OV, direct logit attribution); Ali et al. 2022,
Achtibat et al. 2024 (AttnLRP) and Jafari et al. 2025 (RelP) for propagation with frozen norms,
patterns and gates; Ferrando and Voita 2024 for contributions as a graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import BIAS_NAMES
from flowviz.models.loaded import Block, LoadedModel, exact
from flowviz.trace import BlockTrace, Trace
from flowviz.values import NodeValues

CACHED_SOURCES_BYTES = 256 * 2**20


@dataclass(frozen=True)
class FlowTarget:
    """The number that is split: a token's logit at a position, minus that of a contrast."""

    position: int
    token: int
    contrast: int | None = None


@dataclass(frozen=True, eq=False)
class BlockFlow:
    """The flow gradient in one block, at the positions up to the target's.

    Args:
        r_pre, r_mid, r_post: with respect to the residual stream.
        heads: with respect to each head's z.
        neurons: with respect to each neuron's output.
    """

    r_pre: Float[Tensor, "pos d_model"]
    r_mid: Float[Tensor, "pos d_model"]
    r_post: Float[Tensor, "pos d_model"]
    heads: Float[Tensor, "pos head d_head"]
    neurons: Float[Tensor, "pos d_mlp"]


@dataclass(frozen=True, eq=False)
class Flow:
    """The flow of one target through one trace.

    Args:
        direction: the target's direction in the unembedding.
    """

    model: LoadedModel
    trace: Trace
    target: FlowTarget
    direction: Float[Tensor, " d_model"]
    blocks: tuple[BlockFlow, ...]

    @property
    def positions(self) -> int:
        """The positions that can matter: up to the target's own."""
        return self.target.position + 1

    def head_sources(self, layer: int) -> Float[Tensor, "head query source"]:
        """What each head at each query position draws from the state at each source position."""
        if layer in self._sources:
            return self._sources[layer]
        block, part = self.model.blocks[layer], self.trace.blocks[layer]
        p, gradient = self.positions, self.blocks[layer].heads
        values = _repeat(part.v[:p] - block.value_biases.sum(0), block)
        flows = torch.einsum("khd,qhd->hqk", values, gradient) * part.pattern[:, :p, :p]
        if flows.numel() * 4 * len(self.blocks) <= CACHED_SOURCES_BYTES:
            self._sources[layer] = flows
        return flows

    @cached_property
    def _sources(self) -> dict[int, Tensor]:
        return {}

    def head_row(self, layer: int, head: int, query: int) -> Float[Tensor, " source"]:
        """One row of `head_sources`, without the others."""
        block, part = self.model.blocks[layer], self.trace.blocks[layer]
        p, kv = self.positions, head // block.queries_per_value
        values = part.v[:p, kv] - block.value_biases[:, kv].sum(0)
        return values @ self.blocks[layer].heads[query, head] * part.pattern[head, query, :p]

    def head_column(self, layer: int, source: int) -> Float[Tensor, "head query"]:
        """One column of `head_sources`, without the others."""
        block, part = self.model.blocks[layer], self.trace.blocks[layer]
        value = _repeat((part.v[source] - block.value_biases.sum(0))[None], block)[0]
        read = torch.einsum("hd,qhd->hq", value, self.blocks[layer].heads)
        return read * part.pattern[:, : self.positions, source]

    def head_constants(self, layer: int) -> Float[Tensor, "2 query head"]:
        """Per unit of attention, what each head draws from ln1's bias and from b_V."""
        block = self.model.blocks[layer]
        biases = block.value_biases.repeat_interleave(block.queries_per_value, dim=1)
        return torch.einsum("nhd,qhd->nqh", biases, self.blocks[layer].heads)

    def neuron_constants(
        self, layer: int, positions: slice = slice(None)
    ) -> Float[Tensor, "2 pos d_mlp"]:
        """What each neuron draws from ln2's bias and from b_in."""
        gate = self.trace.blocks[layer].gate[: self.positions][positions]
        flows = gate * self.blocks[layer].neurons[positions]
        return flows * self.model.blocks[layer].neuron_biases[:, None]

    @cached_property
    def values(self) -> NodeValues:
        """The flow of every node."""
        return _node_flows(self)

    @property
    def value(self) -> float:
        """The target by the flow: what reaches it from the final state and the last biases."""
        last = self.values.biases[:, -1, -1].sum()
        return float(self.values.resid_final[-1] + last)

    @cached_property
    def scale(self) -> float:
        """What errors are relative to: the largest of the target, its logits and any state's flow.

        So a small difference of two large numbers is not blamed for their cancellation.
        """
        logits, target, values = self.trace.logits[self.target.position], self.target, self.values
        away = 0.0 if target.contrast is None else abs(float(logits[target.contrast]))
        states = max(float(values.resid_pre.abs().max()), float(values.resid_mid.abs().max()))
        return max(abs(self.value), abs(float(logits[target.token])), away, states, 1e-12)


@torch.inference_mode()
def flow_of(model: LoadedModel, trace: Trace, target: FlowTarget) -> Flow:
    """Carries the flow gradient from the target back to the embeddings."""
    p = target.position + 1
    direction = _direction(model, target)
    r = torch.zeros(p, model.shape.d_model, dtype=direction.dtype, device=direction.device)
    r[-1] = model.ln_final.pull(direction) / trace.final_scale[target.position]
    blocks: list[BlockFlow] = []
    for block, part in zip(reversed(model.blocks), reversed(trace.blocks), strict=True):
        blocks.append(_block_flow(block, part, r))
        r = blocks[-1].r_pre
    return Flow(model, trace, target, direction, tuple(reversed(blocks)))


def _direction(model: LoadedModel, target: FlowTarget) -> Tensor:
    direction = model.W_U[:, target.token]
    if target.contrast is not None:
        direction = direction - model.W_U[:, target.contrast]
    return exact(direction)


def _block_flow(block: Block, part: BlockTrace, r: Tensor) -> BlockFlow:
    p = r.shape[0]
    neurons = r @ exact(block.W_out).T
    into_mlp = (part.gate[:p] * neurons) @ exact(block.W_in).T
    r_mid = r + block.ln2.pull(into_mlp) / part.ln2_scale[:p]
    heads = (r_mid @ exact(block.W_O).flatten(0, 1).T).unflatten(-1, block.W_O.shape[:2])
    values = torch.einsum("hqk,qhd->khd", part.pattern[:, :p, :p], heads)
    values = values.unflatten(1, (-1, block.queries_per_value)).sum(2)
    into_attention = values.flatten(1) @ exact(block.W_V).transpose(1, 2).flatten(0, 1)
    r_pre = r_mid + block.ln1.pull(into_attention) / part.ln1_scale[:p]
    return BlockFlow(r_pre, r_mid, r, heads, neurons)


def _repeat(values: Tensor, block: Block) -> Tensor:
    """Values by value head → values by head."""
    return values.repeat_interleave(block.queries_per_value, dim=1)


@torch.inference_mode()
def _node_flows(flow: Flow) -> NodeValues:
    model, trace, p = flow.model, flow.trace, flow.positions
    shape = model.shape
    values = NodeValues.zeros(shape.layers, p, shape.heads, shape.neurons)
    first, last = flow.blocks[0].r_pre, flow.blocks[-1].r_post
    values.embed[:] = _dot(trace.embed[:p], first)
    if trace.pos_embed is not None:
        values.pos_embed[:] = _dot(trace.pos_embed[:p], first)
    values.resid_final[:] = _dot(trace.resid_final[:p], last)
    for layer, (part, gradient) in enumerate(zip(trace.blocks, flow.blocks, strict=True)):
        values.resid_pre[layer] = _dot(part.resid_pre[:p], gradient.r_pre)
        values.resid_mid[layer] = _dot(part.resid_mid[:p], gradient.r_mid)
        values.heads[layer] = _dot(part.z[:p], gradient.heads)
        values.neurons[layer] = part.post[:p] * gradient.neurons
        _add_biases(flow, layer, values.biases)
    _add_final_biases(flow, values.biases)
    return values


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).sum(-1)


def _add_biases(flow: Flow, layer: int, biases: Tensor) -> None:
    block, gradient, p = flow.model.blocks[layer], flow.blocks[layer], flow.positions
    pattern = flow.trace.blocks[layer].pattern[:, :p, :p]
    read = torch.einsum("hqk,nqh->nk", pattern, flow.head_constants(layer))
    through, own = flow.neuron_constants(layer).sum(-1)
    rows = {"ln1": read[0], "b_V": read[1], "ln2": through, "b_in": own}
    if block.b_O is not None:
        rows["b_O"] = gradient.r_mid @ block.b_O
    if block.b_out is not None:
        rows["b_out"] = gradient.r_post @ block.b_out
    for name, row in rows.items():
        biases[BIAS_NAMES.index(name), layer] = row


def _add_final_biases(flow: Flow, biases: Tensor) -> None:
    model, target = flow.model, flow.target
    if model.ln_final.bias is not None:
        biases[BIAS_NAMES.index("ln_final"), -1, -1] = model.ln_final.bias @ flow.direction
    if model.b_U is not None:
        away = 0 if target.contrast is None else model.b_U[target.contrast]
        biases[BIAS_NAMES.index("b_U"), -1, -1] = model.b_U[target.token] - away
