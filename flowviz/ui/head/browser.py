"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import ask_in_browser, in_browser
from flowviz.ui.head.ids import Head
from flowviz.ui.ids import Shell


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    ask_in_browser(Head)
    _asking()
    _drawing()
    _acting()


def _asking() -> None:
    """Run, another model, an example; the second text left out."""
    in_browser(
        "askHead",
        Output(Head.ASKED, "data"),
        Output(Head.PROMPT, "value"),
        Output(Head.MODEL, "value"),
        Output(Head.LAYER, "value"),
        Output(Head.HEAD, "data"),
        Output(Head.POSITION, "data"),
        Output(Head.EXPLAINED, "data"),
        Output(Head.START, "data"),
        Output(Head.VIEW, "value"),
        Output(Head.OVER, "value"),
        Output(Head.DIMS, "value"),
        Output(Head.PASSED, "data"),
        Input(Head.RUN, "n_clicks"),
        Input(Head.MODEL, "value"),
        Input({"type": Head.EXAMPLE, "index": ALL}, "n_clicks"),
        Input(Head.LEAVE_OUT, "n_clicks"),
        State(Head.PROMPT, "value"),
        State(Head.ASKED, "data"),
        State(Head.EXAMPLES, "data"),
        State(Head.PASSED, "data"),
    )
    in_browser(
        "headMoved",
        Output(Head.EXPLAINED, "data", allow_duplicate=True),
        Output(Head.START, "data", allow_duplicate=True),
        Input(Head.POSITION, "data"),
        State(Head.EXPLAINED, "data"),
    )
    in_browser(
        "headOrder",
        Output(Head.START, "data", allow_duplicate=True),
        Input(Head.ORDER, "value"),
    )


def _drawing() -> None:
    """The picture, the choice of heads, and the address that says what is drawn."""
    in_browser(
        "headDraw",
        Output(Head.SPOKEN, "children"),
        Input(Head.DATA, "data"),
        Input(Head.DIMS, "value"),
        Input(Head.SELECTED, "data"),
        Input(Head.EXPLAINED, "data"),
        Input(Shell.THEME, "data"),
    )
    in_browser(
        "headSquares",
        Output(Head.LAYER_WORDS, "children"),
        Output(Head.LAYER, "max"),
        Input(Head.SIZES, "data"),
        Input(Head.HEAD, "data"),
        Input(Head.LAYER, "value"),
    )
    in_browser(
        "headView",
        Output(Head.ROOT, "className"),
        Input(Head.VIEW, "value"),
        Input(Head.OVER, "value"),
    )
    in_browser(
        "headSync",
        Input(Head.SHOWN, "data"),
        Input(Head.DIMS, "value"),
        Input(Head.ORDER, "value"),
        Input(Head.START, "data"),
        Input(Head.SELECTED, "data"),
        Input(Head.EXPLAINED, "data"),
    )


def _acting() -> None:
    """Buttons that change nothing of what is asked."""
    in_browser("headWindow", Input(Head.EARLIER, "n_clicks"), Input(Head.LATER, "n_clicks"))
    in_browser("tokens", Input(Head.STRIP, "data"))
    in_browser("copy", Input(Head.LINK, "n_clicks"), State(Head.SHOWN, "data"))
    in_browser("headImage", Input(Head.SAVE_PNG, "n_clicks"), Input(Head.SAVE_SVG, "n_clicks"))
