"""The second text: its box beside the prompt, and the button that swaps both."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html

from flowviz.session import ModelChoice
from flowviz.ui.attention.ids import Attention
from flowviz.ui.dom import attributes
from flowviz.views.attention.words import second_words

SWAP = "Swap the two texts, and nothing else (x)"


def second_box(value: str, words: str) -> html.Div:
    """The button and the box, with what the text is for the model under it."""
    described = {"aria-label": "Second text", "aria-describedby": Attention.SECOND_WORDS}
    button = html.Button(
        "⇄",
        id=Attention.SWAP,
        className="ghost swap-texts",
        type="button",
        title=SWAP,
        **attributes(aria_label=SWAP),
    )
    box = dmc.Textarea(
        id=Attention.SECOND,
        value=value,
        autosize=True,
        minRows=1,
        maxRows=5,
        spellCheck=False,
        placeholder="Second text (optional)",
        className="prompt",
        attributes={"input": described},
    )
    said = html.Span(words, id=Attention.SECOND_WORDS, className="count")
    return html.Div(
        [button, html.Div([box, said], className="prompt-box")], className="beside-prompt"
    )


def words_for(models: Sequence[ModelChoice], name: object) -> str:
    """What a second text is for the model that is chosen."""
    kinds = {model.name: model.kind for model in models}
    return second_words(kinds.get(str(name)))


def reading() -> html.Div:
    """Where the predictions at one token stand, of a model without a next token to explain."""
    return html.Div(
        id=Attention.READING,
        className="strip reading-strip",
        role="status",
        **attributes(aria_label="Predictions at one token"),
    )
