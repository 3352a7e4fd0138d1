"""What the page says of a picture: how exact it is, how much of the block it shows, where it is."""

from __future__ import annotations

from collections import Counter

from dash import html
from dash.development.base_component import Component

from flowviz.inside.types import InsideGraph, PartKind
from flowviz.views.inside.words import source_name
from flowviz.views.laws import small

K = PartKind
DRAWN = (
    ("heads", K.HEAD, "heads"),
    ("rows", K.ROW, "rows of W_O"),
    ("neurons", K.NEURON, "neurons"),
)


def status_line(graph: InsideGraph) -> list[Component | str]:
    """How exact it is, and how many heads, rows and neurons of the whole are drawn."""
    checks = graph.checks
    error = max(checks.flow_error, checks.sum_error)
    words = f"Exact to {small(error)}" if checks.exact else f"Not exact: off by {small(error)}"
    tip = (
        f"Inflows and outflows of every part against its flow: off by {small(checks.flow_error)}\n"
        f"The parts of every sum against the sum: off by {small(checks.sum_error)}\n"
        f"The attention pattern by these queries and keys against the model's own: "
        f"off by {small(checks.pattern_error)}\n"
        f"Up to {small(checks.tolerance)} counts as exact for the precision of the weights, "
        f"up to {small(checks.pattern_tolerance)} for the pattern."
    )
    look = "exact" if checks.exact else "not-exact"
    exactness = html.Span(f"{words} (limit {small(checks.tolerance)})", className=look, title=tip)
    return [exactness, f" · {drawn_words(graph)}"]


def drawn_words(graph: InsideGraph) -> str:
    """How many of each kind are drawn, of how many."""
    counts = [
        f"{_most(graph, kind):,} of {graph.whole[name]:,} {words}"
        for name, kind, words in DRAWN
        if name in graph.whole
    ]
    a_block = " a block" if graph.layers[0] < graph.layers[1] else ""
    return f"{', '.join(counts)} drawn{a_block}; the rest is kept as rest ◇"


def _most(graph: InsideGraph, kind: PartKind) -> int:
    """Of that kind, the most in one block."""
    counts = Counter(node.key.layer for node in graph.nodes if node.key.kind is kind)
    return max(counts.values(), default=0)


def banner(graph: InsideGraph) -> list[Component | str]:
    """What is not shown and why; nothing where everything is."""
    checks, notes = graph.checks, []
    if not checks.exact:
        notes += [html.Strong(_failure(graph)), " ", _still_right()]
    if not checks.queries_exact:
        notes += [html.Strong(_unread(graph)), " ", "They stay in the picture without a reading."]
    return notes


def _failure(graph: InsideGraph) -> str:
    checks = graph.checks
    if not checks.sum_error <= checks.tolerance:
        what, error = "the parts of a sum miss it", checks.sum_error
    else:
        what, error = "what flows into a part misses what flows out", checks.flow_error
    return f"This run is not exact: {what} by {small(error)}; the limit is {_limit(graph)}."


def _unread(graph: InsideGraph) -> str:
    error = small(graph.checks.pattern_error)
    return (
        f"Queries and keys are not read: the attention pattern that they give misses the model's "
        f"by {error}; the limit is {small(graph.checks.pattern_tolerance)}."
    )


def _limit(graph: InsideGraph) -> str:
    return small(graph.checks.tolerance)


def _still_right() -> str:
    return (
        "So no flow is shown. What you see is still right: what the states read as, and where the "
        "heads attend."
    )


def where_words(graph: InsideGraph) -> str:
    """Of which blocks, and at which position."""
    return f"of 0 to {graph.model.layers - 1}, at {source_name(graph.position, graph)}"


def rotary_words(graph: InsideGraph) -> str:
    """How queries and keys were read."""
    if graph.rotated is None:
        return "This model has no rotary positions."
    return (
        "Each turned to its position, as they are compared."
        if graph.rotated
        else "As they are before they are turned to their positions."
    )
