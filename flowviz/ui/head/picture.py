"""The middle of the page: the picture, what lies on it, and what is said below."""

from __future__ import annotations

from dash import html

from flowviz.ui.canvas import JobIds, Save, empty, progress, save_menu, tool
from flowviz.ui.dom import attributes
from flowviz.ui.head.ids import Head

NAME = (
    "One head. Arrows move the token that looks, with Shift the one that is looked at; brackets "
    "go from layer to layer, comma and full stop from head to head."
)
EMPTY_WORDS = (
    "Type a prompt and press Enter, or pick one of the examples; then choose a head, and click "
    "the token that it looks from."
)
JOB = JobIds(
    progress=Head.PROGRESS, stage=Head.STAGE, bar=Head.BAR, cancel=Head.CANCEL, poll=Head.POLL
)
SAVES = (
    Save(Head.SAVE_PNG, "Picture", "PNG"),
    Save(Head.SAVE_SVG, "Picture", "SVG"),
    Save(Head.SAVE_FIRST, "Table", "CSV"),
    Save(Head.SAVE_SECOND, "Second table", "CSV"),
    Save(Head.SAVE_JSON, "Everything", "JSON"),
    Save(Head.SAVE_HTML, "Page of its own", "HTML"),
)


def picture() -> html.Section:
    """The middle of the page."""
    return html.Section(
        [
            html.Div(id=Head.BANNER, className="banner", role="alert"),
            html.Div(
                [
                    html.Div(id=Head.PICTURE, className="head-picture", tabIndex=0,
                             role="application", **attributes(aria_label=NAME)),
                    _tools(),
                    progress(JOB),
                    empty("Look into one head", EMPTY_WORDS),
                ],
                className="canvas",
            ),
            html.Div(id=Head.SPOKEN, className="unseen", role="status"),
            html.P(id=Head.STATUS, className="status", role="status"),
        ],
        className="picture one-head",
    )  # fmt: skip


def _tools() -> html.Div:
    return html.Div(
        [
            html.Span(className="grow"),
            tool(Head.LINK, "link", "Copy a link to this picture"),
            save_menu(SAVES),
        ],
        className="canvas-tools",
    )


def inspector() -> html.Aside:
    """The panel on the right, before anything is drawn."""
    return html.Aside(id=Head.DETAIL, className="inspector", **attributes(aria_label="Figures"))
