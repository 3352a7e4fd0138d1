"""The middle of the page, a prompt's factors and one factor's contexts; on the right its charts."""

from __future__ import annotations

from dash import html

from flowviz.ui.canvas import JobIds, Save, empty, progress, save_menu, tool
from flowviz.ui.dom import attributes
from flowviz.ui.factors.ids import Factors

HEAT_NAME = (
    "The prompt's factors: a row for each, a column for each token. Arrows go from cell to cell, "
    "Enter opens the factor."
)
EMPTY_WORDS = (
    "A dictionary writes each hidden state as a sum of a few of its factors. Choose a model that "
    "has one; or learn one by python -m flowviz factors train MODEL --out FOLDER, and serve it by "
    "--factors NAME=FOLDER."
)
JOB = JobIds(
    progress=Factors.PROGRESS,
    stage=Factors.STAGE,
    bar=Factors.BAR,
    cancel=Factors.CANCEL,
    poll=Factors.POLL,
)
SAVES = (
    Save(Factors.SAVE_LIST, "List", "CSV"),
    Save(Factors.SAVE_FACTOR, "Factor", "CSV"),
    Save(Factors.SAVE_PROMPT, "Prompt's factors", "CSV"),
    Save(Factors.SAVE_JSON, "Everything", "JSON"),
)


def picture() -> html.Section:
    """The middle of the page."""
    scroll = html.Div(
        [
            html.Section(id=Factors.HEAT, className="prompt-factors", hidden=True,
                         **attributes(aria_label="Factors of the prompt", data_name=HEAT_NAME)),
            html.Section(id=Factors.FACTOR, className="one-factor",
                         **attributes(aria_label="One factor")),
        ],
        className="factor-scroll",
    )  # fmt: skip
    return html.Section(
        [
            html.Div(
                [_tools(), scroll, progress(JOB), empty("Factors", EMPTY_WORDS)],
                className="canvas",
            ),
            html.Div(id=Factors.SPOKEN, className="unseen", role="status"),
            html.P(id=Factors.STATUS, className="status", role="status"),
        ],
        className="picture factor-picture",
    )


def _tools() -> html.Div:
    return html.Div(
        [
            html.Span("a stronger colour: more active", className="heat-key"),
            html.Span(className="grow"),
            tool(Factors.LINK, "link", "Copy a link to this page"),
            save_menu(SAVES),
        ],
        className="canvas-tools",
    )


def charts() -> html.Aside:
    """The panel on the right, before a factor is open."""
    return html.Aside(
        html.Div(html.P("What is known of a factor stands here.", className="dim"),
                 id=Factors.CHARTS),
        className="inspector factor-charts",
        **attributes(aria_label="What is known of the factor"),
    )  # fmt: skip
