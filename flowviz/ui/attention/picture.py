"""The middle of the page: both views, what lies on them, and what is said below."""

from __future__ import annotations

from dash import html

from flowviz.ui.attention.ids import Attention
from flowviz.ui.canvas import JobIds, Save, empty, progress, save_menu, tool
from flowviz.ui.dom import attributes

HEAD_NAME = (
    "Attention of the chosen heads. Up and down go from token to token, left and right from the "
    "reading to the read side, brackets from layer to layer."
)
MODEL_NAME = "All heads. Arrows go from head to head, Enter opens one."
EMPTY_WORDS = (
    "Type a prompt and press Enter, or pick one of the examples; then point at a token to see "
    "what each head reads from it."
)
JOB = JobIds(
    progress=Attention.PROGRESS,
    stage=Attention.STAGE,
    bar=Attention.BAR,
    cancel=Attention.CANCEL,
    poll=Attention.POLL,
)
SAVES = (
    Save(Attention.SAVE_PNG, "Picture", "PNG"),
    Save(Attention.SAVE_SVG, "Picture", "SVG"),
    Save(Attention.SAVE_JSON, "Maps", "JSON"),
    Save(Attention.SAVE_HTML, "Page of its own", "HTML"),
)


def picture() -> html.Section:
    """The middle of the page."""
    return html.Section(
        [
            html.Div(id=Attention.BANNER, className="banner", role="alert"),
            html.Div(
                [
                    _tools(),
                    _drawn(Attention.HEAD_VIEW, "head-view", HEAD_NAME),
                    _drawn(Attention.MODEL_VIEW, "model-view", MODEL_NAME),
                    progress(JOB),
                    empty("See where the heads look", EMPTY_WORDS),
                ],
                className="canvas",
            ),
            html.Div(id=Attention.LENS, className="lens", hidden=True),
            html.Div(id=Attention.SPOKEN, className="unseen", role="status"),
            html.P(id=Attention.STATUS, className="status", role="status"),
        ],
        className="picture attention",
    )


def _drawn(box: Attention, look: str, name: str) -> html.Div:
    return html.Div(
        id=box, className=look, tabIndex=0, role="application", **attributes(aria_label=name)
    )


def _tools() -> html.Div:
    return html.Div(
        [
            html.Span(className="grow"),
            tool(Attention.LINK, "link", "Copy a link to this picture"),
            save_menu(SAVES),
        ],
        className="canvas-tools",
    )
