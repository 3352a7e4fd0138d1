"""Where a question is put: model, prompt, examples, run; then tokens, predictions, target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html

from flowviz.request import TargetSpec
from flowviz.session import ModelChoice
from flowviz.ui.dom import attributes
from flowviz.ui.models import model_options
from flowviz.ui.server import Example

SHOW_ALL = {"function": "flowvizShowAll"}  # the server has filtered already


@dataclass(frozen=True)
class AskIds:
    """A page's ids of the parts of its panel; `look_for` where it says what an example shows."""

    model: str
    prompt: str
    count: str
    example: str
    run: str
    tokens: str
    predictions: str
    target: str
    contrast: str
    value: str
    look_for: str


@dataclass(frozen=True)
class Asked:
    """What stands in the panel when the page opens."""

    prompt: str
    model: str
    target: TargetSpec


def ask_panel(
    ids: AskIds, asked: Asked, models: Sequence[ModelChoice], examples: Sequence[Example]
) -> html.Section:
    """The whole panel above the graph."""
    return html.Section(
        [
            html.Div(
                [
                    _model(ids, asked, models),
                    _prompt(ids, asked),
                    _examples(ids, examples),
                    _run(ids),
                ],
                className="ask-row",
            ),
            _strip(ids.tokens, "Tokens", "strip tokens"),
            html.Div(
                [
                    _question(ids, asked.target),
                    _strip(ids.predictions, "Top predictions"),
                ],
                className="ask-row answers",
            ),
            html.Div(id=ids.look_for, className="look-for"),
        ],
        className="ask",
        **attributes(aria_label="Question"),
    )


def _strip(strip: str, name: str, look: str = "strip") -> html.Div:
    return html.Div(id=strip, className=look, role="group", **attributes(aria_label=name))


def _model(ids: AskIds, asked: Asked, models: Sequence[ModelChoice]) -> dmc.Select:
    return dmc.Select(
        id=ids.model,
        value=asked.model,
        data=model_options(models),
        allowDeselect=False,
        className="model",
        renderOption={"function": "flowvizModel"},
        comboboxProps={"width": 360, "position": "bottom-start"},
        maxDropdownHeight=420,
        **_named("Model"),
    )


def _prompt(ids: AskIds, asked: Asked) -> html.Div:
    return html.Div(
        [
            dmc.Textarea(
                id=ids.prompt,
                value=asked.prompt,
                autosize=True,
                minRows=1,
                maxRows=5,
                spellCheck=False,
                placeholder="Type a prompt; the model says what comes next",
                className="prompt",
                attributes={"input": {"aria-label": "Prompt", "aria-describedby": ids.count}},
            ),
            html.Span(id=ids.count, className="count"),
        ],
        className="prompt-box",
    )


def _examples(ids: AskIds, examples: Sequence[Example]) -> dmc.Menu:
    return dmc.Menu(
        [
            dmc.MenuTarget(html.Button("Examples", className="quiet menu", type="button")),
            dmc.MenuDropdown(
                [example_item(ids.example, i, each) for i, each in enumerate(examples)]
            ),
        ],
        width=420,
        position="bottom-end",
        shadow="md",
    )


def example_item(kind: str, index: int, example: Example) -> dmc.MenuItem:
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
        id={"type": kind, "index": index},
    )


def _run(ids: AskIds) -> html.Button:
    return html.Button(
        "Run", id=ids.run, className="primary", type="button", title="Run the prompt (Enter)"
    )


def _question(ids: AskIds, target: TargetSpec) -> html.Div:
    return html.Div(
        [
            html.Span("Why"),
            token_box(ids.target, target.token, "its top prediction", "Target token"),
            html.Span("rather than"),
            token_box(ids.contrast, target.contrast, "anything else", "Contrast token"),
            html.Span("?"),
            html.Output(id=ids.value, className="value"),
        ],
        className="question",
    )


def token_box(box_id: str, value: str | None, placeholder: str, name: str) -> dmc.Select:
    """A searchable box for a token of the vocabulary."""
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
