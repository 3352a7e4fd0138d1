"""A closer look at one node on both sides: the panel on the right, in the order of asking."""

from __future__ import annotations

from collections.abc import Callable

from dash import dcc, html
from dash.development.base_component import Component

from flowviz.compare.request import CompareRequest
from flowviz.compare.types import Change, Comparison
from flowviz.errors import FlowvizError
from flowviz.graph.types import FlowNode, NodeKey, NodeKind
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.predictions import side_by_side
from flowviz.ui.compare.tables import side_table
from flowviz.ui.links import flow_link
from flowviz.ui.panel import close_button, figures
from flowviz.ui.reads import reads
from flowviz.views.compare.tables import rest_difference, side_rows
from flowviz.views.compare.words import SAME, describe, name, share_words
from flowviz.views.words import percent, signed

NOTHING = (
    "Click a node to see what flows through it in the first and in the second, what it reads as "
    "on both sides, and what of its inflows changed."
)


def nothing_drawn() -> list[Component]:
    """Before the first picture."""
    return [html.H2("Look closer"), html.P(NOTHING)]


def refused(error: FlowvizError) -> list[Component]:
    """Why the node cannot be shown."""
    title = html.Div([html.H2("No such node here"), close_button()], className="title")
    return [title, html.P(str(error), role="alert")]


def not_listed(key: NodeKey, comparison: Comparison) -> list[Component]:
    """A node that is neither drawn nor among those that changed most."""
    title = html.Div([html.H2(name(key, comparison)), close_button()], className="title")
    words = SAME + "." if comparison.same else (
        "It is not drawn, and not among the nodes that changed most. Draw more nodes to see it."
    )  # fmt: skip
    return [title, html.P(words, className="dim")]


def overview(comparison: Comparison) -> list[Component]:
    """What the panel shows while no node is selected: both sides' predictions."""
    hint = "Click a node or a row of the table for both sides of it."
    parts: list[Component] = [side_by_side(comparison)]
    return parts if comparison.same else [*parts, html.P(hint, className="dim")]


def inspector(
    key: NodeKey, request: CompareRequest, comparison: Comparison, via: str | None
) -> list[Component]:
    """Everything that is known of one node; `via` is the node from which one came."""
    change = comparison.change(key)
    if change is None and comparison.graph.node(key) is None:
        return not_listed(key, comparison)
    parts = [
        _head(key, change, request, comparison),
        _figures(key, change, comparison),
        *_readings(change),
        *_tables(key, comparison, via),
    ]
    return [part for part in parts if part is not None]


def _head(
    key: NodeKey, change: Change | None, request: CompareRequest, comparison: Comparison
) -> html.Header:
    drawn = comparison.graph.node(key) is not None
    note = None if drawn else html.P("It is not drawn in this picture.", className="dim")
    title = html.Div([html.H2(name(key, comparison)), close_button()], className="title")
    return html.Header([title, html.P(describe(key, comparison)), note, _links(change, request)])


def _links(change: Change | None, request: CompareRequest) -> html.Div | None:
    """The way to the node itself in the flow of each side."""
    if change is None:
        return None
    sides = (
        ("First in the flow", request.first, change.first),
        ("Second in the flow", request.second, change.second),
    )
    links = [
        dcc.Link(words, href=flow_link(asked, node.key), className="open-block")
        for words, asked, node in sides
        if node is not None
    ]
    return html.Div(links, className="side-links")


def _figures(key: NodeKey, change: Change | None, comparison: Comparison) -> html.Dl:
    if not comparison.graph.checks.exact:
        return figures([("Change", "–", "not shown: a law of the flow failed")])
    first, second = _flows(key, change, comparison)
    share = share_words(second - first, comparison)
    pairs = [
        ("First", signed(first), "what flows through it in the first pass"),
        ("Second", signed(second), "what flows through it in the second pass"),
        ("Change", signed(second - first), "second minus first"),
        ("Share", share and share.split(" ")[0], share or ""),
        *_more_figures(change, comparison),
    ]
    return figures(pairs)


def _flows(key: NodeKey, change: Change | None, comparison: Comparison) -> tuple[float, float]:
    if change is not None:
        return change.first_flow, change.second_flow
    if key.kind is NodeKind.TARGET:
        return comparison.first.target.value, comparison.second.target.value
    node = comparison.graph.node(key)
    assert node is not None
    first = node.before or 0.0
    return first, first + node.flow


def _more_figures(
    change: Change | None, comparison: Comparison
) -> list[tuple[str, str | None, str]]:
    if change is None:
        return []
    rank = f"{comparison.changes.index(change) + 1} of {len(comparison.changes)}"
    return [
        ("Rank", rank, "among the nodes that changed most"),
        ("Norm", _both(change, lambda node: node.norm, "{:.3g}".format), "first → second"),
        ("Activation", _both(change, lambda node: node.activation, signed), "first → second"),
        ("Target's chance", _both(change, _chance, percent), "as it reads here, first → second"),
    ]


def _chance(node: FlowNode) -> float | None:
    return node.projection.target_probability if node.projection else None


def _both(
    change: Change, value: Callable[[FlowNode], float | None], write: Callable[[float], str]
) -> str | None:
    """A figure on both sides; nothing where neither has it."""
    values = [value(node) if node else None for node in (change.first, change.second)]
    if all(each is None for each in values):
        return None
    return " → ".join("–" if each is None else write(each) for each in values)


def _readings(change: Change | None) -> list[html.Section | None]:
    if change is None:
        return []
    sides = (("In the first it reads as", change.first), ("In the second", change.second))
    return [reads(title, node.projection) for title, node in sides if node]


def _tables(key: NodeKey, comparison: Comparison, via: str | None) -> list[Component | None]:
    into = side_rows(key, comparison, "in")
    out = side_rows(key, comparison, "out")
    rest = rest_difference(key, comparison)
    return [
        side_table("What flows in", Compare.INFLOWS, into, rest, via),
        side_table("Where it goes", Compare.OUTFLOWS, out, None, via),
    ]
