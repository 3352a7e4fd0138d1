"""The settings of the picture, as live controls."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from flowviz.request import GraphSettings
from flowviz.ui.dom import attributes
from flowviz.ui.flow.ids import Flow
from flowviz.ui.flow.opening import Opening
from flowviz.ui.graph_controls import (
    budget,
    coverage,
    edge_coverage,
    field,
    kinds,
    score,
    wiring,
)
from flowviz.ui.graph_controls import default_values as shared_defaults

POSITION: Any = {"function": "flowvizPosition"}  # functions of assets/ask.js
LAYER: Any = {"function": "flowvizLayer"}


def controls(opening: Opening) -> html.Aside:
    """The panel on the left."""
    settings = opening.settings
    return html.Aside(
        [
            wiring(Flow.WIRING, settings),
            coverage(
                Flow.COVERAGE,
                settings,
                "The share of the influence on the answer that the drawn nodes should hold",
            ),
            budget(Flow.BUDGET, settings),
            field("Layers", _range(Flow.LAYERS, settings.layers), "The blocks to draw"),
            field(
                "Prompt tokens",
                _positions(settings),
                "The prompt positions to draw; or drag over the tokens above the graph",
            ),
            kinds(Flow.KINDS, settings),
            dmc.Switch(id=Flow.REST, checked=opening.rest, label="Draw the rest ◇", size="xs"),
            _more(settings),
            html.Button("Back to the defaults", id=Flow.RESET, className="plain", type="button"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _range(slider: Flow, span: tuple[int, int] | None) -> dmc.RangeSlider:
    """Before a graph is drawn its ends are not known: one beyond the link's, so none is lost."""
    end = span[1] + 1 if span else 1
    return dmc.RangeSlider(
        id=slider,
        value=list(span) if span else [0, end],
        min=0,
        max=end,
        step=1,
        minRange=0,
        updatemode="mouseup",
        label=POSITION if slider is Flow.POSITIONS else LAYER,
        size="sm",
        thumbFromLabel="First",
        thumbToLabel="Last",
    )


def _positions(settings: GraphSettings) -> html.Div:
    """The slider, the same as two numbers, and the target's column in one click."""
    return html.Div(
        [
            _range(Flow.POSITIONS, settings.positions),
            html.Div(
                [
                    _number(Flow.FIRST, "First token drawn"),
                    "to",
                    _number(Flow.LAST, "Last token drawn"),
                    _span_button("only", "target", "Target", "Draw only the target's column"),
                    _span_button("all", "positions", "All", "Draw all tokens"),
                ],
                className="span-row",
            ),
        ]
    )


def _number(box: Flow, words: str) -> dmc.NumberInput:
    return dmc.NumberInput(
        id=box,
        value="",
        min=0,
        clampBehavior="none",
        allowDecimal=False,
        allowNegative=False,
        hideControls=True,
        debounce=600,
        size="xs",
        attributes={"input": {"aria-label": words}},
    )


def _span_button(name: str, what: str, words: str, tip: str) -> html.Button:
    return html.Button(
        words, className="small", type="button", title=tip, **attributes(**{f"data_{name}": what})
    )


def _more(settings: GraphSettings) -> html.Details:
    return html.Details(
        [
            html.Summary("More"),
            score(Flow.SCORE, settings, "What ranks the nodes"),
            edge_coverage(
                Flow.EDGE_COVERAGE,
                settings,
                "The share of the influence that the edges between drawn nodes should hold",
            ),
            field("Heads a layer", _bound(Flow.HEADS, settings.heads_per_layer), "At most"),
            field(
                "Neurons for, a layer",
                _bound(Flow.POSITIVE, settings.positive_neurons),
                "At most so many neurons that speak for the target",
            ),
            field(
                "Neurons against, a layer",
                _bound(Flow.NEGATIVE, settings.negative_neurons),
                "At most so many neurons that speak against the target",
            ),
        ]
    )


def _bound(box: Flow, value: int | None) -> dmc.NumberInput:
    return dmc.NumberInput(
        id=box,
        value="" if value is None else value,
        min=0,
        max=10_000,
        allowDecimal=False,
        allowNegative=False,
        placeholder="no bound",
        debounce=400,
        size="xs",
    )


def default_values(last_layer: int | None, last_position: int | None) -> dict[str, object]:
    """The value of each control; a range spans all that the picture has."""
    return {
        **shared_defaults(),
        "layers": [0, last_layer or 0],
        "positions": [0, last_position or 0],
        "heads_per_layer": "",
        "positive_neurons": "",
        "negative_neurons": "",
    }
