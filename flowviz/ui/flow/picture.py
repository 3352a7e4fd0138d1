"""The graph with what lies on it: tools, legend, progress, status."""

from __future__ import annotations

from typing import Any

import dash_cytoscape as cyto
import dash_mantine_components as dmc
from dash import dcc, html

from flowviz.ui.dom import attributes
from flowviz.ui.flow.ids import Flow

POLL_MILLISECONDS = 250
SAVES = (
    (Flow.SAVE_PNG, "Picture", "PNG"),
    (Flow.SAVE_SVG, "Picture", "SVG"),
    (Flow.SAVE_JSON, "Graph", "JSON"),
    (Flow.SAVE_NODES, "Nodes", "CSV"),
    (Flow.SAVE_EDGES, "Edges", "CSV"),
)


def picture(styles: dict[str, Any]) -> html.Section:
    """The middle of the page."""
    below = html.Button("Details below ↓", className="quiet to-inspector", type="button")
    return html.Section(
        [
            html.Div(
                [_graph(styles), _tools(), legend(), _progress(), _empty(), below],
                className="canvas",
                id=Flow.CANVAS,
                tabIndex=0,
                role="application",
                **attributes(aria_label="Flow graph. Arrows walk from node to node, f fits."),
            ),
            html.P(id=Flow.STATUS, className="status", role="status"),
        ],
        className="picture",
    )


def _graph(styles: dict[str, Any]) -> cyto.Cytoscape:
    return cyto.Cytoscape(
        id=Flow.GRAPH,
        elements=[],
        layout={"name": "preset", "fit": False},
        stylesheet=styles["light"],
        style={"width": "100%", "height": "100%"},
        autoRefreshLayout=False,
        responsive=False,
        autoungrabify=True,
        autounselectify=True,
        boxSelectionEnabled=False,
        minZoom=0.05,
        maxZoom=4,
    )


def _tools() -> html.Div:
    return html.Div(
        [
            _tool(Flow.FOLD, "fold", "Fold or unfold the settings ([)"),
            html.Span(className="grow"),
            _tool(Flow.ZOOM_OUT, "minus", "Zoom out (−)"),
            _tool(Flow.ZOOM_IN, "plus", "Zoom in (+)"),
            _tool(Flow.FIT, "fit", "Fit the graph (f)"),
            _tool(Flow.LINK, "link", "Copy a link to this picture"),
            _save(),
        ],
        className="canvas-tools",
    )


def _tool(button: Flow, icon: str, words: str) -> html.Button:
    return html.Button(
        html.Span(className=f"icon icon-{icon}"),
        id=button,
        className="ghost",
        type="button",
        title=words,
        **attributes(aria_label=words),
    )


def _save() -> dmc.Menu:
    items = [
        dmc.MenuItem([what, html.Small(form)], id=button, n_clicks=0)
        for button, what, form in SAVES
    ]
    opener = html.Button(
        html.Span(className="icon icon-save"),
        className="ghost",
        type="button",
        title="Download",
        **attributes(aria_label="Download"),
    )
    return dmc.Menu(
        [dmc.MenuTarget(opener), dmc.MenuDropdown(items)],
        position="bottom-end",
        shadow="md",
        keepMounted=True,
    )


def legend() -> html.Details:
    """What colours, widths and shapes mean; it folds away."""
    return html.Details(
        [
            html.Summary("Legend"),
            html.Div(
                [
                    _key("line for", "speaks for the target"),
                    _key("line against", "speaks against it"),
                    _key("shape state", "hidden state"),
                    _key("shape head", "attention head"),
                    _key("shape neuron", "neuron"),
                    _key("shape embed", "token"),
                    _key("shape bias", "bias"),
                    _key("shape rest", "rest: not drawn, not lost"),
                    html.P("Width: how much flows. Size: influence."),
                ]
            ),
        ],
        id=Flow.LEGEND,
        className="legend",
        open=True,
    )


def _key(look: str, words: str) -> html.Div:
    return html.Div([html.I(className=look), words])


def _progress() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Span(id=Flow.STAGE),
                    html.Progress(id=Flow.BAR, max="1", value="0"),
                    html.Button("Cancel", id=Flow.CANCEL, className="quiet", type="button"),
                ],
                className="card",
            ),
            dcc.Interval(id=Flow.POLL, interval=POLL_MILLISECONDS, disabled=True),
        ],
        id=Flow.PROGRESS,
        className="progress",
        hidden=True,
        **attributes(aria_live="polite"),
    )


def _empty() -> html.Div:
    return html.Div(
        [
            html.H2("See how the model gets its answer"),
            html.P("Type a prompt and press Enter, or pick one of the examples."),
        ],
        className="empty",
    )
