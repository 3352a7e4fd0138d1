"""Where a question is put: model, prompt, examples, run; then tokens, predictions, target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.request import TargetSpec
from flowviz.session import ModelChoice
from flowviz.ui.dom import attributes
from flowviz.ui.models import model_options
from flowviz.ui.server import Example

PLACEHOLDER = "Type a prompt; the model says what comes next"
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
    ids: AskIds,
    asked: Asked,
    models: Sequence[ModelChoice],
    examples: Sequence[Example],
    beside: Sequence[Component] = (),
    below: Sequence[Component] = (),
) -> html.Section:
    """The whole panel above the graph.

    Args:
        beside: what stands beside the prompt.
        below: what stands below the predictions.
    """
    return html.Section(
        [
            html.Div(
                [
                    model_box(ids.model, asked.model, models),
                    prompt_box(ids.prompt, ids.count, asked.prompt, PLACEHOLDER),
                    *beside,
                    examples_menu(
                        [example_item(ids.example, i, each) for i, each in enumerate(examples)]
                    ),
                    run_button(ids.run),
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
            *below,
            html.Div(id=ids.look_for, className="look-for"),
        ],
        className="ask",
        **attributes(aria_label="Question"),
    )


def _strip(strip: str, name: str, look: str = "strip") -> html.Div:
    return html.Div(id=strip, className=look, role="group", **attributes(aria_label=name))


def model_box(box: str, value: str, models: Sequence[ModelChoice]) -> dmc.Select:
    """The models to choose from."""
    return dmc.Select(
        id=box,
        value=value,
        data=model_options(models),
        allowDeselect=False,
        className="model",
        renderOption={"function": "flowvizModel"},
        comboboxProps={"width": 360, "position": "bottom-start"},
        maxDropdownHeight=420,
        **_named("Model"),
    )


def prompt_box(box: str, count: str, value: str, placeholder: str) -> html.Div:
    """Where the prompt is typed, with its length in the corner."""
    area = dmc.Textarea(
        id=box,
        value=value,
        autosize=True,
        minRows=1,
        maxRows=5,
        spellCheck=False,
        placeholder=placeholder,
        className="prompt",
        attributes={"input": {"aria-label": "Prompt", "aria-describedby": count}},
    )
    return html.Div([area, html.Span(id=count, className="count")], className="prompt-box")


def examples_menu(items: Sequence[dmc.MenuItem], width: int = 420) -> dmc.Menu:
    """The button with all examples."""
    return dmc.Menu(
        [
            dmc.MenuTarget(html.Button("Examples", className="quiet menu", type="button")),
            dmc.MenuDropdown(list(items)),
        ],
        width=width,
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


def run_button(button: str) -> html.Button:
    """Runs the prompt."""
    return html.Button(
        "Run", id=button, className="primary", type="button", title="Run the prompt (Enter)"
    )


def second_text(code: str, button: str, text: str) -> html.Div:
    """The second text that a link brought here, and a way to be rid of it."""
    return html.Div(
        [
            html.Span("and"),
            html.Code(text, id=code),
            html.Button("Leave it out", id=button, className="small", type="button",
                        title="Ask about the prompt alone"),
        ],
        className="second-text",
        hidden=not text,
    )  # fmt: skip


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
