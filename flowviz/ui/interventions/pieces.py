"""What can be done to a part, as buttons, a slider and a box. `assets/interventions.js` reads the
parts from `data-sites` around them, and what to do from `data-how`."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from flowviz.interventions.types import Clamp, How, Instead
from flowviz.ui.dom import attributes
from flowviz.views.changes import how_words

WEAKEST, STRONGEST, STEP = -5, 5, 0.25
MARKS = (-5, 0, 1, 5)


def acts(
    how: How | None,
    donor: str | None,
    *,
    values: bool = True,
    clamps: bool = False,
    active: float | None = None,
) -> list[Component]:
    """Everything that can be done.

    Args:
        how: what is done now, None for nothing.
        donor: the other prompt, as far as there is one.
        values: whether other values can take its place; otherwise only a factor changes it.
        clamps: whether it has an activation that can be set; `active`, what it is now.
    """
    others = [_act("Mean", "mean", how, "Its mean over a reference set of prompts")]
    return [
        html.Div(
            [
                _act("Switch off", "0", how, "Nothing takes its place"),
                *(others if values else []),
                *([_from_donor(how, donor)] if values else []),
            ],
            className="change-acts",
        ),
        _scale(how),
        *([_clamp(how, active)] if clamps else []),
    ]


def _act(words: str, how: str, now: How | None, tip: str) -> html.Button:
    pressed = now is not None and (f"{now:g}" if isinstance(now, float | int) else str(now)) == how
    return html.Button(
        words,
        className="small",
        type="button",
        title=tip,
        **attributes(data_how=how, aria_pressed=pressed),
    )


def _from_donor(how: How | None, donor: str | None) -> html.Details:
    """The other prompt in a box; there is one for all changes."""
    tip = "Its value at the same position of another prompt (activation patching)"
    return html.Details(
        [
            html.Summary("From another prompt…", title=tip),
            html.Div([donor_box(donor), _act("Use its values", "donor", how, tip)]),
        ],
        className="pop",
    )


def donor_box(donor: str | None) -> dmc.Textarea:
    """Where the other prompt is typed."""
    return dmc.Textarea(
        value=donor or "",
        autosize=True,
        minRows=2,
        maxRows=5,
        size="xs",
        spellCheck=False,
        placeholder="The same prompt with another name, say, and as many tokens",
        className="donor-box",
        attributes={"input": {"aria-label": "The other prompt, one for all changes"}},
    )


def _scale(how: How | None) -> html.Div:
    """A factor from −5 to 5, applied on release; the marks are buttons."""
    factor = how if isinstance(how, float | int) else 1.0
    slider = dcc.Input(
        type="range",
        min=WEAKEST,
        max=STRONGEST,
        step=STEP,
        value=min(max(factor, WEAKEST), STRONGEST),
    )
    words = "" if isinstance(how, Instead | Clamp) else f"× {factor:g}".replace("-", "−")
    return html.Div(
        [
            html.Label([html.Span("Scale"), slider]),
            html.Output(words),
            html.Div([_mark(mark) for mark in MARKS], className="marks"),
        ],
        className="scale",
        title="What it gives is multiplied with this factor: 1 leaves it as it is",
    )


def _mark(value: int) -> html.Button:
    place = (value - WEAKEST) / (STRONGEST - WEAKEST)
    return html.Button(
        str(value).replace("-", "−"),
        type="button",
        style={"left": f"{100 * place:g}%"},
        **attributes(data_how=value, aria_label=f"Scale to {value}"),
    )


def _clamp(how: How | None, active: float | None) -> html.Div:
    """An activation that is typed, in place of whatever it would be."""
    now = "" if active is None else f"{active:.3g}"
    box = dcc.Input(
        type="text",
        maxLength=12,
        autoComplete="off",
        value=f"{how.activation:.10g}" if isinstance(how, Clamp) else now,
    )
    return html.Div(
        [
            html.Label([html.Span("Activation"), box]),
            html.Button(
                "Set",
                className="small",
                type="button",
                **attributes(data_clamp="1", aria_pressed=isinstance(how, Clamp)),
            ),
        ],
        className="clamp",
        title="Whatever it would be, it is this (clamping); also where the factor is not active",
    )


def undo(words: str = "Undo", tip: str = "As the model computes it") -> html.Button:
    """Takes the change back."""
    return html.Button(
        words, className="plain", type="button", title=tip, **attributes(data_undo="1")
    )


def done_words(how: How) -> str:
    """What is done to a part, as a predicate."""
    return "switched off" if how == 0 else how_words(how)
