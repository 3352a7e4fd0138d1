"""The middle of the page: the graph of differences with what lies on it, and how exact it is."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from flowviz.ui.canvas import Save, canvas, empty
from flowviz.ui.compare.canvas import CANVAS
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.opening import Opening
from flowviz.ui.links import FLOW

SAVES = (
    Save(Compare.SAVE_PNG, "Picture", "PNG"),
    Save(Compare.SAVE_SVG, "Picture", "SVG"),
    Save(Compare.SAVE_JSON, "Comparison", "JSON"),
    Save(Compare.SAVE_CHANGES, "What changed", "CSV"),
    Save(Compare.SAVE_EDGES, "Edges", "CSV"),
    Save(Compare.SAVE_PREDICTIONS, "Predictions", "CSV"),
)
LEGEND = (
    ("line for", "more in second",
     "More flows for the target in the second than in the first; the wider the line, the more"),
    ("line against", "less in second",
     "Less flows for the target in the second, or more against it; the wider, the more"),
    ("shape state", "state", "A hidden state: the residual stream at a column of tokens"),
    ("shape head", "head", "An attention head's output"),
    ("shape neuron", "neuron", "A neuron's output"),
    ("shape embed", "token", "The embedding of a column's tokens, or of their positions"),
    ("shape bias", "bias", "A bias vector"),
    ("shape rest", "rest", "What differs in what flows in and is not drawn: kept as one sum"),
)  # fmt: skip


def picture(opening: Opening, styles: dict[str, Any]) -> html.Section:
    """The middle of the page."""
    title = "Type the second prompt" if opening.hint else "Hold two passes against each other"
    words = (
        "The first side is filled in. Change one word of it in the second box, or choose another "
        "checkpoint or a change in the pass, and press Enter."
        if opening.hint
        else "Type two prompts and press Enter, or pick one of the examples."
    )
    nothing = html.Div(
        [empty(title, words), html.Div(id=Compare.SAME, className="same", role="status")]
    )
    name = "Graph of differences. Arrows walk from node to node, f fits."
    return html.Section(
        [
            html.Div(id=Compare.BANNER, className="banner", role="alert"),
            canvas(CANVAS, name, styles["light"], _legend(), SAVES, nothing),
            html.P(id=Compare.NOTE, className="part", role="status"),
            html.Div(
                [
                    html.P(id=Compare.STATUS, className="status", role="status"),
                    _side_link(Compare.OPEN_FIRST, "First in the flow"),
                    _side_link(Compare.OPEN_SECOND, "Second in the flow"),
                ],
                className="status-row",
            ),
        ],
        className="picture compared",
    )


def _side_link(link: Compare, words: str) -> dcc.Link:
    return dcc.Link(words, id=link, href=FLOW, className="to-analyses")


def _legend() -> html.Details:
    """What colours and shapes mean; a narrow window folds it."""
    keys = [html.Span([html.I(className=look), word], title=tip) for look, word, tip in LEGEND]
    return html.Details(
        [html.Summary("Legend"), html.Div(keys)],
        id=Compare.LEGEND,
        className="legend",
        open=True,
        title="The wider a line, the larger the difference; the larger a node, the more of what "
        "differs goes through it",
    )
