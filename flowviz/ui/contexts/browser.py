"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import ask_in_browser, in_browser
from flowviz.ui.contexts.ids import Contexts


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    ask_in_browser(Contexts)
    _asking()
    _drawing()
    _acting()


def _asking() -> None:
    """From boxes, switches, chips and bars to the question, which one store holds."""
    in_browser(
        "contextsHold",
        Output(Contexts.LAYER_WORDS, "children"),
        Input(Contexts.ASKED, "data"),
        Input(Contexts.FITTED, "data"),
        first=True,
    )
    in_browser(
        "contextsRun",
        Output(Contexts.PROMPT, "value"),
        Output(Contexts.MODEL, "value"),
        Input(Contexts.RUN, "n_clicks"),
        Input(Contexts.MODEL, "value"),
        Input({"type": Contexts.EXAMPLE, "index": ALL}, "n_clicks"),
        Input(Contexts.LEAVE_OUT, "n_clicks"),
        State(Contexts.PROMPT, "value"),
        State(Contexts.EXAMPLES, "data"),
    )
    in_browser(
        "contextsSite",
        Input(Contexts.KIND, "value"),
        Input(Contexts.LAYER, "value"),
        Input(Contexts.NEURON, "value"),
    )
    in_browser(
        "contextsChoose",
        Input(Contexts.CORPUS, "value"),
        Input(Contexts.METRIC, "value"),
        Input(Contexts.MOST, "value"),
        Input(Contexts.PART, "value"),
        Input(Contexts.LEAST, "value"),
        Input(Contexts.OTHER, "checked"),
        Input(Contexts.ONE_EACH, "checked"),
        Input(Contexts.FIRST, "checked"),
    )
    in_browser("contextsToken", Input(Contexts.POSITION, "data"))
    in_browser(
        "contextsAdd",
        Output(Contexts.VALUE, "value"),
        Input(Contexts.ADD, "n_clicks"),
        State(Contexts.ROLE, "value"),
        State(Contexts.FEATURE, "value"),
        State(Contexts.SIGN, "value"),
        State(Contexts.VALUE, "value"),
    )
    in_browser(
        "contextsValues",
        Output(Contexts.VALUE, "data"),
        Input(Contexts.ROLE, "value"),
        Input(Contexts.FEATURE, "value"),
        Input(Contexts.SUMMARY, "data"),
    )


def _drawing() -> None:
    """The contexts, their bars, and the address that says what is shown."""
    in_browser(
        "contextsHits",
        Input(Contexts.DATA, "data"),
        Input(Contexts.COLOUR, "value"),
        Input(Contexts.OFFSETS, "value"),
        Input(Contexts.SELECTED, "data"),
    )
    in_browser("contextsBars", Input(Contexts.SUMMARY, "data"), Input(Contexts.TAB, "data"),
               Input(Contexts.SHOWN, "data"))  # fmt: skip
    in_browser(
        "contextsSync",
        Input(Contexts.SHOWN, "data"),
        Input(Contexts.COLOUR, "value"),
        Input(Contexts.OFFSETS, "value"),
        Input(Contexts.TAB, "data"),
    )


def _acting() -> None:
    """Buttons that change nothing of what is asked."""
    in_browser("tokens", Input(Contexts.STRIP, "data"))
    in_browser("copy", Input(Contexts.LINK, "n_clicks"), State(Contexts.SHOWN, "data"))
    in_browser("contextsMask", Input(Contexts.MASK_ONE, "n_clicks"))
    in_browser("contextsOwn", Input(Contexts.GRID_OWN, "n_clicks"))
