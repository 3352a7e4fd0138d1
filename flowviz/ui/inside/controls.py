"""What is drawn of a block and what its colours and widths say, as live controls."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.inside.request import MOST_OF_A_KIND, InsideSettings, Rank, Rotary
from flowviz.ui.dom import attributes
from flowviz.ui.inside.ids import Inside
from flowviz.ui.inside.opening import Opening
from flowviz.views.inside.looks import Colour, Width

COLOUR_WORDS = {
    Colour.RANK: "Rank",
    Colour.SIGN: "Sign",
    Colour.ENTROPY: "Entropy",
}
WIDTH_WORDS = {
    Width.FLOW: "Flow",
    Width.NORM: "Norm",
    Width.STRENGTH: "Act. × norm",
}
RANK_WORDS = {Rank.NORM: "Norm", Rank.FLOW: "Flow"}
ROTARY_WORDS = {
    Rotary.POSITIONS: "At their positions",
    Rotary.BEFORE: "Before rotation",
}
NUMBERS = (
    ("heads", Inside.HEADS, "Heads", "Heads to draw of a block"),
    ("memories", Inside.MEMORIES, "Keys and values", "Of each head, those that it attends most"),
    ("rows", Inside.ROWS, "Rows of W_O", "“Attention neurons” to draw of a block"),
    ("high", Inside.HIGH, "Highest neurons", "Neurons with the highest signed rank, a block"),
    ("low", Inside.LOW, "Lowest neurons", "Neurons with the lowest signed rank, a block"),
)
SETTINGS = {
    **{name: (box, "value") for name, box, _, _ in NUMBERS},
    "rank": (Inside.RANK, "value"),
    "rotary": (Inside.ROTARY, "value"),
}


def controls(opening: Opening) -> html.Aside:
    """The panel on the left."""
    return html.Aside(
        [
            _field(
                "Colour says",
                _segments(Inside.COLOUR, COLOUR_WORDS, opening.look.colour),
                "What a part's colour says: the target's rank as the part reads, its flow's sign, "
                "or its reading's entropy",
            ),
            _field(
                "Width says",
                _segments(Inside.WIDTH, WIDTH_WORDS, opening.look.width),
                "What a line's width says; lines of attention always say the weight",
            ),
            _field(
                "Choose by",
                _segments(Inside.RANK, RANK_WORDS, opening.settings.rank),
                "What ranks heads, rows and neurons: how much they write, or how much of the "
                "target flows through them",
            ),
            html.Div([_number(opening, *each) for each in NUMBERS], className="numbers"),
            _rotary(opening),
            html.Button("Back to the defaults", id=Inside.RESET, className="plain", type="button"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _field(name: str, control: Component, tip: str) -> html.Div:
    return html.Div(
        [html.Span(name, className="field-name", title=tip), control],
        className="field",
        role="group",
        **attributes(aria_label=name),
    )


def _segments(box: Inside, words: dict[Any, str], value: str) -> dmc.SegmentedControl:
    return dmc.SegmentedControl(
        id=box,
        value=str(value),
        data=[{"value": str(each), "label": label} for each, label in words.items()],
        fullWidth=True,
        size="xs",
    )


def _number(opening: Opening, name: str, box: Inside, words: str, tip: str) -> html.Div:
    field = dmc.NumberInput(
        id=box,
        value=getattr(opening.settings, name),
        min=0,
        max=MOST_OF_A_KIND,
        clampBehavior="strict",
        allowDecimal=False,
        allowNegative=False,
        debounce=400,
        size="xs",
        attributes={"input": {"aria-label": words}},
    )
    return html.Div([html.Span(words, title=tip), field], className="number")


def _rotary(opening: Opening) -> html.Div:
    select = dmc.Select(
        id=Inside.ROTARY,
        value=str(opening.settings.rotary),
        data=[{"value": str(each), "label": label} for each, label in ROTARY_WORDS.items()],
        allowDeselect=False,
        size="xs",
        attributes={"input": {"aria-label": "Queries and keys are read"}},
    )
    words = html.Small(id=Inside.ROTARY_WORDS)
    field = _field(
        "Queries and keys are read",
        html.Div([select, words]),
        "With rotary positions: turned to each other, so that their product is the attention "
        "score, or as they are before rotation",
    )
    return html.Div(field, id=Inside.ROTARY_FIELD)


def default_values() -> dict[str, object]:
    """The value of each control of the settings."""
    settings = InsideSettings()
    values = {name: getattr(settings, name) for name in SETTINGS}
    return {name: value if isinstance(value, int) else str(value) for name, value in values.items()}
