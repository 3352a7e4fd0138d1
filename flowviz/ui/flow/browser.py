"""What the flow page's scripts answer: which function of `assets/` is called for what.

A page calls `answer_in_browser` while it is being made, so that every app has its own callbacks.
"""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import answer_picture, in_browser
from flowviz.ui.check.ids import Check
from flowviz.ui.flow.ids import Flow


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    _asking()
    _drawing()
    answer_picture(Flow)


def _asking() -> None:
    """From the form to a job, and from a job to a picture."""
    in_browser(
        "ask",
        Output(Flow.ASKED, "data"),
        Output(Flow.PROMPT, "value"),
        Output(Flow.MODEL, "value"),
        Output(Flow.TARGET, "value"),
        Output(Flow.CONTRAST, "value"),
        Output(Flow.POSITION, "data"),
        Output(Flow.LAYERS, "value"),
        Output(Flow.POSITIONS, "value"),
        Input(Flow.RUN, "n_clicks"),
        Input(Flow.MODEL, "value"),
        Input({"type": Flow.EXAMPLE, "index": ALL}, "n_clicks"),
        State(Flow.PROMPT, "value"),
        State(Flow.ASKED, "data"),
        State(Flow.EXAMPLES, "data"),
        State(Flow.LAYERS, "max"),
        State(Flow.POSITIONS, "max"),
    )


def _drawing() -> None:
    """What follows a picture or a selection."""
    in_browser(
        "ranges",
        Output(Flow.LAYERS, "max"),
        Output(Flow.POSITIONS, "max"),
        Input(Flow.DRAWN, "data"),
        State(Flow.LAYERS, "value"),
        State(Flow.LAYERS, "max"),
        State(Flow.POSITIONS, "value"),
        State(Flow.POSITIONS, "max"),
    )
    in_browser(
        "numbers",
        Output(Flow.FIRST, "value"),
        Output(Flow.LAST, "value"),
        Input(Flow.POSITIONS, "value"),
        Input(Flow.DRAWN, "data"),
    )
    in_browser(
        "typed",
        Input(Flow.FIRST, "value"),
        Input(Flow.LAST, "value"),
        State(Flow.POSITIONS, "value"),
    )
    in_browser("analysesOf", Output(Flow.ANALYSE, "href"), Input(Flow.SHOWN, "data"))
    in_browser(
        "sync",
        Input(Flow.SHOWN, "data"),
        Input(Flow.SELECTED, "data"),
        Input(Flow.REST, "checked"),
        Input(Check.CHOSEN, "data"),
        Input(Check.OPEN, "data"),
    )
