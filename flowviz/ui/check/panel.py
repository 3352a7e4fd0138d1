"""The line under every graph that says whether it is right, and the panel that opens from it."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from flowviz.causal.types import Ablation
from flowviz.ui.check.ids import Check
from flowviz.ui.check.opening import CheckOpening
from flowviz.ui.dom import attributes

POLL_MILLISECONDS = 200
DEFAULT_SHARE = 80
CHOICES = (
    (Ablation.ZERO, "Zero", "Nothing takes the place of what is ablated"),
    (Ablation.MEAN, "Mean", "Its mean over a set of reference prompts takes its place"),
    (Ablation.RESAMPLE, "Other prompt", "Its value at the same position of another prompt does"),
)
SAVES = (
    (Check.SAVE_JSON, "Verdict", "JSON"),
    (Check.SAVE_EFFECTS, "Effects", "CSV"),
    (Check.SAVE_CURVES, "Curves", "CSV"),
)
QUESTION = "Is this graph right?"


def check_line() -> html.Section:
    """The line under the graph; its `data-state` says how the check stands."""
    return html.Section(
        [
            html.Button(
                QUESTION,
                id=Check.TOGGLE,
                className="check-toggle",
                type="button",
                title="What the model itself says of this graph (c)",
                **attributes(aria_controls=Check.PANEL, aria_expanded=False),
            ),
            html.Span(id=Check.LINE, className="check-line", role="status"),
            _progress(),
            html.Span(
                [html.Span(id=Check.FAULT, role="alert"), _plain("Check it", Check.RETRY)],
                className="check-fault",
            ),
            dcc.Interval(id=Check.POLL, interval=POLL_MILLISECONDS, disabled=True),
        ],
        id=Check.ROOT,
        className="check-row",
        **attributes(aria_label=QUESTION, data_state="idle"),
    )


def _progress() -> html.Span:
    bar = html.Progress(id=Check.BAR, max="1", value="0")
    return html.Span(
        [html.Span(id=Check.STAGE), bar, _plain("Cancel", Check.CANCEL)],
        className="check-progress",
    )


def _plain(words: str, button: Check) -> html.Button:
    return html.Button(words, id=button, className="plain", type="button")


def check_panel(opening: CheckOpening) -> html.Section:
    """The drawer that opens from the line."""
    return html.Section(
        [
            html.Div([_against(opening), html.Div(id=Check.RECOVERED)], className="check-column"),
            _curves(),
            _agreement(),
            html.Div(
                [_smallest(opening), html.Div(id=Check.EFFECTS), _saves()],
                className="check-column",
            ),
        ],
        id=Check.PANEL,
        className="check-panel",
        hidden=not opening.open,
        **attributes(aria_label="What the model says of this graph"),
    )


def _against(opening: CheckOpening) -> html.Div:
    options = [
        {"value": str(kind), "label": html.Span(word, title=tip)} for kind, word, tip in CHOICES
    ]
    return html.Div(
        [
            html.H3("Everything else is replaced by"),
            dmc.SegmentedControl(
                id=Check.AGAINST, value=str(opening.against), data=options, size="xs",
                fullWidth=True,
            ),
            _other(opening),
        ],
        className="field",
    )  # fmt: skip


def _other(opening: CheckOpening) -> html.Div:
    box = dmc.Textarea(
        id=Check.OTHER,
        value=opening.other or "",
        autosize=True,
        minRows=1,
        maxRows=3,
        size="xs",
        spellCheck=False,
        placeholder="e.g. The capital of Spain is the city of",
        attributes={"input": {"aria-label": "The other prompt"}},
    )
    use = html.Button(
        "Use it", id=Check.OTHER_RUN, className="quiet", type="button",
        title="Take the values of this prompt (Enter)",
    )  # fmt: skip
    return html.Div(
        [box, use],
        id=Check.OTHER_FIELD,
        className="check-other",
        hidden=opening.against is not Ablation.RESAMPLE,
    )


def _smallest(opening: CheckOpening) -> html.Div:
    share = DEFAULT_SHARE if opening.smallest is None else 100 * opening.smallest
    return html.Div(
        [
            html.Div(
                [
                    html.Span("Smallest graph that recovers"),
                    dmc.NumberInput(
                        id=Check.SHARE, value=share, min=1, max=100, step=5, suffix="%", size="xs",
                        decimalScale=1, clampBehavior="strict",
                        attributes={"input": {"aria-label": "Share to recover, in percent"}},
                    ),
                    html.Button("Find it", id=Check.SMALLEST_RUN, className="quiet", type="button"),
                ],
                className="check-find",
            ),
            html.Div(id=Check.SMALLEST),
        ],
        id=Check.FIND,
        className="check-smallest",
    )  # fmt: skip


def _saves() -> html.Div:
    buttons = [
        html.Button([what, " ", html.Small(form)], id=button, className="plain", type="button")
        for button, what, form in SAVES
    ]
    return html.Div([html.Span("Download"), *buttons], className="check-saves")


def _curves() -> html.Div:
    tip = (
        "Components are kept in the order of each score, the highest first; random is the control. "
        "CPR is the area under the curve (more is better), CMD the area between it and 100% (less "
        "is better), as the MIB benchmark defines them"
    )
    head = html.H3(["Recovered by the best of each score ", html.Small("CPR/CMD")], title=tip)
    return html.Div([head, html.Div(id=Check.CURVES)], className="check-column")


def _agreement() -> html.Div:
    tip = (
        "The strongest components of each score are ablated one by one. Behind each score stands "
        "Spearman's rank correlation between what it says and what happens"
    )
    head = html.H3(["Which score foresees an ablation ", html.Small("Spearman")], title=tip)
    chosen = dmc.SegmentedControl(id=Check.SCORE, data=[], value="blend", size="xs", fullWidth=True)
    return html.Div([head, chosen, html.Div(id=Check.PLOT)], className="check-column")
