"""The circuit wiring: residual states are cut out; components flow into those that read them.

A reader v (a head, a neuron, the target) reads the stream at position j with a direction of its
own, r_in(v)[j] = c_v[j] * g_v: for a head, c is its attention over the norm's scale and g its OV
direction under the flow gradient; for a neuron and the target, c stands at one position alone.
The flow of a component u, which wrote the vector u at position j, into v is then

    flow(u -> v) = (u . g_v) * c_v[j]        for every u written before v reads

so that all edges between n drawn nodes are one product of their vectors with their directions.
A norm on the stream that stands between u and v pulls g and divides c once more; an intervention
on a state between them multiplies c. Both are steps: 2d is the norm behind depth d, 2d + 1 what is
changed there (depth 2l is the attention of block l, 2l + 1 its MLP, -1 the embeddings).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph import stream
from flowviz.graph.bundles import Bundle, total
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.graph.vectors import SET_STATES, component_vectors, written_bias
from flowviz.interventions.changes import Affine
from flowviz.models.parts import Norm, exact
from flowviz.trace import Pass
from flowviz.values import NodeValues


@dataclass(frozen=True, eq=False)
class Reading:
    """How one node reads the stream.

    Args:
        direction: g of the formula above; one for each position where they differ.
        share: c of the formula above.
        state: the stream that it reads.
    """

    direction: Float[Tensor, "*each d_model"]
    share: Float[Tensor, " pos"]
    state: Float[Tensor, "pos d_model"]


def written(flow: Pass, key: NodeKey) -> int | None:
    """The depth at which a node writes into the stream; None where it does not."""
    name = BIAS_NAMES[key.index] if key.kind is NodeKind.BIAS else ""
    if key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED) or name in ("ln_embed", "set_first"):
        return -1
    if key.kind is NodeKind.HEAD or name in stream.BEHIND_HEADS:
        return 2 * key.layer
    if key.kind is NodeKind.NEURON or name in stream.BEHIND_MLP:
        return 2 * key.layer + 1
    return None


def reads(flow: Flow, key: NodeKey) -> int | None:
    """The depth at which a node reads the stream: it sees what was written at a lesser one."""
    match key.kind:
        case NodeKind.TARGET:
            return 2 * len(flow.blocks)
        case NodeKind.HEAD:
            return 2 * key.layer
        case NodeKind.NEURON:
            return 2 * key.layer + (not flow.model.blocks[key.layer].parallel)
    return None


@torch.inference_mode()
def reading(flow: Flow, key: NodeKey) -> Reading:
    """How a head, a neuron or the target reads the stream."""
    p, at, trace = flow.positions, key.position, flow.trace
    share = torch.zeros(p, dtype=trace.resid_final.dtype, device=trace.resid_final.device)
    if key.kind is NodeKind.TARGET:
        share[at] = 1
        return Reading(flow.blocks[-1].r_post[at], share, trace.resid_final[:p])
    block, part = flow.model.blocks[key.layer], trace.blocks[key.layer]
    gradient = flow.blocks[key.layer]
    if key.kind is NodeKind.HEAD:
        weight = exact(block.attention.W_V[key.index // block.attention.queries_per_value], share)
        direction = block.attention.norm.pull(weight @ gradient.heads[at, key.index])
        share = part.pattern[key.index, at, :p] / part.ln1_scale[:p, 0]
        return Reading(direction, share, part.resid_pre[:p])
    through = part.gate[at, key.index] * gradient.neurons[at, key.index]
    share[at] = through / part.ln2_scale[at, 0]
    index = torch.tensor([key.index], device=share.device)
    column = block.mlp.reads(index)[0].to(share.device)
    return Reading(block.mlp.norm.pull(column), share, part.mlp_state[:p])


@dataclass(frozen=True, eq=False)
class Written:
    """Vectors that were written into the stream.

    Args:
        depths: at which depth each was.
        steps: the first step that each goes through; 0 where there are none.
        positions: where each stands.
    """

    vectors: Float[Tensor, "n d_model"]
    depths: list[float]
    steps: list[int]
    positions: list[int]

    def and_then(self, other: Written) -> Written:
        """These, and others behind them."""
        return Written(
            torch.cat([self.vectors, other.vectors]),
            [*self.depths, *other.depths],
            [*self.steps, *other.steps],
            [*self.positions, *other.positions],
        )


@dataclass(frozen=True, eq=False)
class Reader:
    """Who reads the stream: how, at which depth, and behind which step."""

    how: Reading
    depth: float
    behind: int


@torch.inference_mode()
def flows_between(
    flow: Flow, sources: list[NodeKey], readers: list[NodeKey]
) -> Float[Tensor, "source reader"]:
    """The flow of each source into each reader; zero where the one cannot see the other."""
    return flows_read(flow, written_by(flow, sources), readers_of(flow, readers))


def written_by(flow: Pass, keys: list[NodeKey]) -> Written:
    """What components wrote."""
    return Written(
        component_vectors(flow, keys),
        [float(written(flow, key) or 0) for key in keys],
        [first_step(flow, key) for key in keys],
        [key.position for key in keys],
    )


def readers_of(flow: Flow, keys: list[NodeKey]) -> list[Reader]:
    """Components that read, and the target."""
    depths = [reads(flow, key) or 0 for key in keys]
    return [
        Reader(reading(flow, key), float(depth), 2 * depth)
        for key, depth in zip(keys, depths, strict=True)
    ]


@torch.inference_mode()
def flows_read(
    flow: Flow, sources: Written, readers: list[Reader]
) -> Float[Tensor, "source reader"]:
    """As `flows_between`, for whatever was written and whoever reads."""
    vectors = sources.vectors
    flows = vectors.new_zeros(len(vectors), len(readers))
    by_step: dict[int, list[int]] = defaultdict(list)
    for row, step in enumerate(sources.steps):
        by_step[step].append(row)
    for first, rows in by_step.items():
        seen = [_carried(flow, reader.how, first, reader.behind) for reader in readers]
        directions = torch.stack([how.direction for how in seen])
        shares = torch.stack([how.share for how in seen])
        places = [sources.positions[row] for row in rows]
        flows[rows] = (vectors[rows] @ directions.T) * shares[:, places].T
    wrote = torch.tensor(sources.depths, device=flows.device)
    saw = torch.tensor([reader.depth for reader in readers], device=flows.device)
    return flows * (wrote[:, None] < saw[None])


def _has_steps(flow: Pass) -> bool:
    return flow.model.blocks[0].norms_stream or flow.trace.changes_states


def first_step(flow: Pass, key: NodeKey) -> int:
    """The first step that a node's vector goes through on the stream; 0 where there are none."""
    if not _has_steps(flow):
        return 0
    name = BIAS_NAMES[key.index] if key.kind is NodeKind.BIAS else ""
    step = 2 * (written(flow, key) or 0)
    if name in SET_STATES:
        return step + 2
    at_the_bottom = step < 0
    return step + (at_the_bottom or name in ("ln1_post", "ln2_post"))


