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

Where both stand side by side, both take the r of after the block. Where a norm stands behind one,
g is pulled through it first; where a norm stands on the stream, r is. In a pass with interventions,
f * v + c at a place of the stream sends f * r on, and c is a source; the pattern of a head and the
gate of a neuron hold their factor already.

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

from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.interventions.changes import Affine
from flowviz.models.block import Attention, Block, Mlp
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact
from flowviz.trace import BlockTrace, Pass, Trace
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
        r_pre, r_mid, r_post: with respect to the residual stream; r_mid is None where attention
            and MLP stand side by side.
        into_mid, into_post: with respect to the sums that make those states: the same, unless a
            norm on the stream stands between.
        attention, mlp: with respect to what each puts out.
        heads: with respect to each head's z.
        neurons: with respect to each neuron's output.
    """

    r_pre: Float[Tensor, "pos d_model"]
    r_mid: Float[Tensor, "pos d_model"] | None
    r_post: Float[Tensor, "pos d_model"]
    into_mid: Float[Tensor, "pos d_model"]
    into_post: Float[Tensor, "pos d_model"]
    attention: Float[Tensor, "pos d_model"]
    mlp: Float[Tensor, "pos d_model"]
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

    def neuron_flows(self, layer: int) -> Float[Tensor, "pos d_mlp"]:
        """The flow of every neuron that the block has."""
        return self.values.neurons[layer, :, : self.model.blocks[layer].mlp.neurons]

    def has(self, key: NodeKey) -> bool:
        """Whether the pass has that node."""
        if not self.values.has(key):
            return False
        if key.kind is NodeKind.RESID_MID:
            return not self.model.blocks[key.layer].parallel
        most = self.model.blocks[key.layer].mlp.neurons if key.kind is NodeKind.NEURON else None
        return most is None or key.index < most

    def head_sources(self, layer: int) -> Float[Tensor, "head query source"]:
        """What each head at each query position draws from the state at each source position."""
        if layer in self._sources:
            return self._sources[layer]
        attention, part = self.model.blocks[layer].attention, self.trace.blocks[layer]
        p, gradient = self.positions, self.blocks[layer].heads
        values = _repeat(part.v[:p] - _values_of_biases(attention, part.v).sum(0), attention)
        flows = torch.einsum("khd,qhd->hqk", values, gradient) * part.pattern[:, :p, :p]
        if flows.numel() * 4 * len(self.blocks) <= CACHED_SOURCES_BYTES:
            self._sources[layer] = flows
        return flows

    @cached_property
    def _sources(self) -> dict[int, Tensor]:
        return {}

    def head_row(self, layer: int, head: int, query: int) -> Float[Tensor, " source"]:
        """One row of `head_sources`, without the others."""
        attention, part = self.model.blocks[layer].attention, self.trace.blocks[layer]
        p, kv = self.positions, head // attention.queries_per_value
        values = part.v[:p, kv] - _values_of_biases(attention, part.v)[:, kv].sum(0)
        return values @ self.blocks[layer].heads[query, head] * part.pattern[head, query, :p]

    def head_column(self, layer: int, source: int) -> Float[Tensor, "head query"]:
        """One column of `head_sources`, without the others."""
        attention, part = self.model.blocks[layer].attention, self.trace.blocks[layer]
        value = part.v[source] - _values_of_biases(attention, part.v).sum(0)
        value = _repeat(value[None], attention)[0]
        read = torch.einsum("hd,qhd->hq", value, self.blocks[layer].heads)
        return read * part.pattern[:, : self.positions, source]

    def head_constants(self, layer: int) -> Float[Tensor, "2 query head"]:
        """Per unit of attention, what each head draws from its norm's bias and from b_V."""
        attention, gradient = self.model.blocks[layer].attention, self.blocks[layer].heads
        biases = _repeat(_values_of_biases(attention, gradient), attention)
        return torch.einsum("nhd,qhd->nqh", biases, gradient)

    def neuron_constants(
        self, layer: int, positions: slice = slice(None)
    ) -> Float[Tensor, "2 pos d_mlp"]:
        """What each neuron draws from its norm's bias and from b_in."""
        gate = self.trace.blocks[layer].gate[: self.positions][positions]
        flows = gate * self.blocks[layer].neurons[positions]
        return flows * self.model.blocks[layer].mlp.neuron_biases.to(flows.device)[:, None]

    def set_heads(self, layer: int) -> Float[Tensor, "pos head"]:
        """What interventions put into each head; zero where they did not."""
        part, gradient = self.trace.blocks[layer], self.blocks[layer].heads
        if part.set_z is None:
            return gradient.new_zeros(gradient.shape[:2])
        return _dot(_first(part.set_z, gradient), gradient)

    def set_neurons(self, layer: int) -> Float[Tensor, "pos d_mlp"]:
        """What interventions put into each neuron; zero where they did not."""
        part, gradient = self.trace.blocks[layer], self.blocks[layer].neurons
        if part.set_post is None:
            return torch.zeros_like(gradient)
        return _first(part.set_post, gradient) * gradient

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
    r[-1] = model.ln_final.back(direction, trace.final_scale[target.position])
    blocks: list[BlockFlow] = []
    for block, part in zip(reversed(model.blocks), reversed(trace.blocks), strict=True):
        blocks.append(block_flow(block, part, r))
        r = blocks[-1].r_pre
    return Flow(model, trace, target, direction, tuple(reversed(blocks)))


