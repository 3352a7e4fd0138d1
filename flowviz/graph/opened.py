"""Nodes that are opened: a hidden state, or what a sublayer adds, drawn as a sum of parts.

    x = offset + Σ_f a_f d_f + error

With all that is frozen the flow through x is linear in it, flow(x) = x · g, g being the flow
gradient at its place. So the flow of a part is part · g, and the parts' flows sum to the node's.
The same holds of each edge that leaves the node, with that edge's own gradient. What a sublayer
adds is a node only where it is opened: it gathers what its heads (or neurons) and the biases behind
them write, and its flow is theirs.

Who finds the parts is not known here; see `flowviz/factors/use`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow, kept
from flowviz.graph.circuit import sent_on
from flowviz.graph.stream import after, bias_key
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind, OpenedPlace
from flowviz.graph.vectors import component_vectors, written_bias
from flowviz.scores import Gradients
from flowviz.trace import Pass

MOST_FACTORS = 12  # of one node that are drawn, the strongest by absolute flow
K = NodeKind


@dataclass(frozen=True, eq=False)
class OpenedNode:
    """One node in its parts, in one pass.

    Args:
        vector: the node's own.
        keys: of the parts: factors, the strongest first, then the offset and the error.
        vectors: of the parts; they sum to the node's vector.
        activations: of the factors; None for offset and error.
        gradient: the flow gradient at the node.
        direct: what a vector there gives straight to the target; None where it cannot reach it.
    """

    place: OpenedPlace
    vector: Float[Tensor, " d_model"]
    keys: tuple[NodeKey, ...]
    vectors: Float[Tensor, "part d_model"]
    activations: tuple[float | None, ...]
    gradient: Float[Tensor, " d_model"]
    direct: Float[Tensor, " d_model"] | None

    @property
    def key(self) -> NodeKey:
        """The node that is opened."""
        return self.place.key

    @cached_property
    def flows(self) -> tuple[float, ...]:
        """Of the parts; they sum to the node's flow."""
        return tuple((self.vectors @ self.gradient).tolist())

    @property
    def flow(self) -> float:
        """The node's own."""
        return float(self.vector @ self.gradient)

    def only(self, keys: Iterable[NodeKey]) -> OpenedNode:
        """With these parts, in their order; a part that is not active is nothing."""
        keys = tuple(keys)
        rows = {key: row for row, key in enumerate(self.keys)}
        nothing = torch.zeros_like(self.gradient)
        vectors = [self.vectors[rows[key]] if key in rows else nothing for key in keys]
        known = [self.activations[rows[key]] if key in rows else 0.0 for key in keys]
        found = torch.stack(vectors) if vectors else self.vectors[:0]
        return replace(self, keys=keys, vectors=found, activations=tuple(known))


@dataclass(frozen=True, eq=False)
class Opened:
    """What is opened in one flow, and in the flow before interventions.

    Args:
        nodes: with all their parts.
        before: the same nodes in the clean pass; empty where nothing was changed.
    """

    nodes: tuple[OpenedNode, ...] = ()
    before: tuple[OpenedNode, ...] = ()
    _drawn: dict[NodeKey, tuple[NodeKey, ...]] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def node(self, key: NodeKey) -> OpenedNode | None:
        """The opened node of that key, with all its parts."""
        return next((node for node in self.nodes if node.key == key), None)

    def node_before(self, key: NodeKey) -> OpenedNode | None:
        """The same without interventions."""
        return next((node for node in self.before if node.key == key), None)

    def has(self, key: NodeKey) -> bool:
        """Whether it is an opened node that is no state, or a part of an opened node."""
        if key.part_of is None:
            return key.kind in OUTPUTS and self.node(key) is not None
        node = self.node(key.whole())
        return node is not None and (key in node.keys or key in self.drawn(node.key))

    def drawn(self, key: NodeKey) -> tuple[NodeKey, ...]:
        """The parts of a node that are drawn: its strongest factors, now or before; its offset and
        its error, where they are anything."""
        if key not in self._drawn:
            self._drawn[key] = _strongest([n for n in (*self.nodes, *self.before) if n.key == key])
        return self._drawn[key]

    def flow(self, key: NodeKey) -> float:
        """Of a part or an opened node."""
        return _flow(self.node(_whole(key)), key)

    def flow_before(self, key: NodeKey) -> float:
        """The same in the clean pass."""
        return _flow(self.node_before(_whole(key)), key)

    def now(self, keys: Container[NodeKey]) -> list[OpenedNode]:
        """Those of some nodes that are opened, with the parts that are drawn."""
        return [node.only(self.drawn(node.key)) for node in self.nodes if node.key in keys]

    def were(self, keys: Container[NodeKey]) -> list[OpenedNode]:
        """The same in the clean pass."""
        return [node.only(self.drawn(node.key)) for node in self.before if node.key in keys]


def _whole(key: NodeKey) -> NodeKey:
    return key.whole() if key.part_of else key


def _flow(node: OpenedNode | None, key: NodeKey) -> float:
    if node is None:
        return 0.0
    if key.part_of is None:
        return node.flow
    return node.flows[node.keys.index(key)] if key in node.keys else 0.0


