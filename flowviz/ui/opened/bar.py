"""What is opened, above the graph: a chip each, with how much its factors explain."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.factors.use.places import OpenAt
from flowviz.graph.types import FlowGraph, OpenedPlace
from flowviz.ui.dom import attributes
from flowviz.ui.opened.made import OpenedMade
from flowviz.views.opened import loss_words, opened_words
from flowviz.views.words import short_label


def opened_bar(made: OpenedMade, graph: FlowGraph | None) -> list[Component]:
    """Everything that is open; nothing where nothing is.

    Args:
        graph: what is drawn, where it is of the prompt that the nodes were opened on.
    """
    if not made.opened:
        return []
    clear = html.Button(
        "Close all", className="plain", type="button", **attributes(data_close="all")
    )
    chips = [_chip(one, graph) for one in made.opened]
    return [html.Span("Opened into factors", className="strip-name"), *chips, clear]


def _chip(one: OpenAt, graph: FlowGraph | None) -> html.Div:
    place = None if graph is None else place_of(one, graph)
    name = str(one) if graph is None or place is None else short_label(place.key, graph)
    return html.Div(
        [
            _name(name, place, graph),
            html.Button(
                "×",
                type="button",
                title="Close it",
                **attributes(data_close=f"{one.site}@{one.position}", aria_label=f"Close {name}"),
            ),
        ],
        key=str(one),
        className="change-chip opened-chip",
    )


def _name(name: str, place: OpenedPlace | None, graph: FlowGraph | None) -> Component:
    if place is None or graph is None:
        return html.Span(name)
    if graph.node(place.key) is None:
        tip = (
            "Nothing flows from it to the target within what is drawn, so it is not in the picture"
        )
        return html.Span(f"{name}: not drawn", title=tip)
    words = [html.Span(name), html.B(opened_words(place))]
    return html.Button(
        words,
        className="step",
        type="button",
        title=loss_words(place) or "Select it",
        **attributes(data_node=place.key),
    )


def place_of(one: OpenAt, graph: FlowGraph) -> OpenedPlace | None:
    """How a node is opened in what is drawn; None where it is not yet."""
    key = one.key(graph.model.layers)
    return next((place for place in graph.opened if place.key == key), None)
