"""Where the question is put: model, prompt, examples, run; then the tokens."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from flowviz.session import ModelChoice
from flowviz.ui.ask_panel import model_box, prompt_box, run_button, second_text
from flowviz.ui.dom import attributes
from flowviz.ui.head.examples import example_menu
from flowviz.ui.head.ids import Head
from flowviz.ui.head.opening import Opening

PLACEHOLDER = "Type a prompt; then choose a head, and the token that it looks from"


def head_panel(opening: Opening, models: Sequence[ModelChoice]) -> html.Section:
    """The whole panel above the picture."""
    asked = opening.request
    row = [
        model_box(Head.MODEL, asked.model, models),
        prompt_box(Head.PROMPT, Head.COUNT, asked.prompt, PLACEHOLDER),
        example_menu(),
        run_button(Head.RUN),
    ]
    return html.Section(
        [
            html.Div(row, className="ask-row"),
            second_text(Head.SECOND, Head.LEAVE_OUT, asked.second),
            html.Div(id=Head.TOKENS, className="strip tokens", role="group",
                     **attributes(aria_label="Tokens")),
            html.Div(id=Head.LOOK_FOR, className="look-for"),
        ],
        className="ask",
        **attributes(aria_label="Question"),
    )  # fmt: skip
