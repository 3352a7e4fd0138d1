"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.attention.ids import Attention
from flowviz.ui.browser import ask_in_browser, in_browser
from flowviz.ui.ids import Shell


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    ask_in_browser(Attention)
    _asking()
    _choosing()
    _drawing()
    _acting()


def _asking() -> None:
    """Run, another model, an example; the two texts swapped; masks."""
    in_browser(
        "askAttention",
        Output(Attention.ASKED, "data"),
        Output(Attention.PROMPT, "value"),
        Output(Attention.SECOND, "value"),
        Output(Attention.MODEL, "value"),
        Output(Attention.TARGET, "value"),
        Output(Attention.CONTRAST, "value"),
        Output(Attention.EXPLAINED, "data"),
        Output(Attention.START, "data"),
        Output(Attention.MASK, "data"),
        Output(Attention.PART, "data"),
        Input(Attention.RUN, "n_clicks"),
        Input(Attention.MODEL, "value"),
        Input({"type": Attention.EXAMPLE, "index": ALL}, "n_clicks"),
        State(Attention.PROMPT, "value"),
        State(Attention.SECOND, "value"),
        State(Attention.ASKED, "data"),
        State(Attention.EXAMPLES, "data"),
        State(Attention.SHOWN, "data"),
    )
    in_browser(
        "attentionSwap",
        Output(Attention.PROMPT, "value", allow_duplicate=True),
        Output(Attention.SECOND, "value", allow_duplicate=True),
        Input(Attention.SWAP, "n_clicks"),
        State(Attention.PROMPT, "value"),
        State(Attention.SECOND, "value"),
    )
    in_browser(
        "attentionMask", Input(Attention.MASK_ONE, "n_clicks"), Input(Attention.UNMASK, "n_clicks")
    )


def _choosing() -> None:
    """Heads, the pinned token, the window of tokens."""
    in_browser("attentionEvery", Input(Attention.EVERY, "n_clicks"))
    in_browser("attentionPin", Input(Attention.POSITION, "data"))
    in_browser(
        "attentionWindow", Input(Attention.EARLIER, "n_clicks"), Input(Attention.LATER, "n_clicks")
    )
    in_browser(
        "attentionMasks",
        Output(Attention.MASK_ONE, "children"),
        Output(Attention.MASK_ONE, "disabled"),
        Output(Attention.UNMASK, "hidden"),
        Input(Attention.TRAITS, "data"),
        Input(Attention.MASK, "data"),
        Input(Attention.SELECTED, "data"),
    )


LINES = (
    Input(Attention.HEADS, "data"),
    Input(Attention.MASS, "value"),
    Input(Attention.HIDE, "checked"),
    Input(Attention.TEXT_ONLY, "checked"),
    Input(Attention.PAIRS, "value"),
    Input(Attention.MERGE, "value"),
    Input(Attention.SELECTED, "data"),
)  # which lines are drawn


def _drawing() -> None:
    """Both views, what is predicted, and the address that says what is drawn."""
    in_browser(
        "attentionHeads",
        Output(Attention.HIDDEN, "children"),
        Output(Attention.SPOKEN, "children"),
        Output(Attention.LAYER_WORDS, "children"),
        Input(Attention.LAYER_DATA, "data"),
        *LINES,
        Input(Shell.THEME, "data"),
    )
    in_browser(
        "attentionModel",
        Output(Attention.LENS, "hidden"),  # a page that is not open has none, and is not asked
        Input(Attention.MODEL_DATA, "data"),
        Input(Attention.SCORES, "data"),
        Input(Shell.THEME, "data"),
    )
    in_browser(
        "attentionReadings",
        Input(Attention.READING_DATA, "data"),
        Input(Attention.SELECTED, "data"),
    )
    in_browser(
        "attentionView",
        Output(Attention.ROOT, "className"),
        Input(Attention.VIEW, "value"),
        Input(Attention.SHOWN, "data"),
        Input(Attention.TRAITS, "data"),
        Input(Attention.OVER, "value"),
    )
    in_browser(
        "attentionSync",
        Input(Attention.SHOWN, "data"),
        Input(Attention.VIEW, "value"),
        Input(Attention.LAYER, "value"),
        *LINES,
        Input(Attention.START, "data"),
        Input(Attention.KIND, "value"),
        Input(Attention.OVER, "value"),
    )


def _acting() -> None:
    """Buttons that change nothing of what is drawn."""
    in_browser("tokens", Input(Attention.STRIP, "data"))
    in_browser("copy", Input(Attention.LINK, "n_clicks"), State(Attention.SHOWN, "data"))
    in_browser(
        "attentionImage",
        Input(Attention.SAVE_PNG, "n_clicks"),
        Input(Attention.SAVE_SVG, "n_clicks"),
        State(Attention.VIEW, "value"),
    )
