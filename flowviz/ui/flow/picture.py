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


LEGEND = (
    ("line for", "for", "The flow speaks for the target; the wider the line, the more"),
    ("line against", "against", "The flow speaks against the target; the wider, the more"),
    ("shape state", "state", "A hidden state: the residual stream at a position"),
    ("shape head", "head", "An attention head's output"),
    ("shape neuron", "neuron", "A neuron's output"),
    ("shape embed", "token", "The embedding of a prompt token, or of its position"),
    ("shape bias", "bias", "A bias vector"),
    ("shape rest", "rest", "What flows in and is not drawn: kept as one sum, never dropped"),
)


def picture(styles: dict[str, Any]) -> html.Section:
    """The middle of the page."""
    below = html.Button("Details below ↓", className="quiet to-inspector", type="button")
    return html.Section(
        [
            html.Div(id=Flow.BANNER, className="banner", role="alert"),
            html.Div(
                [_graph(styles), _tools(), _progress(), _empty(), below],
                className="canvas",
                id=Flow.CANVAS,
                tabIndex=0,
                role="application",
                **attributes(aria_label="Flow graph. Arrows walk from node to node, f fits."),
            ),
            html.P(id=Flow.PART, className="part", role="status"),
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
            legend(),
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
    """What colours and shapes mean; a narrow window folds it."""
    return html.Details(
        [
            html.Summary("Legend"),
            html.Div([_key(look, word, tip) for look, word, tip in LEGEND]),
        ],
        id=Flow.LEGEND,
        className="legend",
        open=True,
        title="The wider a line, the more flows through it; the larger a node, the more influence",
    )


def _key(look: str, word: str, tip: str) -> html.Span:
    return html.Span([html.I(className=look), word], title=tip)


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
