"""Build: a scored flow and settings become a FlowGraph.

1. Measure the laws on this flow (`checks`).
2. Rank the nodes and select which to draw (`select`).
3. Read out, prune and complete their edges (`edges`).
4. Read the drawn nodes' vectors as tokens, all in one product (`describe`).
"""

from __future__ import annotations

from dataclasses import replace

from flowviz.flow import Flow
from flowviz.graph.before import both_inflows, predictions_before, rest_before, target_before
from flowviz.graph.describe import (
    describe_nodes,
    law_checks,
    predictions_at,
    prompt_tokens,
    target_of,
)
from flowviz.graph.edges import (
    Drawn,
    Inflow,
    circuit_inflows,
    draw,
    drawn_connected,
    stream_inflows,
)
from flowviz.graph.scored import Scored
from flowviz.graph.select import COMPONENTS, Selection, last_cut, select
from flowviz.graph.stream import target_key
from flowviz.graph.types import (
    STATES,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    NodeKey,
    NodeKind,
)
from flowviz.graph.unexplained import states_and_heads, target_without_flow, without_flow
from flowviz.request import GraphSettings, Wiring, settings_to_plain
from flowviz.values import NodeValues

DUST = 1e-6  # of the flow's scale: the rounding error of a float32 sum


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
    flow, parallel = scored.flow, scored.flow.model.shape.parallel
    return drawn_connected(
        lambda without: select(ranking, flow.values, settings, without, parallel),
        lambda selection: _draw(scored, settings, selection, ranking),
    )


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


def _rest_error(flow: Flow, drawn: Drawn) -> float:
    """Law 3: drawn inflows and rest, summed as drawn, against each node's own flow."""
    into = dict(drawn.rest)
    for edge in drawn.edges:
        into[edge.target] += edge.flow
    errors = [abs(amount - _own_flow(flow, key)) for key, amount in into.items()]
    return max(errors, default=0.0) / flow.scale


def _own_flow(flow: Flow, key: NodeKey) -> float:
    return flow.value if key.kind is NodeKind.TARGET else flow.values[key]