def _strongest(nodes: list[OpenedNode]) -> tuple[NodeKey, ...]:
    sizes: dict[NodeKey, float] = {}
    for node in nodes:
        for key, flow, vector in zip(node.keys, node.flows, node.vectors, strict=True):
            if bool(vector.any()):
                sizes[key] = max(sizes.get(key, 0.0), abs(flow))
    factors = sorted((-size, key) for key, size in sizes.items() if key.kind is K.FACTOR)
    others = sorted((key for key in sizes if key.kind is not K.FACTOR), reverse=True)
    return (*(key for _, key in factors[:MOST_FACTORS]), *others)


@torch.inference_mode()
def node_vector(flow: Pass, key: NodeKey) -> Float[Tensor, " d_model"]:
    """The vector of a hidden state, or what a sublayer adds to the stream at a position.

    Where a norm stands on the stream behind a sublayer, what is added in front of it.
    """
    if key.kind not in OUTPUTS:
        return component_vectors(flow, [key])[0]
    biases = [written_bias(flow, key.layer, name)[key.position] for name in bias_names(flow, key)]
    members = component_vectors(flow, _writers(flow, key))
    return members.sum(0) + sum(biases)


def bias_names(flow: Pass, key: NodeKey) -> tuple[str, ...]:
    """The biases that are a part of what a sublayer adds."""
    late = key.kind is K.MLP_OUT
    own, behind = ("b_out", "ln2_post") if late else ("b_O", "ln1_post")
    return (own,) if flow.model.blocks[key.layer].norms_stream else (own, behind)


def members(flow: Pass, key: NodeKey) -> frozenset[NodeKey]:
    """The nodes that an opened sublayer's output gathers."""
    biases = [bias_key(name, key.layer, key.position) for name in bias_names(flow, key)]
    return frozenset([*_writers(flow, key), *biases])


def _writers(flow: Pass, key: NodeKey) -> list[NodeKey]:
    block = flow.model.blocks[key.layer]
    late = key.kind is K.MLP_OUT
    kind, count = (K.NEURON, block.mlp.neurons) if late else (K.HEAD, block.attention.heads)
    return [NodeKey(kind, key.layer, key.position, index) for index in range(count)]


def gradient_at(flow: Flow, key: NodeKey) -> Float[Tensor, " d_model"]:
    """The flow gradient at a node that can be opened."""
    if key.kind is K.RESID_FINAL:
        return flow.blocks[-1].r_post[key.position]
    gradient = flow.blocks[key.layer]
    if key.kind is K.RESID_MID:
        assert gradient.r_mid is not None, key
        return gradient.r_mid[key.position]
    found = {
        K.RESID_PRE: gradient.r_pre,
        K.ATTN_OUT: gradient.into_mid,
        K.MLP_OUT: gradient.into_post,
    }
    return found[key.kind][key.position]


def gradient_by(flow: Flow, gradients: Gradients, key: NodeKey) -> Float[Tensor, " d_model"]:
    """Another gradient at the same place: with nothing frozen, or along a way of such.

    Args:
        gradients: of the pass, by their places (`scores.gradients_of`). A sublayer's output is
            added to a state and has that state's, in front of what was changed there.
    """
    change, state = None, key
    if key.kind in OUTPUTS:
        part, state = flow.trace.blocks[key.layer], next_state(flow, key)
        change = part.mid if state.kind is K.RESID_MID else part.after
    layer = -1 if state.kind is K.RESID_FINAL else state.layer
    return kept(change, gradients[state.kind.value, layer])[key.position]


def direct_at(flow: Flow, key: NodeKey) -> Float[Tensor, " d_model"] | None:
    """What reads a vector there along the stream alone, into the target."""
    if key.position != flow.target.position:
        return None
    each = torch.eye(flow.trace.resid_final.shape[1]).to(flow.direction)
    last = 4 * len(flow.blocks)
    return (
        sent_on(flow, each, key.position, step_behind(flow, key), last) @ flow.blocks[-1].r_post[-1]
    )


def depth_of(flow: Pass, key: NodeKey) -> float:
    """The depth at which the parts of an opened node are written, as `circuit.written` counts; a
    state's lie behind all that it is the sum of."""
    behind = {
        K.RESID_PRE: -0.5,
        K.RESID_MID: 0.5,
        K.RESID_FINAL: -0.5,
        K.ATTN_OUT: 0.0,
        K.MLP_OUT: 1.0,
    }
    return 2 * key.layer + behind[key.kind]


def step_behind(flow: Pass, key: NodeKey) -> int:
    """The first step on the stream that an opened node's vector goes through (`circuit`)."""
    steps = {K.RESID_PRE: 0, K.RESID_MID: 2, K.RESID_FINAL: 0, K.ATTN_OUT: 0, K.MLP_OUT: 2}
    return 4 * key.layer + steps[key.kind]


def next_state(flow: Flow, key: NodeKey) -> NodeKey:
    """The hidden state that a sublayer's output is added to."""
    if key.kind is K.ATTN_OUT and not flow.model.blocks[key.layer].parallel:
        return NodeKey(K.RESID_MID, key.layer, key.position)
    return after(flow, key.layer, key.position)
