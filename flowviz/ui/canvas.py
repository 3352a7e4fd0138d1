"""A canvas with what lies on it: tools, legend, progress, what to do while it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_cytoscape as cyto
import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from flowviz.ui.dom import attributes

POLL_MILLISECONDS = 250


@dataclass(frozen=True)
class JobIds:
    """A page's ids of what says how its job stands."""

    progress: str
    stage: str
    bar: str
    cancel: str
    poll: str


@dataclass(frozen=True)
class CanvasIds(JobIds):
    """A page's ids of the canvas and of what lies on it."""

    canvas: str
    graph: str
    fold: str
    zoom_out: str
    zoom_in: str
    fit: str
    link: str


@dataclass(frozen=True)
class Save:
    """An item of the download menu: its button, what it saves, in which form."""

    button: str
    what: str
    form: str


def canvas(
    ids: CanvasIds,
    name: str,
    stylesheet: list[dict[str, Any]],
    legend: Component,
    saves: Sequence[Save],
    empty: Component,
) -> html.Div:
    """The canvas; `name` is what a screen reader says of it."""
    below = html.Button("Details below ↓", className="quiet to-inspector", type="button")
    return html.Div(
        [_graph(ids, stylesheet), _tools(ids, legend, saves), progress(ids), empty, below],
        className="canvas",
        id=ids.canvas,
        tabIndex=0,
        role="application",
        **attributes(aria_label=name),
    )


def _graph(ids: CanvasIds, stylesheet: list[dict[str, Any]]) -> html.Div:
    graph = cyto.Cytoscape(
        id=ids.graph,
        elements=[],
        layout={"name": "preset", "fit": False},
        stylesheet=stylesheet,
        style={"width": "100%", "height": "100%"},
        autoRefreshLayout=False,
        responsive=False,
        autoungrabify=True,
        autounselectify=True,
        boxSelectionEnabled=False,
        minZoom=0.05,
        maxZoom=4,
    )
    return html.Div(graph, className="graph")


def _tools(ids: CanvasIds, legend: Component, saves: Sequence[Save]) -> html.Div:
    return html.Div(
        [
            tool(ids.fold, "fold", "Fold or unfold the settings ([)"),
            legend,
            html.Span(className="grow"),
            tool(ids.zoom_out, "minus", "Zoom out (−)"),
            tool(ids.zoom_in, "plus", "Zoom in (+)"),
            tool(ids.fit, "fit", "Fit the graph (f)"),
            tool(ids.link, "link", "Copy a link to this picture"),
            save_menu(saves),
        ],
        className="canvas-tools",
    )


def tool(button: str, icon: str, words: str) -> html.Button:
    """A button with an icon."""
    return html.Button(
        html.Span(className=f"icon icon-{icon}"),
        id=button,
        className="ghost",
        type="button",
        title=words,
        **attributes(aria_label=words),
    )


def save_menu(saves: Sequence[Save]) -> dmc.Menu:
    """What can be downloaded."""
    items = [
        dmc.MenuItem([save.what, html.Small(save.form)], id=save.button, n_clicks=0)
        for save in saves
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


def progress(ids: JobIds) -> html.Div:
    """How the job stands, over the picture."""
    return html.Div(
        [
            html.Div(
                [
                    html.Span(id=ids.stage),
                    html.Progress(id=ids.bar, max="1", value="0"),
                    html.Button("Cancel", id=ids.cancel, className="quiet", type="button"),
                ],
                className="card",
            ),
            dcc.Interval(id=ids.poll, interval=POLL_MILLISECONDS, disabled=True),
        ],
        id=ids.progress,
        className="progress",
        hidden=True,
        **attributes(aria_live="polite"),
    )


def empty(title: str, words: str) -> html.Div:
    """What stands there before the first picture."""
    return html.Div([html.H2(title), html.P(words)], className="empty")
