"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import ask_in_browser, in_browser
from flowviz.ui.factors.ids import Factors


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    ask_in_browser(Factors)
    _asking()
    _drawing()


def _asking() -> None:
    """From boxes, rows and cells to the question, which one store holds."""
    in_browser("factorsHold", Input(Factors.ASKED, "data"), Input(Factors.FITTED, "data"),
               first=True)  # fmt: skip
    in_browser(
        "factorsRun",
        Output(Factors.PROMPT, "value"),
        Output(Factors.MODEL, "value"),
        Input(Factors.RUN, "n_clicks"),
        Input(Factors.MODEL, "value"),
        Input({"type": Factors.EXAMPLE, "index": ALL}, "n_clicks"),
        State(Factors.PROMPT, "value"),
        State(Factors.EXAMPLES, "data"),
    )
    in_browser(
        "factorsChoose",
        Input(Factors.DICTIONARY, "value"),
        Input(Factors.CORPUS, "value"),
        Input(Factors.ORDER, "value"),
        Input(Factors.LEVEL, "value"),
        Input(Factors.SITE, "value"),
        Input(Factors.TEXT, "value"),
    )


def _drawing() -> None:
    """What was found, and the address that says what is shown."""
    in_browser("factorsList", Input(Factors.LISTED, "data"), Input(Factors.TOLD, "data"))
    in_browser(
        "factorsTold",
        Input(Factors.TOLD, "data"),
        Input(Factors.SPLIT, "data"),
        Input(Factors.TAB, "data"),
    )
    in_browser("factorsCharts", Input(Factors.TOLD, "data"))
    in_browser(
        "factorsPrompt",
        Input(Factors.OF_PROMPT, "data"),
        Input(Factors.TOLD, "data"),
        Input(Factors.LAYER, "data"),
    )
    in_browser(
        "factorsSync",
        Input(Factors.SHOWN, "data"),
        Input(Factors.TAB, "data"),
        Input(Factors.LAYER, "data"),
    )
    in_browser("copy", Input(Factors.LINK, "n_clicks"), State(Factors.SHOWN, "data"))