def _direction(model: LoadedModel, target: FlowTarget) -> Tensor:
    direction = exact(model.W_U[:, target.token])
    if target.contrast is not None:
        direction = direction - exact(model.W_U[:, target.contrast])
    return direction * model.logit_scale


def block_flow(block: Block, part: BlockTrace, r: Float[Tensor, "pos d_model"]) -> BlockFlow:
    """The flow gradient in a block, from that at the stream behind it."""
    post1, post2 = _cut(part.ln1_post_scale, r), _cut(part.ln2_post_scale, r)
    into_post = block.before_norm(block.mlp.post, kept(part.after, r), post2)
    mlp = block.to_output(block.mlp.post, into_post, post2)
    neurons, into_mlp = through_mlp(block.mlp, part, mlp)
    r_mid = None if block.parallel else into_post + into_mlp
    into_mid = into_post
    if r_mid is not None:
        into_mid = block.before_norm(block.attention.post, kept(part.mid, r_mid), post1)
    attention = block.to_output(block.attention.post, into_mid, post1)
    heads, into_attention = through_attention(block.attention, part, attention)
    r_pre = into_mid + into_attention
    return BlockFlow(
        r_pre=r_pre + into_mlp if block.parallel else r_pre,
        r_mid=r_mid,
        r_post=r,
        into_mid=into_mid,
        into_post=into_post,
        attention=attention,
        mlp=mlp,
        heads=heads,
        neurons=neurons,
    )


def kept(change: Affine | None, gradient: Float[Tensor, "pos d_model"]) -> Tensor:
    """The gradient in front of an intervention, from that behind it."""
    return gradient if change is None else gradient * change.factor[: len(gradient)].to(gradient)


def _cut(scale: Tensor | None, like: Tensor) -> Tensor | None:
    return None if scale is None else scale[: like.shape[0]]


def through_mlp(mlp: Mlp, part: BlockTrace, output: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient at the neurons, and at the state that the MLP reads."""
    p = output.shape[0]
    neurons = mlp.to_neurons(output)
    return neurons, mlp.norm.back(mlp.to_input(part.gate[:p] * neurons), part.ln2_scale[:p])


def through_attention(
    attention: Attention, part: BlockTrace, output: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradient at the heads, and at the state that attention reads."""
    p = output.shape[0]
    heads = attention.to_heads(output)
    values = torch.einsum("hqk,qhd->khd", part.pattern[:, :p, :p], heads)
    values = values.unflatten(1, (-1, attention.queries_per_value)).sum(2)
    return heads, attention.norm.back(attention.to_input(values), part.ln1_scale[:p])


def _values_of_biases(attention: Attention, like: Tensor) -> Tensor:
    return attention.value_biases.to(like.device)


def _repeat(values: Tensor, attention: Attention) -> Tensor:
    """Values by value head → values by head."""
    return values.repeat_interleave(attention.queries_per_value, dim=1)


@torch.inference_mode()
def _node_flows(flow: Flow) -> NodeValues:
    trace, p = flow.trace, flow.positions
    values = NodeValues.of(flow.model.shape, p, trace.resid_final)
    first, last = kept(trace.first, flow.blocks[0].r_pre), flow.blocks[-1].r_post
    values.embed[:] = _dot(trace.embed[:p], first)
    if trace.pos_embed is not None:
        values.pos_embed[:] = _dot(trace.pos_embed[:p], first)
    values.resid_final[:] = _dot(trace.resid_final[:p], last)
    for layer, (part, gradient) in enumerate(zip(trace.blocks, flow.blocks, strict=True)):
        values.resid_pre[layer] = _dot(part.resid_pre[:p], gradient.r_pre)
        if part.resid_mid is not None and gradient.r_mid is not None:
            values.resid_mid[layer] = _dot(part.resid_mid[:p], gradient.r_mid)
        values.heads[layer] = _dot(part.z[:p], gradient.heads)
        values.neurons[layer, :, : part.post.shape[1]] = part.post[:p] * gradient.neurons
        add_biases(flow, layer, values.biases)
    for name, bias, gradient_there in first_biases(flow):
        values.biases[BIAS_NAMES.index(name), 0] = _dot(bias, gradient_there)
    _add_final_biases(flow, values.biases)
    return values


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).sum(-1)


