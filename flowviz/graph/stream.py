"""The stream wiring: hidden states are nodes; heads join positions, neurons join mid to post.

    embeddings -> pre -> heads -> mid -> neurons -> next pre ... final -> target
                   `--- residual ---^  `--- residual ---^

Where the graph is asked for up to some block only, the target reads the states of the cut above
it: their flows and those of the biases above are the target (law 2).
"""

from __future__ import annotations

import torch
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.bundles import Bundle
from flowviz.graph.types import BIAS_NAMES, EdgeKind, NodeKey, NodeKind


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
        return [_single(EdgeKind.WRITE, NodeKey(NodeKind.RESID_MID, layer, at), _own(flow, key))]
    if key.kind is NodeKind.NEURON:
        return [_single(EdgeKind.WRITE, after(flow, layer, at), _own(flow, key))]
    if key.kind is NodeKind.RESID_FINAL and at == flow.target.position:
        return [_single(EdgeKind.WRITE, target_key(flow), _own(flow, key))]
    return _out_of_bias(flow, key) if key.kind is NodeKind.BIAS else []


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
    return [_single(EdgeKind.WRITE, source, _own(flow, source)) for source in keys]


def _into_mid(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    pre, r = flow.trace.blocks[layer].resid_pre[at], flow.blocks[layer].r_mid[at]
    return [
        _single(EdgeKind.RESIDUAL, NodeKey(NodeKind.RESID_PRE, layer, at), pre @ r),
        Bundle(
            EdgeKind.WRITE, NodeKey(NodeKind.HEAD, layer, at), "index",
            flow.values.heads[layer, at],
        ),
        _bias(flow, "b_O", layer, at),
    ]  # fmt: skip


def _into_post(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer - 1, key.position
    mid, r = flow.trace.blocks[layer].resid_mid[at], flow.blocks[layer].r_post[at]
    return [
        _single(EdgeKind.RESIDUAL, NodeKey(NodeKind.RESID_MID, layer, at), mid @ r),
        Bundle(
            EdgeKind.WRITE, NodeKey(NodeKind.NEURON, layer, at), "index",
            flow.values.neurons[layer, at],
        ),
        _bias(flow, "b_out", layer, at),
    ]  # fmt: skip


def _into_head(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at, head = key.layer, key.position, key.index
    pattern = flow.trace.blocks[layer].pattern[head, at, : flow.positions]
    through, own = flow.head_constants(layer)[:, at, head]
    state = NodeKey(NodeKind.RESID_PRE, layer, 0)
    read, along = EdgeKind.READ, "position"
    return [
        Bundle(read, state, along, flow.head_row(layer, head, at), pattern),
        Bundle(read, bias_key("ln1", layer, 0), along, pattern * through, pattern),
        Bundle(read, bias_key("b_V", layer, 0), along, pattern * own, pattern),
    ]


def _into_neuron(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    through, own = flow.neuron_constants(layer, slice(at, at + 1))[:, 0, key.index]
    state = flow.values.neurons[layer, at, key.index] - through - own
    return [
        _single(EdgeKind.READ, NodeKey(NodeKind.RESID_MID, layer, at), state),
        _single(EdgeKind.READ, bias_key("ln2", layer, at), through),
        _single(EdgeKind.READ, bias_key("b_in", layer, at), own),
    ]


def _out_of_pre(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    pre, r = flow.trace.blocks[layer].resid_pre[at], flow.blocks[layer].r_mid[at]
    pattern = flow.trace.blocks[layer].pattern[:, : flow.positions, at]
    read = flow.head_column(layer, at)
    heads = [
        Bundle(EdgeKind.READ, NodeKey(NodeKind.HEAD, layer, 0, head), "position", flows, weights)
        for head, (flows, weights) in enumerate(zip(read, pattern, strict=True))
    ]
    return [_single(EdgeKind.RESIDUAL, NodeKey(NodeKind.RESID_MID, layer, at), pre @ r), *heads]


def _out_of_mid(flow: Flow, key: NodeKey) -> list[Bundle]:
    layer, at = key.layer, key.position
    mid, r = flow.trace.blocks[layer].resid_mid[at], flow.blocks[layer].r_post[at]
    read = flow.values.neurons[layer, at] - flow.neuron_constants(layer, slice(at, at + 1))[
        :, 0
    ].sum(0)
    return [
        _single(EdgeKind.RESIDUAL, after(flow, layer, at), mid @ r),
        Bundle(EdgeKind.READ, NodeKey(NodeKind.NEURON, layer, at), "index", read),
    ]


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
    if name in ("ln2", "b_in"):
        constants = flow.neuron_constants(layer, slice(at, at + 1))[:, 0]
        read = constants[("ln2", "b_in").index(name)]
        return [Bundle(EdgeKind.READ, NodeKey(NodeKind.NEURON, layer, at), "index", read)]
    if name == "b_O":
        far = NodeKey(NodeKind.RESID_MID, layer, at)
    else:
        far = after(flow, layer, at) if name == "b_out" else target_key(flow)
    return [_single(EdgeKind.WRITE, far, _own(flow, key))]
