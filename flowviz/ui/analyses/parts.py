"""What every result is made of: charts with a title and how to read them, and its head."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component
from plotly.graph_objects import Figure

from flowviz.analyses.request import Analysis
from flowviz.analyses.types import Result
from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.dom import attributes
from flowviz.views.analyses.words import ABOUT, notes, summary

CHART: Any = {"displayModeBar": False, "responsive": True}


def head(analysis: Analysis, result: Result) -> html.Header:
    """What the result answers, what it is about, what it says of itself, and what to do with it."""
    told = [html.P(note, className="note") for note in notes(result)]
    about = html.P(summary(result), className="about-it")
    return html.Header([html.H2(ABOUT[analysis].name), about, _tools(), *told])


def _tools() -> html.Div:
    link = html.Button(
        html.Span(className="icon icon-link"),
        id=Analyses.LINK,
        className="ghost",
        type="button",
        title="Copy a link to this result",
        **attributes(aria_label="Copy a link to this result"),
    )
    save = html.Button(
        ["All of it ", html.Small("JSON")],
        id=Analyses.SAVE_JSON,
        className="small",
        type="button",
        title="Save the whole result as JSON",
    )
    return html.Div([link, save], className="found-tools")


def chart(title: str, reading: str, figure: Figure, chart_id: Any = None) -> html.Section:
    """One chart, with a sentence on how to read it."""
    named = {} if chart_id is None else {"id": chart_id}
    height = {"height": f"{figure.to_dict()['layout']['height']}px"}
    graph = dcc.Graph(figure=figure, config=CHART, style=height, **named)
    return html.Section([html.H3(title), html.P(reading), graph], className="chart")


def side_by_side(*parts: Component) -> html.Div:
    """Charts beside each other, below each other in a narrow window."""
    return html.Div(list(parts), className="charts")


def nothing(analysis: object, hint: str = "") -> list[Component]:
    """Before anything ran: what to do, and what there is to see then."""
    about = next((words for each, words in ABOUT.items() if each == analysis), None)
    if about is None:
        return []
    more = [html.P(hint, className="note")] if hint else []
    words = [html.H2(about.first), html.P(about.shows), *more]
    return [html.Div(words, className="nothing")]
