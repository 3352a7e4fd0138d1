"""What the right panel lists while no part is selected: what flows most, what writes most."""

from __future__ import annotations

from collections.abc import Callable

from dash import html
from dash.development.base_component import Component

from flowviz.inside.types import InsideGraph, PartKind, PartNode
from flowviz.ui.dom import attributes
from flowviz.views.inside.looks import amount
from flowviz.views.inside.words import describe, name, reading
from flowviz.views.words import signed

COMPONENTS = frozenset({PartKind.HEAD, PartKind.NEURON})
MOST = 8


def strongest(graph: InsideGraph) -> list[Component]:
    """Heads and neurons with most flow, and those that write most: two lists side by side."""
    nodes = [node for node in graph.nodes if node.key.kind in COMPONENTS]
    lists = [("Longest: how much they write", "norm", lambda node: node.norm)]
    if graph.checks.exact:
        flow = ("Most flow: how much it matters for the target", "flow", lambda node: node.flow)
        lists.insert(0, flow)
    return [
        part
        for title, what, value in lists
        for part in (html.H3(title), _list(nodes, graph, what, value))
    ]


def _list(
    nodes: list[PartNode],
    graph: InsideGraph,
    what: str,
    value: Callable[[PartNode], float | None],
) -> html.Ol:
    ranked = sorted(nodes, key=lambda node: (-amount(value(node)), node.key))[:MOST]
    most = max((amount(value(node)) for node in ranked), default=0.0) or 1.0
    items = [_item(node, graph, what, value(node), most) for node in ranked]
    return html.Ol(items, className=f"components by-{what}")


def _item(
    node: PartNode, graph: InsideGraph, what: str, value: float | None, most: float
) -> html.Li:
    written = signed(value or 0.0) if what == "flow" else f"{amount(value):.3g}"
    button = html.Button(
        [
            html.I(style={"width": f"{100 * amount(value) / most:.0f}%"}),
            html.Span(f"{name(node.key, graph)}  {reading(node, graph)}"),
            html.Small(written),
        ],
        type="button",
        title=describe(node.key, graph),
        **attributes(data_node=node.key),
    )
    against = what == "flow" and (value or 0.0) < 0
    return html.Li(button, className="against" if against else "for")
