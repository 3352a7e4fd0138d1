"""Where a question is put: model, prompt, examples, run; then tokens, predictions, target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from flowviz.session import ModelChoice
from flowviz.ui.dom import attributes
from flowviz.ui.flow.ids import Flow
from flowviz.ui.flow.models import model_options
from flowviz.ui.flow.opening import Opening
from flowviz.ui.server import Example

SHOW_ALL = {"function": "flowvizShowAll"}  # the server has filtered already


def ask_panel(
    opening: Opening, models: Sequence[ModelChoice], examples: Sequence[Example]
) -> html.Section:
    """The whole panel above the graph."""
    return html.Section(
        [
            html.Div(
                [_model(opening, models), _prompt(opening), _examples(examples), _run()],
                className="ask-row",
            ),
            _strip(Flow.TOKENS, "Tokens"),
            html.Div(
                [
                    _question(opening),
                    _strip(Flow.PREDICTIONS, "Top predictions"),
                ],
                className="ask-row answers",
            ),
            html.Div(id=Flow.LOOK_FOR, className="look-for"),
        ],
        className="ask",
        **attributes(aria_label="Question"),
    )


def _strip(strip: Flow, name: str) -> html.Div:
    return html.Div(id=strip, className="strip", role="group", **attributes(aria_label=name))


def _model(opening: Opening, models: Sequence[ModelChoice]) -> dmc.Select:
    return dmc.Select(
        id=Flow.MODEL,
        value=opening.model,
        data=model_options(models),
        allowDeselect=False,
        className="model",
        renderOption={"function": "flowvizModel"},
        comboboxProps={"width": 360, "position": "bottom-start"},
        maxDropdownHeight=420,
        **_named("Model"),
    )


def _prompt(opening: Opening) -> html.Div:
    return html.Div(
        [
            dmc.Textarea(
                id=Flow.PROMPT,
                value=opening.prompt,
                autosize=True,
                minRows=1,
                maxRows=5,
                spellCheck=False,
                placeholder="Type a prompt; the model says what comes next",
                className="prompt",
                attributes={"input": {"aria-label": "Prompt", "aria-describedby": Flow.COUNT}},
            ),
            html.Span(id=Flow.COUNT, className="count"),
        ],
        className="prompt-box",
    )


def _examples(examples: Sequence[Example]) -> dmc.Menu:
    return dmc.Menu(
        [
            dmc.MenuTarget(html.Button("Examples", className="quiet menu", type="button")),
            dmc.MenuDropdown([example_item(i, each) for i, each in enumerate(examples)]),
        ],
        width=420,
        position="bottom-end",
        shadow="md",
    )


def example_item(index: int, example: Example) -> dmc.MenuItem:
    """One example: its phenomenon, its prompt, what to look for."""
    return dmc.MenuItem(
        html.Div(
            [
                html.Strong(example.title),
                html.Code(example.prompt),
                html.Small(example.look_for),
            ],
            className="example",
        ),
        id={"type": Flow.EXAMPLE, "index": index},
    )


def _run() -> html.Button:
    return html.Button(
        "Run", id=Flow.RUN, className="primary", type="button", title="Run the prompt (Enter)"
    )


def _question(opening: Opening) -> html.Div:
    return html.Div(
        [
            html.Span("Why"),
            _token_box(Flow.TARGET, opening.target.token, "its top prediction", "Target token"),
            html.Span("rather than"),
            _token_box(Flow.CONTRAST, opening.target.contrast, "anything else", "Contrast token"),
            html.Span("?"),
            html.Output(id=Flow.VALUE, className="value"),
        ],
        className="question",
    )


def _token_box(box_id: Flow, value: str | None, placeholder: str, name: str) -> dmc.Select:
    return dmc.Select(
        id=box_id,
        value=value,
        data=[],
        searchable=True,
        clearable=True,
        filter=SHOW_ALL,
        placeholder=placeholder,
        nothingFoundMessage="No token of this model matches",
        className="token-box",
        size="xs",
        **_named(name),
    )


def _named(name: str) -> dict[str, Any]:
    return {"attributes": {"input": {"aria-label": name}}}
