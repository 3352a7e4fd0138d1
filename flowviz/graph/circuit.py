"""The circuit wiring: residual states are cut out; components flow into those that read them.

A reader v (a head, a neuron, the target) reads the stream at position j with a direction of its
own, r_in(v)[j] = c_v[j] * g_v: for a head, c is its attention over the norm's scale and g its OV
direction under the flow gradient; for a neuron and the target, c stands at one position alone.
The flow of a component u, which wrote the vector u at position j, into v is then

    flow(u -> v) = (u . g_v) * c_v[j]        for every u written before v reads

so that all edges between n drawn nodes are one product of their vectors with their directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph import stream
from flowviz.graph.bundles import Bundle, total
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.graph.vectors import component_vectors
from flowviz.models.loaded import exact
from flowviz.values import NodeValues

B_O, B_OUT = BIAS_NAMES.index("b_O"), BIAS_NAMES.index("b_out")


@dataclass(frozen=True, eq=False)
class Reading:
    """How one node reads the stream.

    Args:
        direction: g of the formula above.
        share: c of the formula above.
        state: the stream that it reads.
    """

    direction: Float[Tensor, " d_model"]
    share: Float[Tensor, " pos"]
    state: Float[Tensor, "pos d_model"]


def written(flow: Flow, key: NodeKey) -> int | None:
    """The depth at which a node writes into the stream; None where it does not."""
    if key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED):
        return -1
    if key.kind is NodeKind.HEAD or (key.kind is NodeKind.BIAS and key.index == B_O):
        return 2 * key.layer
    if key.kind is NodeKind.NEURON or (key.kind is NodeKind.BIAS and key.index == B_OUT):
        return 2 * key.layer + 1
    return None


def reads(flow: Flow, key: NodeKey) -> int | None:
    """The depth at which a node reads the stream: it sees what was written at a lesser one."""
    if key.kind is NodeKind.TARGET:
        return 2 * len(flow.blocks)
    depths = {NodeKind.HEAD: 2 * key.layer, NodeKind.NEURON: 2 * key.layer + 1}
    return depths.get(key.kind)


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
        weight = block.W_V[key.index // block.queries_per_value]
        direction = block.ln1.pull(weight.to(share.dtype) @ gradient.heads[at, key.index])
        share = part.pattern[key.index, at, :p] / part.ln1_scale[:p, 0]
        return Reading(direction, share, part.resid_pre[:p])
    through = part.gate[at, key.index] * gradient.neurons[at, key.index]
    share[at] = through / part.ln2_scale[at, 0]
    direction = block.ln2.pull(block.W_in[:, key.index].to(share.dtype))
    return Reading(direction, share, part.resid_mid[:p])


@torch.inference_mode()
def flows_between(
    flow: Flow, sources: list[NodeKey], readers: list[NodeKey]
) -> Float[Tensor, "source reader"]:
    """The flow of each source into each reader; zero where the one cannot see the other."""
    how = [reading(flow, key) for key in readers]
    directions = torch.stack([item.direction for item in how])
    shares = torch.stack([item.share for item in how])
    places = torch.tensor([key.position for key in sources], device=shares.device)
    wrote = torch.tensor([written(flow, key) for key in sources], device=shares.device)
    saw = torch.tensor([reads(flow, key) for key in readers], device=shares.device)
    flows = (component_vectors(flow, sources) @ directions.T) * shares[:, places].T
    return flows * (wrote[:, None] < saw[None])


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
    shape, p = flow.model.shape, flow.positions
    values = NodeValues.zeros(shape.layers, p, shape.heads, shape.neurons)
    depth = reads(flow, key)
    if depth is None:
        return values
    how = reading(flow, key)
    values.embed[:] = (flow.trace.embed[:p] @ how.direction) * how.share
    if flow.trace.pos_embed is not None:
        values.pos_embed[:] = (flow.trace.pos_embed[:p] @ how.direction) * how.share
    for layer in range((depth + 1) // 2):
        _from_heads(flow, layer, how, values)
        if 2 * layer + 1 < depth:
            _from_neurons(flow, layer, how, values)
    for bundle in bias_bundles(flow, key):
        places = bundle.base.position if bundle.along is None else slice(None)
        values.biases[bundle.base.index, bundle.base.layer, places] += bundle.flows.squeeze(0)
    return values


def _from_heads(flow: Flow, layer: int, how: Reading, values: NodeValues) -> None:
    block, part = flow.model.blocks[layer], flow.trace.blocks[layer]
    onto = exact(block.W_O) @ how.direction
    values.heads[layer] = (part.z[: flow.positions] * onto).sum(-1) * how.share[:, None]
    if block.b_O is not None:
        values.biases[B_O, layer] = (block.b_O @ how.direction) * how.share


def _from_neurons(flow: Flow, layer: int, how: Reading, values: NodeValues) -> None:
    block, part = flow.model.blocks[layer], flow.trace.blocks[layer]
    onto = exact(block.W_out) @ how.direction
    seen = how.share.nonzero().flatten()
    values.neurons[layer, seen] = part.post[seen] * onto * how.share[seen, None]
    if block.b_out is not None:
        values.biases[B_OUT, layer] = (block.b_out @ how.direction) * how.share


@torch.inference_mode()
def outflow_values(flow: Flow, key: NodeKey) -> tuple[NodeValues, float]:
    """What one component sends into every head and neuron, and straight into the target."""
    shape, p = flow.model.shape, flow.positions
    values = NodeValues.zeros(shape.layers, p, shape.heads, shape.neurons)
    depth = written(flow, key)
    if depth is None:
        return values, _from_inner_bias(flow, key, values)
    vector = component_vectors(flow, [key])[0]
    for layer in range((depth + 1) // 2, shape.layers):
        if 2 * layer > depth:
            _into_heads(flow, layer, key.position, vector, values)
        _into_neurons(flow, layer, key.position, vector, values)
    return values, float(vector @ flow.blocks[-1].r_post[key.position])


def _into_heads(flow: Flow, layer: int, at: int, vector: Tensor, values: NodeValues) -> None:
    block, part = flow.model.blocks[layer], flow.trace.blocks[layer]
    value = block.ln1.apply(vector, part.ln1_scale[at]) @ exact(block.W_V)
    value = value.repeat_interleave(block.queries_per_value, dim=0)
    read = torch.einsum("hd,qhd->qh", value, flow.blocks[layer].heads)
    values.heads[layer] = read * part.pattern[:, : flow.positions, at].T


def _into_neurons(flow: Flow, layer: int, at: int, vector: Tensor, values: NodeValues) -> None:
    block, part = flow.model.blocks[layer], flow.trace.blocks[layer]
    signal = block.ln2.apply(vector, part.ln2_scale[at]) @ exact(block.W_in)
    values.neurons[layer, at] = signal * part.gate[at] * flow.blocks[layer].neurons[at]


def _from_inner_bias(flow: Flow, key: NodeKey, values: NodeValues) -> float:
    direct = 0.0
    for bundle in stream.outflows(flow, key):
        if bundle.base.kind is NodeKind.HEAD:
            values.heads[key.layer, :, bundle.base.index] = bundle.flows
        elif bundle.base.kind is NodeKind.NEURON:
            values.neurons[key.layer, key.position] = bundle.flows
        else:
            direct += total([bundle])
    return direct
