"""Where the question is put: model, prompt, examples, run; then the tokens and what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from flowviz.session import ModelChoice
from flowviz.ui.ask_panel import model_box, prompt_box, run_button, second_text
from flowviz.ui.contexts.examples import example_menu
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.contexts.opening import Opening
from flowviz.ui.dom import attributes

PLACEHOLDER = "Type a prompt; then click the token whose contexts are looked for"
MASK_TIP = "Hides the token from the model, or shows it again: double-click it, or press m"


def contexts_panel(opening: Opening, models: Sequence[ModelChoice]) -> html.Section:
    """The whole panel above the results."""
    asked = opening.request
    row = [
        model_box(Contexts.MODEL, asked.model, models),
        prompt_box(Contexts.PROMPT, Contexts.COUNT, asked.prompt, PLACEHOLDER),
        example_menu([model.name for model in models]),
        run_button(Contexts.RUN),
    ]
    mask = html.Button("Mask it", id=Contexts.MASK_ONE, className="small", type="button",
                       hidden=True, title=MASK_TIP)  # fmt: skip
    words = html.Span(id=Contexts.QUESTION, className="asked-words")
    return html.Section(
        [
            html.Div(row, className="ask-row"),
            second_text(Contexts.SECOND, Contexts.LEAVE_OUT, asked.second),
            html.Div(id=Contexts.TOKENS, className="strip tokens", role="group",
                     **attributes(aria_label="Tokens")),
            html.Div([words, mask], className="asked-row"),
            html.Div(id=Contexts.LOOK_FOR, className="look-for"),
        ],
        className="ask",
        **attributes(aria_label="Question"),
    )  # fmt: skip
