"""Build: trace, flow and settings become a FlowGraph.

1. Measure the laws on this flow (`checks`).
2. Rank the nodes and select which to draw (`select`).
3. Read out, prune and complete their edges (`edges`).
4. Read the drawn nodes' vectors as tokens, all in one product (`lens`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch

from flowviz.blend import blend_scores
from flowviz.checks import TOLERANCE, LawErrors, law_errors
from flowviz.flow import Flow
from flowviz.graph.before import (
    both_inflows,
    larger,
    nodes_before,
    predictions_before,
    rest_before,
    target_before,
)
from flowviz.graph.edges import Drawn, Inflow, circuit_inflows, draw, stream_inflows
from flowviz.graph.select import COMPONENTS, Selection, last_cut, ranking_by_score, select
from flowviz.graph.stream import target_key
from flowviz.graph.types import (
    STATES,
    Checks,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    NodeKey,
    NodeKind,
    Prediction,
    Projection,
    PromptToken,
    Target,
)
from flowviz.graph.unexplained import states_and_heads, target_without_flow, without_flow
from flowviz.graph.vectors import component_vectors, is_vector
from flowviz.influence import influence_of
from flowviz.interventions.types import Intervention
from flowviz.lens import normed_components, normed_states, projections, read, to_logits
from flowviz.request import GraphSettings, Score, Wiring, settings_to_plain
from flowviz.scores import direct_scores, gradient_scores
from flowviz.values import NodeValues

PREDICTIONS = 10
ROUNDS = 4
DUST = 1e-6  # of the flow's scale: the rounding error of a float32 sum


@dataclass(frozen=True, eq=False)
class Scored:
    """A flow with all that graphs of any settings are built from, each computed once.

    Args:
        changed: where the pass was changed: by what, and the flow through the clean pass.
    """

    flow: Flow
    changed: Changed | None = None

    @cached_property
    def errors(self) -> LawErrors:
        """The laws, measured."""
        return law_errors(self.flow)

    @cached_property
    def influence(self) -> NodeValues:
        """The influence of every node."""
        return influence_of(self.flow)

    @cached_property
    def direct(self) -> NodeValues:
        """Direct logit attribution of every node."""
        return direct_scores(self.flow)

    @cached_property
    def gradient(self) -> NodeValues:
        """Attribution patching of every node; it takes a pass of its own."""
        return gradient_scores(self.flow)

    @cached_property
    def blend(self) -> NodeValues:
        """The blend of every node; it takes six passes of its own."""
        return blend_scores(self.flow)

    def by(self, score: Score) -> NodeValues:
        """What a score says of every node."""
        if score is Score.FLOW:
            return self.flow.values
        return getattr(self, score.value)

    def ranking(self, score: Score) -> NodeValues:
        """What nodes are chosen by; in a changed pass, also by what they were before."""
        own = self._ranking(score)
        return own if self.changed is None else larger(own, self.changed.clean.ranking(score))

    def _ranking(self, score: Score) -> NodeValues:
        if score is Score.FLOW:
            return self.influence
        return ranking_by_score(self.by(score), self.flow.model.shape.parallel)


@dataclass(frozen=True, eq=False)
class Changed:
    """What was changed in a pass.

    Args:
        clean: the flow of the same target through the pass without the interventions.
        donor: the prompt that values came from, where they came from one.
    """

    clean: Scored
    interventions: tuple[Intervention, ...]
    donor: str | None = None


def build_graph(scored: Scored, settings: GraphSettings) -> FlowGraph:
    """The graph of one flow under these settings; where a law fails, without any flow."""
    graph = _graph(scored, settings)
    changed = scored.changed
    if changed is None:
        return graph
    clean = changed.clean.flow
    return replace(
        graph,
        target=target_before(graph.target, clean),
        predictions=predictions_before(graph.predictions, clean),
        interventions=tuple(map(str, changed.interventions)),
        donor=changed.donor,
    )


def _graph(scored: Scored, settings: GraphSettings) -> FlowGraph:
    if not law_checks(scored, 0.0).exact:
        return _unexplained(scored, settings)
    flow, ranking = scored.flow, scored.ranking(settings.score)
    selection, drawn = _select_and_draw(scored, settings, ranking)
    nodes = describe_nodes(scored, drawn.keys, ranking, scored_by=settings.score)
    rest_nodes, rest_edges = _rest(drawn, DUST * flow.scale)
    kinds = COMPONENTS | STATES if settings.wiring is Wiring.STREAM else COMPONENTS
    held = sum(node.influence for node in nodes if node.key.kind is not NodeKind.TARGET)
    return FlowGraph(
        model=flow.model.shape,
        tokens=prompt_tokens(flow),
        target=target_of(flow),
        predictions=predictions_at(flow, flow.target.position),
        settings=settings_to_plain(settings),
        checks=law_checks(scored, _rest_error(flow, drawn)),
        coverage=min(held / max(ranking.total(kinds), 1e-12), 1.0),
        nodes_total=selection.total,
        nodes=(*nodes, *rest_nodes),
        edges=(*drawn.edges, *rest_edges),
    )


def _unexplained(scored: Scored, settings: GraphSettings) -> FlowGraph:
    """States and attention alone: see `unexplained`."""
    flow = scored.flow
    keys = states_and_heads(flow, settings)
    nodes = describe_nodes(scored, keys, scored.influence)
    return FlowGraph(
        model=flow.model.shape,
        tokens=prompt_tokens(flow),
        target=target_without_flow(flow, target_of(flow)),
        predictions=predictions_at(flow, flow.target.position),
        settings=settings_to_plain(settings),
        checks=law_checks(scored, 0.0),
        coverage=0.0,
        nodes_total=len(keys) - 1,
        nodes=tuple(without_flow(node) for node in nodes),
        edges=(),
    )


def _select_and_draw(
    scored: Scored, settings: GraphSettings, ranking: NodeValues
) -> tuple[Selection, Drawn]:
    """Selects and draws; where pruned edges cut nodes off, others get their place."""
    without: frozenset[NodeKey] = frozenset()
    for _ in range(ROUNDS):
        parallel = scored.flow.model.shape.parallel
        selection = select(ranking, scored.flow.values, settings, without, parallel)
        drawn = _draw(scored, settings, selection, ranking)
        lost = set(selection.keys) - set(drawn.keys)
        if not lost:
            break
        without |= lost
    return selection, drawn


def _draw(
    scored: Scored, settings: GraphSettings, selection: Selection, ranking: NodeValues
) -> Drawn:
    flow, target = scored.flow, target_key(scored.flow)
    influence = {target: 1.0} | {key: ranking[key] for key in selection.keys}
    keys = list(influence)
    inflows = _inflows(flow, settings, keys)
    if scored.changed is not None:
        inflows = both_inflows(inflows, _inflows(scored.changed.clean.flow, settings, keys))
    return draw(inflows, influence, settings.edge_coverage)


def _inflows(flow: Flow, settings: GraphSettings, keys: list[NodeKey]) -> dict[NodeKey, Inflow]:
    if settings.wiring is Wiring.CIRCUIT:
        return circuit_inflows(flow, keys)
    return stream_inflows(flow, keys, last_cut(settings, flow.model.shape.layers))


def _rest(drawn: Drawn, dust: float) -> tuple[list[FlowNode], list[FlowEdge]]:
    """A rest node, and its edge, wherever more flows in than rounding errors."""
    nodes = [
        FlowNode(key.rest(), amount, 0.0, before=rest_before(drawn, key))
        for key, amount in drawn.rest.items()
        if abs(amount) > dust
    ]
    edges = [
        FlowEdge(node.key, node.key.cut(), EdgeKind.REST, node.flow, 0.0, before=node.before)
        for node in nodes
    ]
    return nodes, edges


@torch.inference_mode()
def describe_nodes(
    scored: Scored,
    keys: tuple[NodeKey, ...],
    ranking: NodeValues,
    scored_by: Score = Score.FLOW,
    k: int = 10,
) -> list[FlowNode]:
    """Nodes with all their numbers; the vectors are projected in one product."""
    flow = scored.flow
    readable = [key for key in keys if is_vector(key)]
    norms, read_as = _read_vectors(flow, readable, k)
    nodes: list[FlowNode] = []
    for key in keys:
        if key.kind is NodeKind.TARGET:
            nodes.append(FlowNode(key, flow.value, 1.0, direct=flow.value))
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
    return nodes if scored.changed is None else nodes_before(nodes, scored.changed.clean.flow)


def _read_vectors(
    flow: Flow, keys: list[NodeKey], k: int
) -> tuple[dict[NodeKey, float], dict[NodeKey, Projection]]:
    if not keys:
        return {}, {}
    vectors = component_vectors(flow, keys)
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


def _rest_error(flow: Flow, drawn: Drawn) -> float:
    """Law 3: drawn inflows and rest, summed as drawn, against each node's own flow."""
    into = dict(drawn.rest)
    for edge in drawn.edges:
        into[edge.target] += edge.flow
    errors = [abs(amount - _own_flow(flow, key)) for key, amount in into.items()]
    return max(errors, default=0.0) / flow.scale


def _own_flow(flow: Flow, key: NodeKey) -> float:
    return flow.value if key.kind is NodeKind.TARGET else flow.values[key]


def prompt_tokens(flow: Flow) -> tuple[PromptToken, ...]:
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
