"""The settings of the picture, as live controls."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import NodeKind
from flowviz.request import MAX_BUDGET, GraphSettings, Score, Wiring
from flowviz.ui.dom import attributes
from flowviz.ui.flow.form import KINDS
from flowviz.ui.flow.ids import Flow
from flowviz.ui.flow.opening import Opening

KIND_WORDS = {
    NodeKind.EMBED: "Tokens",
    NodeKind.POS_EMBED: "Positions",
    NodeKind.HEAD: "Heads",
    NodeKind.NEURON: "Neurons",
    NodeKind.BIAS: "Biases",
}
SCORE_WORDS = {
    Score.FLOW: "Flow (conserved)",
    Score.BLEND: "Blend (flow and gradients)",
    Score.GRADIENT: "Gradient (attribution patching)",
    Score.DIRECT: "Direct logit attribution",
}
PERCENT: Any = {"function": "flowvizPercent"}  # functions of assets/ask.js
POSITION: Any = {"function": "flowvizPosition"}
LAYER: Any = {"function": "flowvizLayer"}
WIRING_WORDS = {Wiring.STREAM: "Stream", Wiring.CIRCUIT: "Circuit"}


def controls(opening: Opening) -> html.Aside:
    """The panel on the left."""
    settings = opening.settings
    return html.Aside(
        [
            _field(
                "Wiring",
                _wiring(settings),
                "Along the residual stream with its hidden states, "
                "or straight from component to component",
            ),
            _field(
                "Coverage",
                _coverage(settings),
                "The share of the influence on the answer that the drawn nodes should hold",
            ),
            _field("At most", _budget(settings), "The most nodes to draw", "nodes"),
            _field("Layers", _range(Flow.LAYERS, settings.layers), "The blocks to draw"),
            _field(
                "Prompt tokens",
                _positions(settings),
                "The prompt positions to draw; or drag over the tokens above the graph",
            ),
            _field("Kinds", _kinds(settings), "The kinds of component to draw"),
            dmc.Switch(id=Flow.REST, checked=opening.rest, label="Draw the rest ◇", size="xs"),
            _more(settings),
            html.Button("Back to the defaults", id=Flow.RESET, className="plain", type="button"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _field(name: str, control: Component, tip: str, unit: str = "") -> html.Div:
    label = [name, html.Small(unit)] if unit else name
    return html.Div(
        [html.Span(label, className="field-name", title=tip), control],
        className="field",
        role="group",
        **attributes(aria_label=name),
    )


def _wiring(settings: GraphSettings) -> dmc.SegmentedControl:
    return dmc.SegmentedControl(
        id=Flow.WIRING,
        value=str(settings.wiring),
        data=[{"value": str(w), "label": words} for w, words in WIRING_WORDS.items()],
        fullWidth=True,
        size="xs",
    )


def _coverage(settings: GraphSettings) -> dmc.Slider:
    return dmc.Slider(
        id=Flow.COVERAGE,
        value=settings.coverage,
        min=0.05,
        max=1,
        step=0.01,
        precision=2,
        updatemode="mouseup",
        marks=[
            {"value": 0.5, "label": "50%"},
            {"value": 0.8, "label": "80%"},
            {"value": 1, "label": "all"},
        ],
        label=PERCENT,
        size="sm",
        thumbLabel="Coverage",
    )


def _budget(settings: GraphSettings) -> dmc.Slider:
    return dmc.Slider(
        id=Flow.BUDGET,
        value=settings.budget,
        min=5,
        max=MAX_BUDGET,
        step=5,
        updatemode="mouseup",
        marks=[
            {"value": 60, "label": "60"},
            {"value": 200, "label": "200"},
            {"value": MAX_BUDGET, "label": str(MAX_BUDGET)},
        ],
        size="sm",
        thumbLabel="Most nodes",
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


def _kinds(settings: GraphSettings) -> dmc.CheckboxGroup:
    boxes = [
        dmc.Checkbox(value=kind, label=KIND_WORDS[NodeKind(kind)], size="xs") for kind in KINDS
    ]
    return dmc.CheckboxGroup(
        html.Div(boxes, className="kinds"),
        id=Flow.KINDS,
        value=[kind for kind in KINDS if kind in settings.kinds],
    )


def _more(settings: GraphSettings) -> html.Details:
    return html.Details(
        [
            html.Summary("More"),
            _field("Rank by", _score(settings), "What ranks the nodes"),
            _field(
                "Edge coverage",
                _edges(settings),
                "The share of the influence that the edges between drawn nodes should hold",
            ),
            _field("Heads a layer", _bound(Flow.HEADS, settings.heads_per_layer), "At most"),
            _field(
                "Neurons for, a layer",
                _bound(Flow.POSITIVE, settings.positive_neurons),
                "At most so many neurons that speak for the target",
            ),
            _field(
                "Neurons against, a layer",
                _bound(Flow.NEGATIVE, settings.negative_neurons),
                "At most so many neurons that speak against the target",
            ),
        ]
    )


def _score(settings: GraphSettings) -> dmc.Select:
    return dmc.Select(
        id=Flow.SCORE,
        value=str(settings.score),
        data=[{"value": str(score), "label": words} for score, words in SCORE_WORDS.items()],
        allowDeselect=False,
        size="xs",
        attributes={"input": {"aria-label": "Rank by"}},
    )


def _edges(settings: GraphSettings) -> dmc.Slider:
    return dmc.Slider(
        id=Flow.EDGE_COVERAGE,
        value=settings.edge_coverage,
        min=0.5,
        max=1,
        step=0.01,
        precision=2,
        updatemode="mouseup",
        label=PERCENT,
        size="sm",
        thumbLabel="Edge coverage",
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
    settings = GraphSettings()
    return {
        "wiring": str(settings.wiring),
        "score": str(settings.score),
        "coverage": settings.coverage,
        "budget": settings.budget,
        "edge_coverage": settings.edge_coverage,
        "layers": [0, last_layer or 0],
        "positions": [0, last_position or 0],
        "kinds": list(KINDS),
        "heads_per_layer": "",
        "positive_neurons": "",
        "negative_neurons": "",
    }
