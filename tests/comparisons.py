"""Hand-made comparisons, for tests of everything that reads one."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import zip_longest

from flowviz.compare.types import (
    Change,
    ChangedEdge,
    Column,
    Comparison,
    PredictionPair,
    Side,
)
from flowviz.graph.types import (
    EdgeKind,
    FlowGraph,
    FlowNode,
    NodeKey,
    NodeKind,
    Prediction,
    Projection,
    PromptToken,
)
from tests.graphs import grid, projection, three_nodes

NURSE, PLUMBER = "The nurse said that", "The plumber said that"
NO_CHANGE = frozenset({NodeKind.REST, NodeKind.TARGET})
ALIGNMENT = "Both have the same number of tokens, so each stands for the one at its position."


def three_changes(*, number: str = " he") -> Comparison:
    """The three nodes of the circuit wiring, of two prompts that differ in their second token.

    Args:
        number: what the second explains; the first explains ` she`.
    """
    graph = three_nodes()
    befores = {NodeKind.EMBED: 1.5, NodeKind.HEAD: -0.5, NodeKind.TARGET: 3.0}
    nodes = tuple(replace(node, before=befores[node.key.kind]) for node in graph.nodes)
    edges = tuple(
        replace(edge, flow=flow, before=before)
        for edge, flow, before in zip(graph.edges, (2.0, -2.0), (1.0, 1.5), strict=True)
    )
    graph = replace(graph, nodes=nodes, edges=edges)
    she, he = Prediction(7, " she", 0.5, 14.0), Prediction(9, number, 0.25, 13.0)
    return compared(
        graph,
        first=("The", " nurse", " said"),
        second=("The", " plumber", " said"),
        targets=(she, replace(he, id=7 if number == " she" else 9)),
        predictions=((she, replace(she, probability=0.125)), (replace(he, probability=0.1), he)),
    )


def compared(
    graph: FlowGraph,
    first: tuple[str, ...],
    second: tuple[str, ...],
    targets: tuple[Prediction, Prediction],
    predictions: tuple[tuple[Prediction, Prediction], ...],
) -> Comparison:
    """A graph of differences, whose nodes have what was before, as a comparison."""
    columns = paired(first, second)
    changes = [_change(node, columns) for node in graph.nodes if node.key.kind not in NO_CHANGE]
    changes.sort(key=lambda change: (-abs(change.difference), change.key))
    return Comparison(
        first=_side(graph, first, targets[0], 3.0),
        second=_side(graph, second, targets[1], 3.0 + graph.target.value),
        columns=columns,
        alignment=ALIGNMENT,
        predictions=tuple(PredictionPair(a.id, a.token, a, b) for a, b in predictions),
        graph=graph,
        changes=tuple(changes),
        edges=tuple(
            ChangedEdge(
                edge.source, edge.target, edge.kind, edge.before or 0.0,
                (edge.before or 0.0) + edge.flow, edge.weight, edge.weight,
            )
            for edge in graph.edges
            if edge.kind is not EdgeKind.REST
        ),
    )  # fmt: skip


def paired(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[Column, ...]:
    """Columns of the tokens at the same positions; the longer prompt's last ones stand alone."""
    return tuple(
        Column(
            None if a is None else at,
            None if b is None else at,
            a,
            b,
            same=a == b,
        )
        for at, (a, b) in enumerate(zip_longest(first, second))
    )


def _change(node: FlowNode, columns: tuple[Column, ...]) -> Change:
    before = node.before or 0.0
    column = columns[node.key.position]
    sides = (column.first, before), (column.second, before + node.flow)
    first, second = (
        None if at is None else replace(node, key=_at(node.key, at), flow=flow, before=None)
        for at, flow in sides
    )
    if first is not None:
        first = replace(first, projection=_read(node.projection, " nurse"))
    return Change(node.key, first, second, drawn=True)


def _at(key: NodeKey, position: int) -> NodeKey:
    return replace(key, position=position)


def _read(read: Projection | None, token: str) -> Projection | None:
    return None if read is None else projection(token)


def _side(graph: FlowGraph, tokens: tuple[str, ...], token: Prediction, value: float) -> Side:
    return Side(
        model=graph.model,
        prompt="".join(tokens),
        tokens=tuple(PromptToken(i, 10 + i, text) for i, text in enumerate(tokens)),
        target=replace(graph.target, token=token, value=value, position=len(tokens) - 1),
        checks=graph.checks,
    )


def of_prompts(first: str, second: str, wiring: str = "stream", layers: int = 3) -> Comparison:
    """A comparison of any two prompts, split at spaces; nothing differs where both are equal."""
    left, right = _words(first), _words(second)
    count = max(len(left), len(right))
    graph = grid(layers, count, 2, 2, len(first) + len(second), wiring)
    rng = random.Random(1)
    nodes = tuple(replace(node, before=rng.uniform(-2, 2)) for node in graph.nodes)
    edges = tuple(replace(edge, before=rng.uniform(-1, 1)) for edge in graph.edges)
    graph = replace(graph, nodes=nodes, edges=edges)
    she, he = Prediction(7, " she", 0.5, 14.0), Prediction(9, " he", 0.25, 13.0)
    pairs = ((she, replace(she, probability=0.125)), (replace(he, probability=0.1), he))
    found = compared(graph, left, right, (she, she), pairs)
    return nothing(found) if first == second else found


def nothing(found: Comparison) -> Comparison:
    """The same two sides without any difference."""
    graph = replace(found.graph, nodes=(), edges=(), target=replace(found.graph.target, value=0.0))
    return replace(found, graph=graph, changes=(), edges=(), second=found.first)


def unlawful(found: Comparison) -> Comparison:
    """The same, but the second pass broke a law."""
    broken = replace(found.graph.checks, node_error=0.31)
    second = replace(found.second, checks=broken)
    return replace(found, second=second, graph=replace(found.graph, checks=broken, edges=()))


def _words(prompt: str) -> tuple[str, ...]:
    words = prompt.split(" ")
    return (words[0], *(" " + word for word in words[1:]))