def add_biases(flow: Flow, layer: int, biases: Float[Tensor, "name layer pos"]) -> None:
    """Writes the flow of every bias of a block into the rows of `biases`."""
    part, p = flow.trace.blocks[layer], flow.positions
    read = torch.einsum("hqk,nqh->nk", part.pattern[:, :p, :p], flow.head_constants(layer))
    through, own = flow.neuron_constants(layer).sum(-1)
    rows = {"ln1": read[0], "b_V": read[1], "ln2": through, "b_in": own}
    if part.set_z is not None:
        rows["set_heads"] = flow.set_heads(layer).sum(-1)
    if part.set_post is not None:
        rows["set_neurons"] = flow.set_neurons(layer).sum(-1)
    for name, bias, gradient_there in written_biases(flow, layer):
        rows[name] = _dot(bias, gradient_there)
    for name, row in rows.items():
        biases[BIAS_NAMES.index(name), layer] = row


def written_biases(
    flow: Flow, layer: int
) -> list[tuple[str, Float[Tensor, "places d_model"], Float[Tensor, "pos d_model"]]]:
    """The biases that a block adds to the stream, and the gradient at each: its name, the vector
    at every position (one row where it is the same at all), the gradient. With them goes what
    interventions put into its states."""
    block, gradient = flow.model.blocks[layer], flow.blocks[layer]
    part = flow.trace.blocks[layer]
    router = part.router
    behind_mid = gradient.into_mid if gradient.r_mid is None else kept(part.mid, gradient.r_mid)
    behind = (behind_mid, kept(part.after, gradient.r_post)) if block.norms_stream else (
        gradient.into_mid * block.residual_scale, gradient.into_post * block.residual_scale
    )  # fmt: skip
    b_O = block.attention.b_O
    found = [
        ("b_O", None if b_O is None else b_O[None], gradient.attention),
        ("b_out", block.mlp.written_bias(_cut(router, gradient.mlp)), gradient.mlp),
        ("ln1_post", _row(block.attention.post.bias), behind[0]),
        ("ln2_post", _row(block.mlp.post.bias), behind[1]),
    ]
    written = [
        (name, exact(bias, there) * factor(flow, name, layer, there), there)
        for name, bias, there in found
        if bias is not None
    ]
    if part.mid is not None and gradient.r_mid is not None:
        written.append(("set_mid", _first(part.mid.put, gradient.r_mid), gradient.r_mid))
    if part.after is not None:
        written.append(("set_post", _first(part.after.put, gradient.r_post), gradient.r_post))
    return written


def first_biases(flow: Flow) -> list[tuple[str, Tensor, Tensor]]:
    """What enters the first state beside the embeddings, as `written_biases` does."""
    change, r, bias = flow.trace.first, flow.blocks[0].r_pre, flow.model.embed_bias
    found = []
    if bias is not None:
        there = kept(change, r)
        vector = exact(bias, there)[None] * factor(flow, "ln_embed", 0, there)
        found.append(("ln_embed", vector, there))
    if change is not None:
        found.append(("set_first", _first(change.put, r), r))
    return found


def factor(flow: Pass, name: str, layer: int, like: Tensor) -> Tensor | float:
    """What an intervention multiplies a written bias with, at each position or at all."""
    found = flow.trace.blocks[layer].factor(name)
    return _first(found, like) if isinstance(found, Tensor) else found


def _first(rows: Tensor, like: Tensor) -> Tensor:
    return rows[: len(like)].to(like)


def _row(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias[None]


def _add_final_biases(flow: Flow, biases: Tensor) -> None:
    model, target = flow.model, flow.target
    if model.ln_final.bias is not None:
        bias = exact(model.ln_final.bias, flow.direction)
        biases[BIAS_NAMES.index("ln_final"), -1, -1] = bias @ flow.direction
    if model.b_U is not None:
        b_U = exact(model.b_U)
        away = 0 if target.contrast is None else b_U[target.contrast]
        biases[BIAS_NAMES.index("b_U"), -1, -1] = (b_U[target.token] - away) * model.logit_scale
