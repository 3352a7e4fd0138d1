"""Build: two flows and settings become a Comparison.

1. Align the prompts (`align`), and lay the values of both passes out by column (`values`).
2. Rank the nodes by the absolute difference of the score; a hidden state ranks with the strongest
   component that writes at or below it, so that what is drawn stays connected to the target.
3. Select and draw as for one pass (`graph.select`, `graph.edges`), on the differences.
4. Describe every drawn node, and what else changed most, on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flowviz.compare.align import alignment_words
from flowviz.compare.edges import Both, inflows
from flowviz.compare.request import CompareRequest
from flowviz.compare.sides import Sides, check_comparable, prediction_pairs, side
from flowviz.compare.types import (
    Change,
    ChangedEdge,
    Column,
    Comparison,
    PredictionPair,
    Side,
)
from flowviz.compare.values import beyond_rounding
from flowviz.graph.build import DUST
from flowviz.graph.describe import describe_nodes
from flowviz.graph.edges import ROUNDS, Drawn, draw
from flowviz.graph.scored import Scored
from flowviz.graph.select import COMPONENTS, Selection, ranking_by_score, select
from flowviz.graph.types import (
    STATES,
    Checks,
    FlowEdge,
    FlowGraph,
    FlowNode,
    NodeKey,
    NodeKind,
    Prediction,
    PromptToken,
    Target,
)
from flowviz.request import GraphSettings, Wiring, settings_to_plain
from flowviz.values import NodeValues

MOST_CHANGES = 50  # components, drawn or not
NO_TOKEN = "–"  # in a column's name, for the prompt that has none there
ARROW = " → "


def compare(first: Scored, second: Scored, request: CompareRequest) -> Comparison:
    """Two passes held against each other.

    Raises:
        RequestError: the two models' parts do not stand for each other, or the settings do not
            fit the prompts.
    """
    check_comparable(first.flow.model, second.flow.model)
    sides = Sides(first, second)
    named = side(first, request.first), side(second, request.second)
    exact = all(one.checks.exact for one in named)
    picture = _picture(sides, request.first.settings) if exact else _Picture()
    pairs = prediction_pairs(first.flow, second.flow)
    return Comparison(
        *named,
        columns=sides.columns,
        alignment=alignment_words(sides.columns),
        predictions=pairs,
        graph=_graph(sides, request.first.settings, named, pairs, picture),
        changes=picture.changes,
        edges=picture.edges,
    )


@dataclass(frozen=True)
class _Picture:
    """What is drawn and listed of the differences."""

    nodes: tuple[FlowNode, ...] = ()
    drawn: tuple[FlowEdge, ...] = ()
    edges: tuple[ChangedEdge, ...] = ()
    changes: tuple[Change, ...] = ()
    coverage: float = 0.0
    total: int = 0
    rest_error: float = 0.0


def _picture(sides: Sides, settings: GraphSettings) -> _Picture:
    dust = DUST * sides.scale
    flows = beyond_rounding(sides.difference(settings.score), dust)
    ranking = ranking_by_score(flows, sides.first.flow.model.shape.parallel)
    kinds = COMPONENTS | STATES if settings.wiring is Wiring.STREAM else COMPONENTS
    if not ranking.total(kinds):
        return _Picture()
    selection, drawn, both = _select_and_draw(sides, settings, ranking, flows)
    edges = [both.edge(edge) for edge in drawn.edges]
    rest_nodes, rest_edges = both.rest(drawn, edges, dust)
    changes = _changes(sides, settings, drawn.keys, flows)
    known = {change.key: change for change in changes}
    nodes = [_node(sides, settings, key, known, ranking) for key in drawn.keys]
    held = sum(node.influence for node in nodes if node.key.kind is not NodeKind.TARGET)
    return _Picture(
        nodes=(*nodes, *rest_nodes),
        drawn=(*map(_with_before, drawn.edges, edges), *rest_edges),
        edges=tuple(edges),
        changes=changes,
        coverage=min(held / ranking.total(kinds), 1.0),
        total=selection.total,
        rest_error=_rest_error(sides, drawn, nodes),
    )


def _select_and_draw(
    sides: Sides, settings: GraphSettings, ranking: NodeValues, flows: NodeValues
) -> tuple[Selection, Drawn, Both]:
    """Selects and draws; where pruned edges cut nodes off, others get their place."""
    shape = sides.first.flow.model.shape
    target = NodeKey(NodeKind.TARGET, shape.layers, sides.count - 1)
    without: frozenset[NodeKey] = frozenset()
    for _ in range(ROUNDS):
        selection = select(ranking, flows, settings, without, shape.parallel)
        influence = {target: 1.0} | {key: ranking[key] for key in selection.keys}
        both = inflows(sides, settings, list(influence))
        drawn = draw(both.differences(), influence, settings.edge_coverage)
        lost = set(selection.keys) - set(drawn.keys)
        if not lost:
            break
        without |= lost
    return selection, drawn, both


def _changes(
    sides: Sides, settings: GraphSettings, drawn: tuple[NodeKey, ...], flows: NodeValues
) -> tuple[Change, ...]:
    """Both sides of what is drawn, and of the components that changed most."""
    shown = {key: None for key in drawn if key.kind is not NodeKind.TARGET}
    sizes = flows.each(lambda value: value.abs())
    found = [pair for kind in settings.kinds for pair in sizes.strongest(kind, MOST_CHANGES)]
    most = [key for _, key in sorted((-size, key) for size, key in found)[:MOST_CHANGES]]
    keys = list(shown | dict.fromkeys(most))
    own = [sides.own(key) for key in keys]
    firsts = _described(sides.first, settings, [mine for mine, _ in own])
    seconds = _described(sides.second, settings, [other for _, other in own])
    changes = (
        Change(key, firsts.get(mine), seconds.get(other), key in shown)
        for key, (mine, other) in zip(keys, own, strict=True)
    )
    return tuple(sorted(changes, key=lambda change: (-abs(change.difference), change.key)))


def _described(
    scored: Scored, settings: GraphSettings, keys: list[NodeKey | None]
) -> dict[NodeKey | None, FlowNode]:
    named = tuple(key for key in keys if key is not None)
    nodes = describe_nodes(scored, named, scored.ranking(settings.score), settings.score)
    return {node.key: node for node in nodes}


def _node(
    sides: Sides,
    settings: GraphSettings,
    key: NodeKey,
    known: dict[NodeKey, Change],
    ranking: NodeValues,
) -> FlowNode:
    """A node of the graph: what its two sides differ by."""
    if key.kind is NodeKind.TARGET:
        before, after = sides.first.flow.value, sides.second.flow.value
        return FlowNode(key, after - before, 1.0, direct=after - before, before=before)
    change = known[key]
    there = change.second or change.first
    assert there is not None
    one, other = change.first, change.second
    gradient = (other.gradient or 0.0 if other else 0.0) - (one.gradient or 0.0 if one else 0.0)
    return replace(
        there,
        key=key,
        flow=change.difference,
        influence=ranking[key],
        gradient=None if there.gradient is None else gradient,
        direct=(other.direct if other else 0.0) - (one.direct if one else 0.0),
        before=change.first_flow,
    )


def _with_before(edge: FlowEdge, both: ChangedEdge) -> FlowEdge:
    return replace(edge, before=both.first_flow)


def _rest_error(sides: Sides, drawn: Drawn, nodes: list[FlowNode]) -> float:
    """Law 3: drawn inflows and rest, summed as drawn, against each node's own difference."""
    into = dict(drawn.rest)
    for edge in drawn.edges:
        into[edge.target] += edge.flow
    own = {node.key: node.flow for node in nodes}
    return max((abs(amount - own[key]) for key, amount in into.items()), default=0.0) / sides.scale


