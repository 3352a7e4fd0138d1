"""Parts of an inspector that pages share: its head's button, figures, charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from plotly.graph_objects import Figure

from flowviz.graph.types import Projection
from flowviz.ui.dom import attributes
from flowviz.views.words import Picture, percent, visible

CHART: Any = {"displayModeBar": False, "responsive": True}


def close_button() -> html.Button:
    """Clears the selection."""
    return html.Button(
        "×",
        className="ghost close",
        type="button",
        title="Clear the selection (Esc)",
        **attributes(data_clear="1", aria_label="Clear the selection"),
    )


def figures(pairs: Sequence[tuple[str, str | None, str]]) -> html.Dl:
    """Numbers with their names and tips; those that there are not are left out."""
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd(value)], title=tip)
            for name, value, tip in pairs
            if value is not None
        ],
        className="figures",
    )


def target_line(projection: Projection | None, graph: Picture) -> html.P | None:
    """Where the target stands as a vector reads."""
    if projection is None:
        return None
    chance = percent(projection.target_probability)
    return html.P(
        [
            "Here ",
            html.Code(visible(graph.target.token.token)),
            f" has rank {projection.target_rank:,} and probability {chance}.",
        ]
    )


def chart(title: str, figure: Figure) -> html.Section:
    """A chart of its own height, with a title."""
    return html.Section([html.H3(title), bare_chart(figure)])


def bare_chart(figure: Figure, **more: Any) -> dcc.Graph:
    """A chart of its own height."""
    height = {"height": f"{figure.to_dict()['layout']['height']}px"}
    return dcc.Graph(figure=figure, config=CHART, style=height, **more)
