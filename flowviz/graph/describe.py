"""Nodes, tokens, predictions and the target of a flow with all their numbers, as plain values."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from flowviz.checks import TOLERANCE
from flowviz.flow import Flow
from flowviz.graph.before import nodes_before
from flowviz.graph.opened import Opened
from flowviz.graph.opened_edges import opened_influence
from flowviz.graph.scored import Scored
from flowviz.graph.types import (
    OUTPUTS,
    STATES,
    Checks,
    FlowNode,
    NodeKey,
    NodeKind,
    Prediction,
    Projection,
    PromptToken,
    Target,
)
from flowviz.graph.vectors import component_vectors, is_vector
from flowviz.lens import normed_components, normed_states, projections, read, to_logits
from flowviz.request import Score
from flowviz.trace import Pass
from flowviz.values import NodeValues

PREDICTIONS = 10
NOTHING = Opened()


@torch.inference_mode()
def describe_nodes(
    scored: Scored,
    keys: tuple[NodeKey, ...],
    ranking: NodeValues,
    scored_by: Score = Score.FLOW,
    k: int = 10,
    opened: Opened = NOTHING,
) -> list[FlowNode]:
    """Nodes with all their numbers; the vectors are projected in one product."""
    flow = scored.flow
    readable = [key for key in keys if is_vector(key)]
    norms, read_as = _read_vectors(flow, readable, opened, k)
    parts = opened_influence(flow, opened, ranking)
    nodes: list[FlowNode] = []
    for key in keys:
        if key.kind is NodeKind.TARGET:
            nodes.append(FlowNode(key, flow.value, 1.0, direct=flow.value))
            continue
        if key in parts or opened.has(key):
            node = _opened_node(opened, key, parts.get(key, 0.0))
            nodes.append(replace(node, norm=norms[key], projection=read_as[key]))
            continue
        nodes.append(
            FlowNode(
                key=key,
                flow=flow.values[key],
                influence=ranking[key],
                gradient=scored.gradient[key] if scored_by is Score.GRADIENT else None,
                direct=scored.direct[key],
                norm=norms.get(key),
                activation=_activation(flow, key),
                projection=read_as.get(key),
            )
        )
    if scored.changed is None:
        return nodes
    return nodes_before(nodes, scored.changed.clean.flow, opened)


def _opened_node(opened: Opened, key: NodeKey, influence: float) -> FlowNode:
    """A part of an opened node, or what a sublayer adds, without its reading."""
    node = opened.node(key.whole() if key.part_of else key)
    assert node is not None, key
    row = node.only([key]) if key.part_of else node
    vector = row.vectors[0] if key.part_of else node.vector
    return FlowNode(
        key=key,
        flow=opened.flow(key),
        influence=influence,
        direct=0.0 if node.direct is None else float(vector @ node.direct),
        activation=row.activations[0] if key.kind is NodeKind.FACTOR else None,
    )


def _read_vectors(
    flow: Flow, keys: list[NodeKey], opened: Opened, k: int
) -> tuple[dict[NodeKey, float], dict[NodeKey, Projection]]:
    if not keys:
        return {}, {}
    vectors = _vectors(flow, keys, opened)
    is_state = torch.tensor([key.kind in STATES for key in keys], device=vectors.device)
    scale = flow.trace.final_scale[[key.position for key in keys]]
    normed = torch.where(
        is_state[:, None],
        normed_states(flow.model, vectors),
        normed_components(flow.model, vectors, scale),
    )
    readings = read(to_logits(flow.model, normed, is_state), flow.target.token, k)
    found = projections(flow.model, readings)
    norms = vectors.norm(dim=-1).tolist()
    return dict(zip(keys, norms, strict=True)), dict(zip(keys, found, strict=True))


def _vectors(flow: Flow, keys: list[NodeKey], opened: Opened) -> Tensor:
    """Of components and states; of opened nodes, their own and those of their parts."""
    plain = [key for key in keys if key.part_of is None and key.kind not in OUTPUTS]
    found = dict(zip(plain, component_vectors(flow, plain), strict=True))
    for key in keys:
        node = None if key in found else opened.node(key.whole() if key.part_of else key)
        if node is not None:
            found[key] = node.only([key]).vectors[0] if key.part_of else node.vector
    return torch.stack([found[key] for key in keys])


def _activation(flow: Flow, key: NodeKey) -> float | None:
    if key.kind is not NodeKind.NEURON:
        return None
    return float(flow.trace.blocks[key.layer].post[key.position, key.index])


def law_checks(scored: Scored, rest_error: float) -> Checks:
    """How exact a flow is, with the error of law 3 in its graph."""
    flow, errors = scored.flow, scored.errors
    return Checks(
        node_error=errors.node,
        cut_error=errors.cut,
        rest_error=rest_error,
        target_error=errors.target,
        block_error=errors.block,
        tolerance=TOLERANCE.get(flow.model.dtype, 0.0),
        dtype=flow.model.precision,
    )


def prompt_tokens(flow: Pass) -> tuple[PromptToken, ...]:
    """The prompt as the model read it."""
    text = flow.model.vocabulary.text
    return tuple(PromptToken(place, i, text(i)) for place, i in enumerate(flow.trace.ids))


def predictions_at(flow: Flow, position: int, k: int = PREDICTIONS) -> tuple[Prediction, ...]:
    """The model's own answer at a position, the likeliest token first."""
    logits = flow.trace.logits[position]
    ids = logits.topk(min(k, flow.model.shape.vocabulary)).indices
    return tuple(prediction_of(flow, position, i) for i in ids.tolist())


def prediction_of(flow: Flow, position: int, token: int) -> Prediction:
    """One token, as the model predicts it at a position."""
    logits = flow.model.capped(flow.trace.logits[position])
    logit = logits[token]
    probability = float((logit - logits.logsumexp(0)).exp())
    return Prediction(token, flow.model.vocabulary.text(token), probability, float(logit))


def target_of(flow: Flow) -> Target:
    """What is explained, with the model's own numbers for it."""
    target = flow.target
    logits = flow.trace.logits[target.position]

    def rank(token: int) -> int:
        return int((logits > logits[token]).sum()) + 1

    contrast = target.contrast
    return Target(
        position=target.position,
        token=prediction_of(flow, target.position, target.token),
        token_rank=rank(target.token),
        contrast=None if contrast is None else prediction_of(flow, target.position, contrast),
        contrast_rank=None if contrast is None else rank(contrast),
        value=flow.value,
    )
