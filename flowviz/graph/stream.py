"""The stream wiring: hidden states are nodes; heads join positions, neurons join mid to post.

    embeddings -> pre -> heads -> mid -> neurons -> next pre ... final -> target
                   `--- residual ---^  `--- residual ---^

Where a block's attention and MLP read the same state there is no mid: both write to the next pre.

Where the graph is asked for up to some block only, the target reads the states of the cut above
it: their flows and those of the biases above are the target (law 2).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.bundles import Bundle
from flowviz.graph.types import BIAS_NAMES, EdgeKind, NodeKey, NodeKind

BEHIND_HEADS, BEHIND_MLP = ("b_O", "ln1_post", "set_mid"), ("b_out", "ln2_post", "set_post")


def target_key(flow: Flow) -> NodeKey:
    """The node that everything flows into."""
    return NodeKey(NodeKind.TARGET, len(flow.blocks), flow.target.position)


@torch.inference_mode()
def inflows(flow: Flow, key: NodeKey, cut: int | None = None) -> list[Bundle]:
    """All that flows into a node; nothing flows into a source.

    Args:
        cut: for the target, the block whose incoming states it reads; None for the final state.
    """
    if key.kind is NodeKind.TARGET:
        return _into_target(flow, key, cut)
    if key.kind is NodeKind.RESID_MID:
        return _into_mid(flow, key)
    if key.kind is NodeKind.HEAD:
        return _into_head(flow, key)
    if key.kind is NodeKind.NEURON:
        return _into_neuron(flow, key)
    if key.kind is NodeKind.RESID_PRE and key.layer == 0:
        return _into_first(flow, key)
    if key.kind in (NodeKind.RESID_PRE, NodeKind.RESID_FINAL):
        return _into_post(flow, key)
    return []


@torch.inference_mode()
def outflows(flow: Flow, key: NodeKey) -> list[Bundle]:
    """All that flows out of a node."""
    at, layer = key.position, key.layer
    if key.kind is NodeKind.RESID_PRE:
        return _out_of_pre(flow, key)
    if key.kind is NodeKind.RESID_MID:
        return _out_of_mid(flow, key)
    if key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED):
        return [_single(EdgeKind.WRITE, NodeKey(NodeKind.RESID_PRE, 0, at), _own(flow, key))]
    if key.kind is NodeKind.HEAD:
        return [_single(EdgeKind.WRITE, _behind_heads(flow, layer, at), _own(flow, key))]
    if key.kind is NodeKind.NEURON:
        return [_single(EdgeKind.WRITE, after(flow, layer, at), _own(flow, key))]
    if key.kind is NodeKind.RESID_FINAL and at == flow.target.position:
        return [_single(EdgeKind.WRITE, target_key(flow), _own(flow, key))]
    return _out_of_bias(flow, key) if key.kind is NodeKind.BIAS else []


def _behind_heads(flow: Flow, layer: int, position: int) -> NodeKey:
    """The state that the heads of a block write to."""
    if flow.model.blocks[layer].parallel:
        return after(flow, layer, position)
    return NodeKey(NodeKind.RESID_MID, layer, position)


def _read_by_mlp(flow: Flow, layer: int, position: int) -> NodeKey:
    """The state that the neurons of a block read."""
    parallel = flow.model.blocks[layer].parallel
    kind = NodeKind.RESID_PRE if parallel else NodeKind.RESID_MID
    return NodeKey(kind, layer, position)


def after(flow: Flow, layer: int, position: int) -> NodeKey:
    """The hidden state behind a block."""
    last = layer + 1 == len(flow.blocks)
    kind = NodeKind.RESID_FINAL if last else NodeKind.RESID_PRE
    return NodeKey(kind, layer + 1, position)


def bias_key(name: str, layer: int, position: int) -> NodeKey:
    """The node of a bias."""
    return NodeKey(NodeKind.BIAS, layer, position, BIAS_NAMES.index(name))


def _own(flow: Flow, key: NodeKey) -> Tensor:
    values = flow.values.of_kind(key.kind)
    layer = 0 if values.shape[0] == 1 else key.layer
    return values[layer, key.position, key.index]


def _single(kind: EdgeKind, key: NodeKey, flow: Tensor) -> Bundle:
    return Bundle(kind, key, None, flow[None])


def _bias(flow: Flow, name: str, layer: int, position: int) -> Bundle:
    key = bias_key(name, layer, position)
    return _single(EdgeKind.WRITE, key, _own(flow, key))


def _into_target(flow: Flow, key: NodeKey, cut: int | None) -> list[Bundle]:
    if cut is not None and cut < len(flow.blocks):
        base = NodeKey(NodeKind.RESID_PRE, cut, 0)
        return [Bundle(EdgeKind.WRITE, base, "position", flow.values.resid_pre[cut])]
    base = NodeKey(NodeKind.RESID_FINAL, key.layer, 0)
    biases = [_bias(flow, name, key.layer, key.position) for name in ("ln_final", "b_U")]
    return [Bundle(EdgeKind.WRITE, base, "position", flow.values.resid_final), *biases]


def _into_first(flow: Flow, key: NodeKey) -> list[Bundle]:
    kinds = (NodeKind.EMBED, NodeKind.POS_EMBED)
    keys = [NodeKey(kind, 0, key.position) for kind in kinds]
    keys += [bias_key(name, 0, key.position) for name in ("ln_embed", "set_first")]
    return [_single(EdgeKind.WRITE, source, _own(flow, source)) for source in keys]


def _into_mid(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    return [_residual(flow, NodeKey(NodeKind.RESID_PRE, layer, at)), *_from_heads(flow, layer, at)]


def _into_post(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer - 1, key.position
    before = _residual(flow, _read_by_mlp(flow, layer, at))
    heads = _from_heads(flow, layer, at) if flow.model.blocks[layer].parallel else []
    return [before, *heads, *_from_neurons(flow, layer, at)]


def _residual(flow: Flow, before: NodeKey) -> Bundle:
    """What a state sends on unchanged, as the state at the edge's other end receives it."""
    part, gradient = flow.trace.blocks[before.layer], flow.blocks[before.layer]
    if before.kind is NodeKind.RESID_PRE:
        state, r = part.resid_pre, gradient.into_mid
    else:
        state, r = part.mlp_state, gradient.into_post
    return _single(EdgeKind.RESIDUAL, before, state[before.position] @ r[before.position])


