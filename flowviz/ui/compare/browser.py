"""What this page's scripts answer: which function of `assets/` is called for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.browser import answer_picture, in_browser
from flowviz.ui.compare.ids import Compare

BOXES = {
    "prompt": (Compare.PROMPT, "value"),
    "b_prompt": (Compare.SECOND, "value"),
    "model": (Compare.MODEL, "value"),
    "b_model": (Compare.SECOND_MODEL, "value"),
    "interventions": (Compare.CHANGES, "value"),
    "b_interventions": (Compare.SECOND_CHANGES, "value"),
    "donor": (Compare.DONOR, "value"),
    "b_donor": (Compare.SECOND_DONOR, "value"),
    "token": (Compare.TARGET, "value"),
    "contrast": (Compare.CONTRAST, "value"),
    "own": (Compare.OWN, "checked"),
    "b_token": (Compare.SECOND_TARGET, "value"),
    "b_contrast": (Compare.SECOND_CONTRAST, "value"),
    "position": (Compare.POSITION, "data"),
}  # the form; `assets/compare.js` has the same order


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    _asking()
    in_browser(
        "syncCompare",
        Input(Compare.SHOWN, "data"),
        Input(Compare.SELECTED, "data"),
        Input(Compare.REST, "checked"),
        Input(Compare.STATES, "checked"),
    )
    answer_picture(Compare, strip="columns")


def _asking() -> None:
    """From the form to a job."""
    in_browser(
        "askCompare",
        Output(Compare.ASKED, "data"),
        *(Output(*box) for box in BOXES.values()),
        Input(Compare.RUN, "n_clicks"),
        Input(Compare.SWAP, "n_clicks"),
        Input(Compare.MODEL, "value"),
        Input(Compare.SECOND_MODEL, "value"),
        Input({"type": Compare.EXAMPLE, "index": ALL}, "n_clicks"),
        *(State(*box) for box in BOXES.values()),
        State(Compare.ASKED, "data"),
        State(Compare.EXAMPLES, "data"),
        State(Compare.DRAWN, "data"),
    )
    in_browser(
        "measureSecond",
        Output(Compare.SECOND_TYPED, "data"),
        Input(Compare.SECOND, "value"),
        Input(Compare.MODEL, "value"),
        Input(Compare.SECOND_MODEL, "value"),
        first=True,
    )
