"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import answer_picture, in_browser
from flowviz.ui.inside.ids import Inside


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    _asking()
    _stepping()
    _drawing()
    answer_picture(Inside)


def _asking() -> None:
    """From the form to a job, and from a job to a picture."""
    in_browser(
        "askInside",
        Output(Inside.ASKED, "data"),
        Output(Inside.PROMPT, "value"),
        Output(Inside.MODEL, "value"),
        Output(Inside.TARGET, "value"),
        Output(Inside.CONTRAST, "value"),
        Output(Inside.EXPLAINED, "data"),
        Output(Inside.POSITION, "data"),
        Output(Inside.BLOCKS, "data"),
        Input(Inside.RUN, "n_clicks"),
        Input(Inside.MODEL, "value"),
        Input({"type": Inside.EXAMPLE, "index": ALL}, "n_clicks"),
        State(Inside.PROMPT, "value"),
        State(Inside.ASKED, "data"),
        State(Inside.EXAMPLES, "data"),
    )


def _stepping() -> None:
    """Which blocks are opened."""
    in_browser("step", Input(Inside.DOWN, "n_clicks"), Input(Inside.UP, "n_clicks"))
    in_browser("typedBlocks", Input(Inside.FIRST, "value"), Input(Inside.LAST, "value"))
    in_browser(
        "blocks",
        Output(Inside.FIRST, "value"),
        Output(Inside.LAST, "value"),
        Output(Inside.DOWN, "disabled"),
        Output(Inside.UP, "disabled"),
        Input(Inside.BLOCKS, "data"),
        Input(Inside.DRAWN, "data"),
        first=True,
    )


def _drawing() -> None:
    """What follows a picture or a selection."""
    in_browser(
        "syncInside",
        Input(Inside.SHOWN, "data"),
        Input(Inside.SELECTED, "data"),
        Input(Inside.COLOUR, "value"),
        Input(Inside.WIDTH, "value"),
    )