def _carried(flow: Pass, how: Reading, first: int, last: int) -> Reading:
    """How a vector is read that goes through the steps from one to another."""
    if _has_steps(flow):
        for step in reversed(range(first, last)):
            depth, is_change = divmod(step, 2)
            how = (_before_change if is_change else _before_norm)(flow, how, depth)
    return how


def _before_norm(flow: Pass, how: Reading, depth: int) -> Reading:
    post, scale = _norm_behind(flow, depth)
    if scale is None or not flow.model.blocks[0].norms_stream:
        return how
    share = how.share / scale[: how.share.shape[0], 0]
    return replace(how, direction=post.pull(how.direction), share=share)


def _before_change(flow: Pass, how: Reading, depth: int) -> Reading:
    change = _change_behind(flow, depth)
    if change is None:
        return how
    return replace(how, share=how.share * change.factor[: len(how.share), 0].to(how.share))


def _change_behind(flow: Pass, depth: int) -> Affine | None:
    """The change of the state behind the attention or the MLP of a block, or in front of all."""
    if depth < 0:
        return flow.trace.first
    part = flow.trace.blocks[depth // 2]
    return part.after if depth % 2 else part.mid


def _norm_behind(flow: Pass, depth: int) -> tuple[Norm, Tensor | None]:
    """The norm behind the attention (even depths) or the MLP of a block, and its scale."""
    block, part = flow.model.blocks[depth // 2], flow.trace.blocks[depth // 2]
    if depth % 2:
        return block.mlp.post, part.ln2_post_scale
    return block.attention.post, part.ln1_post_scale


@torch.inference_mode()
def inflow_total(flow: Flow, key: NodeKey) -> float:
    """All that flows into a reader: through the stream that it reads, and from its own biases."""
    how = reading(flow, key)
    through = float(((how.state @ how.direction) * how.share).sum())
    return through + total(bias_bundles(flow, key))


def bias_bundles(flow: Flow, key: NodeKey) -> list[Bundle]:
    """The biases inside a reader, which reach it without the stream."""
    bundles = stream.inflows(flow, key)
    return [bundle for bundle in bundles if bundle.base.kind is NodeKind.BIAS]


@torch.inference_mode()
def inflow_values(flow: Flow, key: NodeKey) -> NodeValues:
    """What every component of the pass sends into one reader."""
    depth = reads(flow, key)
    if depth is None:
        return NodeValues.of(flow.model.shape, flow.positions, flow.trace.resid_final)
    values = read_values(flow, reading(flow, key), depth)
    for bundle in bias_bundles(flow, key):
        places = bundle.base.position if bundle.along is None else slice(None)
        values.biases[bundle.base.index, bundle.base.layer, places] += bundle.flows.squeeze(0)
    return values


@torch.inference_mode()
def read_values(flow: Pass, how: Reading, depth: int) -> NodeValues:
    """What every component written before a depth gives to whoever reads the stream there so."""
    values = NodeValues.of(flow.model.shape, flow.positions, flow.trace.resid_final)
    for written_at in reversed(range(depth)):
        how = _from_sublayer(flow, written_at, how, values)
    p = flow.positions
    _from_bias(flow, "set_first", 0, how, values)
    how = _before_change(flow, how, -1)
    values.embed[:] = _read(flow.trace.embed[:p], how)
    if flow.trace.pos_embed is not None:
        values.pos_embed[:] = _read(flow.trace.pos_embed[:p], how)
    _from_bias(flow, "ln_embed", 0, how, values)
    return values


def _from_sublayer(flow: Pass, depth: int, how: Reading, values: NodeValues) -> Reading:
    """Fills in what was written at one depth; returns how the stream before it is read."""
    layer, late = divmod(depth, 2)
    bias, behind, put = stream.BEHIND_MLP if late else stream.BEHIND_HEADS
    _from_bias(flow, put, layer, how, values)
    how = _before_change(flow, how, depth)
    _from_bias(flow, behind, layer, how, values)
    how = _before_norm(flow, how, depth)
    _from_bias(flow, bias, layer, how, values)
    out = _at_output(flow, depth, how)
    (_from_neurons if late else _from_heads)(flow, layer, out, values)
    return how


def _at_output(flow: Pass, depth: int, how: Reading) -> Reading:
    """How what a sublayer puts out is read, before it joins the stream."""
    block = flow.model.blocks[depth // 2]
    how = replace(how, direction=how.direction * block.residual_scale)
    post, scale = _norm_behind(flow, depth)
    if scale is None or block.norms_stream:
        return how
    share = how.share / scale[: how.share.shape[0], 0]
    return replace(how, direction=post.pull(how.direction), share=share)


def _from_heads(flow: Pass, layer: int, how: Reading, values: NodeValues) -> None:
    attention, part = flow.model.blocks[layer].attention, flow.trace.blocks[layer]
    onto = attention.to_heads(torch.atleast_2d(how.direction))
    values.heads[layer] = (part.z[: flow.positions] * onto).sum(-1) * how.share[:, None]


def _from_neurons(flow: Pass, layer: int, how: Reading, values: NodeValues) -> None:
    mlp, part = flow.model.blocks[layer].mlp, flow.trace.blocks[layer]
    seen = how.share.nonzero().flatten()
    alike = how.direction.dim() == 1
    onto = mlp.to_neurons(how.direction[None] if alike else how.direction[seen])
    values.neurons[layer, seen, : onto.shape[1]] = part.post[seen] * onto * how.share[seen, None]


def _from_bias(flow: Pass, name: str, layer: int, how: Reading, values: NodeValues) -> None:
    read = _read(written_bias(flow, layer, name), how)
    values.biases[BIAS_NAMES.index(name), layer] = read


def _read(vectors: Float[Tensor, "pos d_model"], how: Reading) -> Float[Tensor, " pos"]:
    alike = how.direction.dim() == 1
    read = vectors @ how.direction if alike else (vectors * how.direction).sum(-1)
    return read * how.share


@torch.inference_mode()
def outflow_values(flow: Flow, key: NodeKey) -> tuple[NodeValues, float]:
    """What one component sends into every head and neuron, and straight into the target."""
    depth = written(flow, key)
    if depth is None:
        values = NodeValues.of(flow.model.shape, flow.positions, flow.trace.resid_final)
        return values, _from_inner_bias(flow, key, values)
    vector = component_vectors(flow, [key])[0]
    return vector_values(flow, vector, key.position, float(depth), first_step(flow, key))


@torch.inference_mode()
def vector_values(
    flow: Flow, vector: Float[Tensor, " d_model"], at: int, depth: float, passed: int
) -> tuple[NodeValues, float]:
    """What a vector on the stream sends into every head and neuron, and into the target.

    Args:
        depth: at which it was written; `passed`, the first step that it goes through.
    """
    values = NodeValues.of(flow.model.shape, flow.positions, flow.trace.resid_final)
    for layer, block in enumerate(flow.model.blocks):
        for sublayer, sees in ((_into_heads, 2 * layer), (_into_neurons, 2 * layer + 1)):
            sees -= sees % 2 if block.parallel else 0
            if sees > depth:
                vector = sent_on(flow, vector, at, passed, 2 * sees)
                passed = max(passed, 2 * sees)
                sublayer(flow, layer, at, vector, values)
    vector = sent_on(flow, vector, at, passed, 4 * len(flow.blocks))
    return values, float(vector @ flow.blocks[-1].r_post[at])


def sent_on(
    flow: Pass, vector: Float[Tensor, "*n d_model"], at: int, first: int, last: int
) -> Float[Tensor, "*n d_model"]:
    """A vector at one position, or several, behind the steps from one to another."""
    if not _has_steps(flow):
        return vector
    for step in range(first, last):
        depth, is_change = divmod(step, 2)
        if is_change:
            change = _change_behind(flow, depth)
            vector = vector if change is None else vector * change.factor[at].to(vector)
        elif flow.model.blocks[0].norms_stream:
            post, scale = _norm_behind(flow, depth)
            vector = vector if scale is None else post.apply(vector, scale[at])
    return vector


def _into_heads(flow: Flow, layer: int, at: int, vector: Tensor, values: NodeValues) -> None:
    attention, part = flow.model.blocks[layer].attention, flow.trace.blocks[layer]
    normed = attention.norm.apply(vector, part.ln1_scale[at])
    value = normed @ exact(attention.W_V, normed)
    value = value.repeat_interleave(attention.queries_per_value, dim=0)
    read = torch.einsum("hd,qhd->qh", value, flow.blocks[layer].heads)
    values.heads[layer] = read * part.pattern[:, : flow.positions, at].T


def _into_neurons(flow: Flow, layer: int, at: int, vector: Tensor, values: NodeValues) -> None:
    mlp, part = flow.model.blocks[layer].mlp, flow.trace.blocks[layer]
    signal = mlp.signal(mlp.norm.apply(vector, part.ln2_scale[at]))
    sent = signal * part.gate[at] * flow.blocks[layer].neurons[at]
    values.neurons[layer, at, : sent.shape[0]] = sent


def _from_inner_bias(flow: Flow, key: NodeKey, values: NodeValues) -> float:
    direct = 0.0
    for bundle in stream.outflows(flow, key):
        if bundle.base.kind is NodeKind.HEAD and bundle.along == "index":
            values.heads[key.layer, key.position] = bundle.flows
        elif bundle.base.kind is NodeKind.HEAD:
            values.heads[key.layer, :, bundle.base.index] = bundle.flows
        elif bundle.base.kind is NodeKind.NEURON:
            values.neurons[key.layer, key.position, : bundle.flows.shape[0]] = bundle.flows
        else:
            direct += total([bundle])
    return direct