def _from_heads(flow: Flow, layer: int, at: int) -> list[Bundle]:
    base, flows = NodeKey(NodeKind.HEAD, layer, at), flow.values.heads[layer, at]
    biases = [_bias(flow, name, layer, at) for name in BEHIND_HEADS]
    return [Bundle(EdgeKind.WRITE, base, "index", flows), *biases]


def _from_neurons(flow: Flow, layer: int, at: int) -> list[Bundle]:
    base, flows = NodeKey(NodeKind.NEURON, layer, at), flow.neuron_flows(layer)[at]
    biases = [_bias(flow, name, layer, at) for name in BEHIND_MLP]
    return [Bundle(EdgeKind.WRITE, base, "index", flows), *biases]


def _into_head(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at, head = key.layer, key.position, key.index
    pattern = flow.trace.blocks[layer].pattern[head, at, : flow.positions]
    through, own = flow.head_constants(layer)[:, at, head]
    state = NodeKey(NodeKind.RESID_PRE, layer, 0)
    read, along = EdgeKind.READ, "position"
    into = [
        Bundle(read, state, along, flow.head_row(layer, head, at), pattern),
        Bundle(read, bias_key("ln1", layer, 0), along, pattern * through, pattern),
        Bundle(read, bias_key("b_V", layer, 0), along, pattern * own, pattern),
    ]
    if flow.trace.blocks[layer].set_z is not None:
        put = flow.set_heads(layer)[at, head]
        into.append(_single(read, bias_key("set_heads", layer, at), put))
    return into


def _into_neuron(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    through, own = flow.neuron_constants(layer, slice(at, at + 1))[:, 0, key.index]
    put = flow.set_neurons(layer)[at, key.index]
    state = flow.values.neurons[layer, at, key.index] - through - own - put
    into = [
        _single(EdgeKind.READ, _read_by_mlp(flow, layer, at), state),
        _single(EdgeKind.READ, bias_key("ln2", layer, at), through),
        _single(EdgeKind.READ, bias_key("b_in", layer, at), own),
    ]
    if flow.trace.blocks[layer].set_post is not None:
        into.append(_single(EdgeKind.READ, bias_key("set_neurons", layer, at), put))
    return into


def _out_of_pre(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    pattern = flow.trace.blocks[layer].pattern[:, : flow.positions, at]
    read = flow.head_column(layer, at)
    heads = [
        Bundle(EdgeKind.READ, NodeKey(NodeKind.HEAD, layer, 0, head), "position", flows, weights)
        for head, (flows, weights) in enumerate(zip(read, pattern, strict=True))
    ]
    neurons = [_into_neurons(flow, layer, at)] if flow.model.blocks[layer].parallel else []
    return [_residual_on(flow, key, _behind_heads(flow, layer, at)), *heads, *neurons]


def _out_of_mid(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    return [_residual_on(flow, key, after(flow, layer, at)), _into_neurons(flow, layer, at)]


def _residual_on(flow: Flow, key: NodeKey, far: NodeKey) -> Bundle:
    return replace(_residual(flow, key), base=far)


def _into_neurons(flow: Flow, layer: int, at: int) -> Bundle:
    biases = flow.neuron_constants(layer, slice(at, at + 1))[:, 0].sum(0)
    biases = biases + flow.set_neurons(layer)[at]
    base = NodeKey(NodeKind.NEURON, layer, at)
    return Bundle(EdgeKind.READ, base, "index", flow.neuron_flows(layer)[at] - biases)


def _out_of_bias(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at, name = key.layer, key.position, BIAS_NAMES[key.index]
    if name in ("ln1", "b_V"):
        constants = flow.head_constants(layer)[("ln1", "b_V").index(name)]
        pattern = flow.trace.blocks[layer].pattern[:, : flow.positions, at]
        return [
            Bundle(EdgeKind.READ, NodeKey(NodeKind.HEAD, layer, 0, head), "position",
                   constants[:, head] * weights, weights)
            for head, weights in enumerate(pattern)
        ]  # fmt: skip
    if name == "set_heads":
        base = NodeKey(NodeKind.HEAD, layer, at)
        return [Bundle(EdgeKind.READ, base, "index", flow.set_heads(layer)[at])]
    if name == "set_neurons":
        base = NodeKey(NodeKind.NEURON, layer, at)
        return [Bundle(EdgeKind.READ, base, "index", flow.set_neurons(layer)[at])]
    if name in ("ln2", "b_in"):
        constants = flow.neuron_constants(layer, slice(at, at + 1))[:, 0]
        read = constants[("ln2", "b_in").index(name)]
        return [Bundle(EdgeKind.READ, NodeKey(NodeKind.NEURON, layer, at), "index", read)]
    return [_single(EdgeKind.WRITE, _behind_bias(flow, name, layer, at), _own(flow, key))]


def _behind_bias(flow: Flow, name: str, layer: int, at: int) -> NodeKey:
    """The state that a written bias enters, or the target."""
    if name in ("ln_final", "b_U"):
        return target_key(flow)
    if name in ("ln_embed", "set_first"):
        return NodeKey(NodeKind.RESID_PRE, 0, at)
    return _behind_heads(flow, layer, at) if name in BEHIND_HEADS else after(flow, layer, at)
