"""Build: a scored flow and settings become a FlowGraph.

1. Measure the laws on this flow (`checks`).
2. Rank the nodes and select which to draw (`select`).
3. Read out, prune and complete their edges (`edges`).
4. Read the drawn nodes' vectors as tokens, all in one product (`describe`).

Nodes that are opened are drawn in any case, with the strongest way on to what is drawn (`opened`).
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
    draw,
    drawn_connected,
    stream_inflows,
)
from flowviz.graph.opened import Opened, OpenedNode
from flowviz.graph.opened_edges import leading_on, open_circuit, open_stream, opened_influence
from flowviz.graph.scored import Scored
from flowviz.graph.select import COMPONENTS, Selection, last_cut, select
from flowviz.graph.stream import target_key
from flowviz.graph.types import (
    OPENABLE,
    OUTPUTS,
    PARTS,
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
NOTHING = Opened()


def build_graph(scored: Scored, settings: GraphSettings, opened: Opened = NOTHING) -> FlowGraph:
    """The graph of one flow under these settings; where a law fails, without any flow.

    Args:
        opened: the nodes that are drawn as sums of their parts, in this flow.
    """
    graph = _graph(scored, settings, opened)
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


def _graph(scored: Scored, settings: GraphSettings, opened: Opened) -> FlowGraph:
    if not law_checks(scored, 0.0).exact:
        return _unexplained(scored, settings)
    flow, ranking = scored.flow, scored.ranking(settings.score)
    selection, drawn = _select_and_draw(scored, settings, ranking, opened)
    nodes = describe_nodes(scored, drawn.keys, ranking, scored_by=settings.score, opened=opened)
    rest_nodes, rest_edges = _rest(drawn, DUST * flow.scale)
    kinds = COMPONENTS | STATES if settings.wiring is Wiring.STREAM else COMPONENTS
    held = sum(node.influence for node in nodes if node.key.kind in kinds)
    return FlowGraph(
        model=flow.model.shape,
        tokens=prompt_tokens(flow),
        target=target_of(flow),
        predictions=predictions_at(flow, flow.target.position),
        settings=settings_to_plain(settings),
        checks=law_checks(scored, _rest_error(flow, drawn, opened)),
        coverage=min(held / max(ranking.total(kinds), 1e-12), 1.0),
        nodes_total=selection.total,
        nodes=(*nodes, *rest_nodes),
        edges=(*drawn.edges, *rest_edges),
        opened=tuple(node.place for node in opened.nodes),
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
    scored: Scored, settings: GraphSettings, ranking: NodeValues, opened: Opened
) -> tuple[Selection, Drawn]:
    flow, parallel = scored.flow, scored.flow.model.shape.parallel

    def choose(without: frozenset[NodeKey]) -> Selection:
        selection = select(ranking, flow.values, settings, without, parallel)
        return _with_opened(flow, settings, selection, opened)

    return drawn_connected(
        choose, lambda selection: _draw(scored, settings, selection, ranking, opened)
    )


def _with_opened(
    flow: Flow, settings: GraphSettings, selection: Selection, opened: Opened
) -> Selection:
    """A selection with the opened states, and with what joins opened nodes with the target."""
    keys, cut = dict.fromkeys(selection.keys), last_cut(settings, flow.model.shape.layers)
    for node in opened.nodes:
        way = leading_on(flow, node.key, keys, cut, settings.wiring is Wiring.STREAM)
        if way is not None:
            keys |= dict.fromkeys([node.key, *way])
    return replace(selection, keys=tuple(keys))


def _draw(
    scored: Scored,
    settings: GraphSettings,
    selection: Selection,
    ranking: NodeValues,
    opened: Opened,
) -> Drawn:
    flow, target = scored.flow, target_key(scored.flow)
    own = opened_influence(flow, opened, ranking)
    influence = {target: 1.0}
    influence |= {key: own[key] if key in own else ranking[key] for key in selection.keys}
    influence |= {key: size for key, size in own.items() if _whole(key) in influence}
    keys = [key for key in influence if key.kind not in OUTPUTS | PARTS]
    drawn = frozenset(_whole(key) for key in influence)
    inflows = _inflows(flow, settings, keys, opened.now(drawn))
    if scored.changed is not None:
        clean = scored.changed.clean.flow
        inflows = both_inflows(inflows, _inflows(clean, settings, keys, opened.were(drawn)))
    return draw(inflows, influence, settings.edge_coverage)


def _whole(key: NodeKey) -> NodeKey:
    return key.whole() if key.part_of else key


def _inflows(
    flow: Flow, settings: GraphSettings, keys: list[NodeKey], nodes: list[OpenedNode]
) -> dict[NodeKey, Inflow]:
    if settings.wiring is Wiring.CIRCUIT:
        components = [key for key in keys if key.kind not in OPENABLE]
        return open_circuit(flow, components, nodes)
    cut = last_cut(settings, flow.model.shape.layers)
    return open_stream(flow, stream_inflows(flow, keys, cut), nodes)


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


def _rest_error(flow: Flow, drawn: Drawn, opened: Opened) -> float:
    """Law 3: drawn inflows and rest, summed as drawn, against each node's own flow."""
    into = dict(drawn.rest)
    for edge in drawn.edges:
        into[edge.target] += edge.flow
    errors = [abs(amount - _own_flow(flow, key, opened)) for key, amount in into.items()]
    return max(errors, default=0.0) / flow.scale


def _own_flow(flow: Flow, key: NodeKey, opened: Opened) -> float:
    if key.part_of or key.kind in OUTPUTS:
        return opened.flow(key)
    return flow.value if key.kind is NodeKind.TARGET else flow.values[key]
