"""What is still right where a law fails: the lens and the attention, and no flow at all.

An architecture whose parts are not read as they are breaks a law, and every run measures that. Its
states are the model's own all the same, and so are its attention patterns: the graph then holds
the hidden states of the target's column, and of the heads there those that look most at another
token than the first and their own. Nothing has flow, and there are no edges.
"""

from __future__ import annotations

from dataclasses import replace

from flowviz.checks import model_target
from flowviz.flow import Flow
from flowviz.graph.inspection import FlowTable, Inspection
from flowviz.graph.stream import target_key
from flowviz.graph.types import FlowNode, NodeKey, NodeKind, Target
from flowviz.request import GraphSettings


def states_and_heads(flow: Flow, settings: GraphSettings) -> tuple[NodeKey, ...]:
    """The target, the states of its column from the prompt up, and heads while there is budget."""
    at, last = flow.target.position, flow.model.shape.layers - 1
    first, end = settings.layers or (0, last)
    states = [key for layer in range(first, min(end, last) + 1) for key in _states(flow, layer, at)]
    if end >= last:
        states.append(NodeKey(NodeKind.RESID_FINAL, last + 1, at))
    heads = _attentive_heads(flow, at, first, min(end, last))
    if NodeKind.HEAD not in settings.kinds:
        heads = []
    return target_key(flow), *states, *heads[: max(settings.budget - len(states), 0)]


def _states(flow: Flow, layer: int, at: int) -> list[NodeKey]:
    between = flow.trace.blocks[layer].resid_mid is not None
    kinds = (NodeKind.RESID_PRE, NodeKind.RESID_MID) if between else (NodeKind.RESID_PRE,)
    return [NodeKey(kind, layer, at) for kind in kinds]


def _attentive_heads(flow: Flow, at: int, first: int, last: int) -> list[NodeKey]:
    found: list[tuple[float, NodeKey]] = []
    for layer in range(first, last + 1):
        weights = flow.trace.blocks[layer].pattern[:, at, 1:at]
        if weights.shape[1]:
            most = weights.amax(1).tolist()
            found += [(-w, NodeKey(NodeKind.HEAD, layer, at, i)) for i, w in enumerate(most) if w]
    return [key for _, key in sorted(found)]


def without_flow(node: FlowNode) -> FlowNode:
    """A node with what stays right: a state's reading, a head's place."""
    is_head = node.key.kind is NodeKind.HEAD
    return replace(
        node,
        flow=0.0,
        influence=0.0,
        direct=0.0,
        gradient=None,
        norm=None if is_head else node.norm,
        projection=None if is_head else node.projection,
    )


def target_without_flow(flow: Flow, target: Target) -> Target:
    """The target with the model's own number, which nothing splits."""
    return replace(target, value=model_target(flow))


def inspection_without_flow(inspection: Inspection) -> Inspection:
    """What stays right of a closer look: attention weights and the lens."""
    none = FlowTable((), 0.0, 0)
    cells = inspection.attention
    return replace(
        inspection,
        node=without_flow(inspection.node),
        inflows=none,
        outflows=none,
        attention=None if cells is None else tuple(replace(cell, flow=0.0) for cell in cells),
        neuron=None,
    )
