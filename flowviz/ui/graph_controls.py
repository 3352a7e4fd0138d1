"""Controls that pages with a pruned graph share: wiring, how much is drawn, kinds, the score.

Each takes the id that the page gives it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import NodeKind
from flowviz.request import CHOOSABLE_KINDS, MAX_BUDGET, GraphSettings, Score, Wiring
from flowviz.ui.dom import attributes

KINDS = tuple(str(kind) for kind in CHOOSABLE_KINDS)
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
WIRING_WORDS = {Wiring.STREAM: "Stream", Wiring.CIRCUIT: "Circuit"}
PERCENT: Any = {"function": "flowvizPercent"}  # a function of assets/ask.js


def field(name: str, control: Component, tip: str, unit: str = "") -> html.Div:
    """A control under its name."""
    label = [name, html.Small(unit)] if unit else name
    return html.Div(
        [html.Span(label, className="field-name", title=tip), control],
        className="field",
        role="group",
        **attributes(aria_label=name),
    )


def wiring(box: StrEnum, settings: GraphSettings) -> html.Div:
    """Stream or circuit."""
    control = dmc.SegmentedControl(
        id=box,
        value=str(settings.wiring),
        data=[{"value": str(w), "label": words} for w, words in WIRING_WORDS.items()],
        fullWidth=True,
        size="xs",
    )
    return field(
        "Wiring",
        control,
        "Along the residual stream with its hidden states, or straight from component to component",
    )


def coverage(box: StrEnum, settings: GraphSettings, tip: str) -> html.Div:
    """How much of the whole the drawn nodes hold."""
    marks = [
        {"value": 0.5, "label": "50%"},
        {"value": 0.8, "label": "80%"},
        {"value": 1, "label": "all"},
    ]
    return field("Coverage", _share(box, settings.coverage, 0.05, "Coverage", marks), tip)


def edge_coverage(box: StrEnum, settings: GraphSettings, tip: str) -> html.Div:
    """How much of what goes between drawn nodes the edges hold."""
    return field("Edge coverage", _share(box, settings.edge_coverage, 0.5, "Edge coverage"), tip)


def _share(box: StrEnum, value: float, least: float, name: str, marks: Any = None) -> dmc.Slider:
    return dmc.Slider(
        id=box,
        value=value,
        min=least,
        max=1,
        step=0.01,
        precision=2,
        updatemode="mouseup",
        marks=marks or [],
        label=PERCENT,
        size="sm",
        thumbLabel=name,
    )


def budget(box: StrEnum, settings: GraphSettings) -> html.Div:
    """The most nodes to draw."""
    control = dmc.Slider(
        id=box,
        value=settings.budget,
        min=5,
        max=MAX_BUDGET,
        step=5,
        updatemode="mouseup",
        marks=[{"value": value, "label": str(value)} for value in (60, 200, MAX_BUDGET)],
        size="sm",
        thumbLabel="Most nodes",
    )
    return field("At most", control, "The most nodes to draw", "nodes")


def kinds(box: StrEnum, settings: GraphSettings) -> html.Div:
    """The kinds of component to draw."""
    boxes = [
        dmc.Checkbox(value=kind, label=KIND_WORDS[NodeKind(kind)], size="xs") for kind in KINDS
    ]
    control = dmc.CheckboxGroup(
        html.Div(boxes, className="kinds"),
        id=box,
        value=[kind for kind in KINDS if kind in settings.kinds],
    )
    return field("Kinds", control, "The kinds of component to draw")


def score(box: StrEnum, settings: GraphSettings, tip: str) -> html.Div:
    """What ranks the nodes."""
    control = dmc.Select(
        id=box,
        value=str(settings.score),
        data=[{"value": str(score), "label": words} for score, words in SCORE_WORDS.items()],
        allowDeselect=False,
        size="xs",
        attributes={"input": {"aria-label": "Rank by"}},
    )
    return field("Rank by", control, tip)


def default_values() -> dict[str, Any]:
    """The value of each control that pages share."""
    settings = GraphSettings()
    return {
        "wiring": str(settings.wiring),
        "score": str(settings.score),
        "coverage": settings.coverage,
        "budget": settings.budget,
        "edge_coverage": settings.edge_coverage,
        "kinds": list(KINDS),
    }
