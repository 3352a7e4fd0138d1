"""Where the two sides are put: prompts, models, changes, target; and how their tokens pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.session import ModelChoice
from flowviz.ui.ask_panel import token_box
from flowviz.ui.compare.examples import example_menu
from flowviz.ui.compare.form import Form
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.opening import Opening
from flowviz.ui.dom import attributes
from flowviz.ui.models import model_options

HINT = "Now type the second prompt, and press Enter"
CHANGE = "such as head:3:7:1=0, or head:3:*:1=0 at every position"
CHANGE_TIP = (
    "A node, = and what happens to it: 0 switches it off, 2.5 scales it, mean and donor put other "
    "values in its place; several are separated by semicolons"
)


def compare_panel(opening: Opening, models: Sequence[ModelChoice]) -> html.Section:
    """The whole panel above the graph."""
    form = opening.form
    return html.Section(
        [
            html.Div(
                [_model(form, models), _prompts(opening), example_menu(), _run()],
                className="ask-row",
            ),
            _more(opening, models),
            html.Div(
                [
                    html.Div(id=Compare.TOKENS, className="strip tokens columns-strip",
                             role="group", **attributes(aria_label="Tokens of both prompts")),
                    html.Small(id=Compare.ALIGNMENT, className="alignment"),
                ],
                className="aligned",
            ),
            html.Div(_question(form), className="ask-row answers"),
            html.Div(id=Compare.LOOK_FOR, className="look-for"),
        ],
        className="ask compare-ask",
        **attributes(aria_label="What is compared"),
    )  # fmt: skip


def _model(form: Form, models: Sequence[ModelChoice]) -> dmc.Select:
    return _models(Compare.MODEL, form["model"], models, "Model", allowDeselect=False)


def _models(
    box: Compare, value: str | None, models: Sequence[ModelChoice], name: str, **more: Any
) -> dmc.Select:
    return dmc.Select(
        id=box,
        value=value,
        data=model_options(models),
        className="model",
        renderOption={"function": "flowvizModel"},
        comboboxProps={"width": 360, "position": "bottom-start"},
        maxDropdownHeight=420,
        **_named(name),
        **more,
    )


def _prompts(opening: Opening) -> html.Div:
    hint = HINT if opening.hint else "The second prompt; empty where it is the same"
    return html.Div(
        [
            _prompt(Compare.PROMPT, Compare.COUNT, "First", opening.form["prompt"],
                    "The first prompt"),
            _prompt(Compare.SECOND, Compare.SECOND_COUNT, "Second", opening.form["b_prompt"], hint,
                    focus=opening.hint),
            html.Button(
                "⇅",
                id=Compare.SWAP,
                className="ghost swap",
                type="button",
                title="Swap the two sides (x)",
                **attributes(aria_label="Swap the two sides"),
            ),
        ],
        className="both-prompts hinted" if opening.hint else "both-prompts",
    )  # fmt: skip


def _prompt(
    box: Compare, count: Compare, name: str, value: str, hint: str, focus: bool = False
) -> html.Div:
    named: dict[str, Any] = {"aria-label": f"{name} prompt", "aria-describedby": count}
    return html.Div(
        [
            html.Span(name, className="side-name"),
            dmc.Textarea(
                id=box,
                value=value,
                autosize=True,
                minRows=1,
                maxRows=5,
                spellCheck=False,
                placeholder=hint,
                className="prompt",
                attributes={"input": {**named, **({"autoFocus": True} if focus else {})}},
            ),
            html.Span(id=count, className="count"),
        ],
        className="prompt-box",
    )


def _run() -> html.Button:
    return html.Button(
        "Run", id=Compare.RUN, className="primary", type="button", title="Run both (Enter)"
    )


def _more(opening: Opening, models: Sequence[ModelChoice]) -> html.Details:
    """What the two can differ in beside their prompts."""
    form = opening.form
    return html.Details(
        [
            html.Summary("Another checkpoint, or a change in the pass"),
            html.Div(
                [
                    _labelled(
                        "Model of the second",
                        _models(Compare.SECOND_MODEL, form["b_model"], models,
                                "Model of the second", clearable=True,
                                placeholder="the same"),
                    ),
                    _change("Changed in the first pass", Compare.CHANGES, form["interventions"]),
                    _change("Changed in the second pass", Compare.SECOND_CHANGES,
                            form["b_interventions"]),
                    _donor("Donor of the first", Compare.DONOR, form["donor"]),
                    _donor("Donor of the second", Compare.SECOND_DONOR, form["b_donor"]),
                ],
                className="more-grid",
            ),
        ],
        id=Compare.MORE,
        className="more",
        open=opening.more,
    )  # fmt: skip


def _change(name: str, box: Compare, value: str) -> html.Label:
    return _labelled(name, _text(box, value, CHANGE, name), CHANGE_TIP)


def _donor(name: str, box: Compare, value: str) -> html.Label:
    tip = "The prompt that values are taken from, where a change ends in =donor"
    return _labelled(name, _text(box, value, "where a change ends in =donor", name), tip)


def _text(box: Compare, value: str, placeholder: str, name: str) -> dmc.TextInput:
    return dmc.TextInput(
        id=box, value=value, placeholder=placeholder, size="xs", spellCheck=False, **_named(name)
    )


def _labelled(name: str, control: Component, tip: str | None = None) -> html.Label:
    return html.Label([html.Span(name), control], title=tip, className="labelled")


def _question(form: Form) -> list[Component]:
    return [
        html.Div(
            [
                html.Span("What changes for"),
                token_box(Compare.TARGET, form["token"], "the first's top prediction",
                           "Target token"),
                html.Span("rather than"),
                token_box(Compare.CONTRAST, form["contrast"], "anything else", "Contrast token"),
                dmc.Switch(id=Compare.OWN, checked=form["own"], size="xs",
                           label="another in the second"),
            ],
            className="question",
        ),
        html.Div(
            [
                html.Span("in the second"),
                token_box(Compare.SECOND_TARGET, form["b_token"], "the first's",
                           "Target token of the second"),
                html.Span("rather than"),
                token_box(Compare.SECOND_CONTRAST, form["b_contrast"], "anything else",
                           "Contrast token of the second"),
            ],
            className="question own-target",
        ),
        html.Output(id=Compare.VALUE, className="value"),
    ]  # fmt: skip


def _named(name: str) -> dict[str, Any]:
    return {"attributes": {"input": {"aria-label": name}}}