def _graph(
    sides: Sides,
    settings: GraphSettings,
    named: tuple[Side, Side],
    pairs: tuple[PredictionPair, ...],
    picture: _Picture,
) -> FlowGraph:
    first, second = named
    name = ARROW.join(dict.fromkeys((first.model.name, second.model.name)))
    return FlowGraph(
        model=replace(second.model, name=name),
        tokens=tuple(_token(place, column, named) for place, column in enumerate(sides.columns)),
        target=_target(first.target, second.target, sides.count - 1),
        predictions=tuple(replace(pair.second, before=pair.first.probability) for pair in pairs),
        settings=settings_to_plain(settings),
        checks=_worse(first.checks, second.checks, picture.rest_error),
        coverage=picture.coverage,
        nodes_total=picture.total,
        nodes=picture.nodes,
        edges=picture.drawn,
    )


def _token(place: int, column: Column, named: tuple[Side, Side]) -> PromptToken:
    """A column's name: its token, or both."""
    texts = (column.first_text, column.second_text)
    both = texts[:1] if column.same else (text or NO_TOKEN for text in texts)
    side, position = (0, column.first) if column.second is None else (1, column.second)
    assert position is not None
    return PromptToken(place, named[side].tokens[position].id, ARROW.join(map(str, both)))


def _target(first: Target, second: Target, column: int) -> Target:
    """The difference of the two targets; the tokens are the second's, with the first's before."""
    return Target(
        position=column,
        token=_prediction(first.token, second.token),
        token_rank=second.token_rank,
        contrast=second.contrast and _prediction(first.contrast, second.contrast),
        contrast_rank=second.contrast_rank,
        value=second.value - first.value,
        before=first.value,
    )


def _prediction(first: Prediction | None, second: Prediction) -> Prediction:
    if first is None or first.id != second.id:
        return second
    return replace(second, before=first.probability)


def _worse(first: Checks, second: Checks, rest_error: float) -> Checks:
    """The larger error of the two sides against each law; exact where both are."""
    limits = first.tolerance, second.tolerance
    return Checks(
        **{
            name: max(getattr(first, name), getattr(second, name), key=_or_infinite)
            for name in ("node_error", "cut_error", "target_error", "block_error")
        },
        rest_error=rest_error,
        tolerance=max(limits) if first.exact and second.exact else min(limits),
        dtype=" and ".join(dict.fromkeys((first.dtype, second.dtype))),
    )


def _or_infinite(error: float) -> float:
    return error if error == error else float("inf")
