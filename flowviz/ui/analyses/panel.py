"""The page around the results: the choice of analysis, the form on the left, progress, tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from flowviz.session import ModelChoice
from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.analyses.opening import MOST_K, MOST_N, OWN, SET, Opening
from flowviz.ui.analyses.parts import nothing
from flowviz.ui.analyses.prompts import group_options, listed, set_options
from flowviz.ui.dom import attributes
from flowviz.ui.models import model_options
from flowviz.views.analyses.words import ABOUT

POLL_MILLISECONDS = 250
SHOW_ALL: Any = {"function": "flowvizShowAll"}  # the server has filtered already
PERCENT: Any = {"function": "flowvizPercent"}
TEXT_TIP = (
    "One prompt a line. After a tab stands its answer, the token that should come next, where you "
    "know it; after a second tab its group. Write \\n for a line break in a prompt."
)
PLACEHOLDER = "The capital of Japan is the city of\nThe opposite of hot is"


def choice(opening: Opening) -> html.Section:
    """Which analysis, and the question that it answers."""
    return html.Section(
        [
            dmc.SegmentedControl(
                id=Analyses.ANALYSIS,
                value=str(opening.request.analysis),
                data=[{"value": str(a), "label": about.name} for a, about in ABOUT.items()],
                size="sm",
                className="analysis",
                **attributes(aria_label="Analysis"),
            ),
            html.Div(question(opening.request.analysis), id=Analyses.QUESTION, className="about"),
        ],
        className="ask",
        **attributes(aria_label="Analysis"),
    )


def question(analysis: object) -> list[Component | str]:
    """What an analysis answers, and how."""
    about = next((words for each, words in ABOUT.items() if each == analysis), None)
    return [html.Strong(about.question), " ", html.Span(about.method)] if about else []


def form(opening: Opening, models: Sequence[ModelChoice]) -> html.Aside:
    """The panel on the left: model, prompts or token, numbers, Run."""
    return html.Aside(
        [
            _field("Model", _model(opening, models), "The model to look into"),
            _field("Prompts", _prompts(opening), "What the analysis runs over", "for-prompts"),
            _field("Token", _token(opening), "Type a few letters of it", "for-search"),
            _field("Open in the prompt", _open_in(opening), "Neurons and heads that are found open "
                   "in the flow of this prompt, at its last token", "for-search"),
            *_numbers(opening),
            html.Button("Run", id=Analyses.RUN, className="primary", type="button",
                        title="Run the analysis (Ctrl+Enter)"),
        ],
        className="controls",
        **attributes(aria_label="What to analyse"),
    )  # fmt: skip


def _field(name: str, control: Component, tip: str, look: str = "") -> html.Div:
    return html.Div(
        [html.Span(name, className="field-name", title=tip), control],
        className=f"field {look}".strip(),
        role="group",
        **attributes(aria_label=name),
    )


def _named(name: str) -> dict[str, Any]:
    return {"attributes": {"input": {"aria-label": name}}}


def _model(opening: Opening, models: Sequence[ModelChoice]) -> dmc.Select:
    return dmc.Select(
        id=Analyses.MODEL,
        value=opening.request.model,
        data=model_options(models),
        allowDeselect=False,
        renderOption={"function": "flowvizModel"},
        comboboxProps={"width": 360, "position": "bottom-start"},
        maxDropdownHeight=420,
        **_named("Model"),
    )


def _prompts(opening: Opening) -> html.Div:
    sources = [{"value": SET, "label": "A set"}, {"value": OWN, "label": "My own"}]
    source = dmc.SegmentedControl(
        id=Analyses.SOURCE, value=opening.source, data=sources, fullWidth=True, size="xs"
    )
    count = html.Output(id=Analyses.COUNT, className="count")
    return html.Div([source, _set(opening), _own(opening), count], className="prompts")


def _set(opening: Opening) -> html.Div:
    name, group = opening.request.set, opening.request.group
    options = set_options()
    return html.Div(
        [
            dmc.Select(
                id=Analyses.SET, value=name or None, data=options, allowDeselect=False,
                nothingFoundMessage="No set ships", **_named("Set of prompts"),
            ),
            dmc.Select(
                id=Analyses.GROUP, value=group or None, data=group_options(name), clearable=True,
                placeholder="all its groups", **_named("Group"),
            ),
            html.Details(
                [
                    html.Summary("Look at them"),
                    html.Div(listed(name, group), id=Analyses.LOOK, className="listed"),
                    html.Button("Edit a copy", id=Analyses.COPY_SET, className="plain",
                                type="button", title="Copies them to your own prompts"),
                ]
            ),
        ],
        className="from-set",
    )  # fmt: skip


def _own(opening: Opening) -> html.Div:
    described = {"aria-label": "Prompts, one a line", "aria-describedby": Analyses.COUNT}
    return html.Div(
        [
            dmc.Textarea(
                id=Analyses.TEXT,
                value=opening.request.text,
                autosize=True,
                minRows=8,
                maxRows=14,
                spellCheck=False,
                placeholder=PLACEHOLDER,
                className="own-text",
                attributes={"input": {**described, "title": TEXT_TIP, "wrap": "off"}},
            ),
            html.Div(
                [
                    html.Button("Open a file", id=Analyses.FILE, className="small", type="button",
                                title="A text file of one prompt a line; or drop it on the box"),
                    html.Button("Insert ⇥", className="small", type="button",
                                title="Insert a tab: after it stands the answer",
                                **attributes(data_insert_tab="1")),
                ],
                className="span-row",
            ),
            html.P("One a line; after a tab ⇥ its answer, where you know it.", className="dim"),
        ],
        className="from-own",
    )  # fmt: skip


def _token(opening: Opening) -> dmc.Select:
    token = opening.request.token
    return dmc.Select(
        id=Analyses.TOKEN,
        value=token,
        data=[{"value": token, "label": token}] if token else [],
        searchable=True,
        clearable=True,
        filter=SHOW_ALL,
        placeholder="Type a token",
        nothingFoundMessage="No token of this model matches",
        className="token-search",
        **_named("Token to search for"),
    )


def _open_in(opening: Opening) -> dmc.Textarea:
    return dmc.Textarea(
        id=Analyses.OPEN_IN, value=opening.open_in, autosize=True, minRows=1, maxRows=4,
        spellCheck=False, className="own-text", debounce=400, **_named("Open in the prompt"),
    )  # fmt: skip


def _numbers(opening: Opening) -> list[html.Div]:
    asked = opening.request
    return [
        _field("First tokens", _number(Analyses.K, asked.k, MOST_K, "First tokens"),
               "How many of the first tokens are compared and listed (k)", "for-k"),
        _field("Most active", _number(Analyses.N, asked.n, MOST_N, "Most active neurons"),
               "How many neurons of a layer count as its most active (n)", "for-n"),
        _field("On at least", _threshold(asked.threshold),
               "The share of prompts from which on a neuron counts as always active",
               "for-threshold"),
    ]  # fmt: skip


def _number(box: Analyses, value: int, most: int, name: str) -> dmc.NumberInput:
    return dmc.NumberInput(
        id=box, value=value, min=1, max=most, allowDecimal=False, allowNegative=False,
        clampBehavior="blur", size="xs", **_named(name),
    )  # fmt: skip


def _threshold(value: float) -> dmc.Slider:
    marks: Any = [{"value": share, "label": f"{share:.0%}"} for share in (0.25, 0.5, 0.85)]
    return dmc.Slider(
        id=Analyses.THRESHOLD, value=value, min=0.05, max=1, step=0.01, precision=2,
        updatemode="mouseup", marks=marks, label=PERCENT, size="sm",
        thumbLabel="Share of the prompts",
    )  # fmt: skip


def results(opening: Opening) -> html.Section:
    """The right side: progress, and what was found or what to do to find something."""
    return html.Section(
        [
            _progress(),
            html.P(id=Analyses.LINK_NOTE, className="part", role="status"),
            html.Div(_at_first(opening), id=Analyses.RESULT, className="found"),
        ],
        className="results",
        **attributes(aria_label="Result"),
    )


def _at_first(opening: Opening) -> list[Component]:
    if opening.run:
        return []
    many = f"{opening.left_out:,}"
    hint = (
        f"The prompts of this link were too long for it ({many} characters). Put them in again, "
        "by hand or from a file, and press Run."
    )
    return nothing(opening.request.analysis, hint if opening.left_out else "")


def _progress() -> html.Div:
    return html.Div(
        [
            html.Span(id=Analyses.STAGE),
            html.Progress(id=Analyses.BAR, max="1", value="0"),
            html.Button("Cancel", id=Analyses.CANCEL, className="quiet", type="button"),
            dcc.Interval(id=Analyses.POLL, interval=POLL_MILLISECONDS, disabled=True),
        ],
        id=Analyses.PROGRESS,
        className="running",
        hidden=True,
        **attributes(aria_live="polite"),
    )
