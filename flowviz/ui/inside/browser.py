"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import in_browser
from flowviz.ui.ids import Shell
from flowviz.ui.inside.ids import Inside


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    _asking()
    _stepping()
    _drawing()
    _acting()


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
    in_browser(
        "settle",
        Output(Inside.POLL, "disabled"),
        Output(Inside.PROGRESS, "hidden"),
        Output(Inside.STAGE, "children"),
        Output(Inside.BAR, "value"),
        Input(Inside.JOB, "data"),
        Input(Inside.STANDING, "data"),
    )
    in_browser(
        "opened",
        Output(Inside.OPENED, "data"),
        Input(Inside.FAULT, "data"),
        State(Inside.SELECTED, "data"),
        first=True,
    )
    in_browser(
        "measure",
        Output(Inside.TYPED, "data"),
        Input(Inside.PROMPT, "value"),
        Input(Inside.MODEL, "value"),
        first=True,
    )
    in_browser(
        "renew",
        Output(Inside.AGAIN, "data"),
        Input(Shell.NOT_KEPT, "data"),
        State(Inside.SHOWN, "data"),
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
    in_browser("tokens", Input(Inside.STRIP, "data"))
    in_browser("drawn", Input(Inside.DRAWN, "data"), State(Inside.SHOWN, "data"))
    in_browser("choose", Input(Inside.SELECTED, "data"))
    in_browser(
        "syncInside",
        Input(Inside.SHOWN, "data"),
        Input(Inside.SELECTED, "data"),
        Input(Inside.COLOUR, "value"),
        Input(Inside.WIDTH, "value"),
    )


def _acting() -> None:
    """Buttons that change what is seen, not what is drawn."""
    in_browser("copy", Input(Inside.LINK, "n_clicks"), State(Inside.SHOWN, "data"))
    in_browser(
        "tools",
        Input(Inside.FIT, "n_clicks"),
        Input(Inside.ZOOM_IN, "n_clicks"),
        Input(Inside.ZOOM_OUT, "n_clicks"),
        Input(Inside.FOLD, "n_clicks"),
    )
    in_browser(
        "styles",
        Output(Inside.GRAPH, "stylesheet"),
        Input(Shell.THEME, "data"),
        State(Inside.STYLES, "data"),
        first=True,
    )
    in_browser(
        "image",
        Input(Inside.SAVE_PNG, "n_clicks"),
        Input(Inside.SAVE_SVG, "n_clicks"),
        State(Inside.SHOWN, "data"),
    )
