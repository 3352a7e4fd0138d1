"""What is drawn of the differences, as live controls."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import NodeKind
from flowviz.request import MAX_BUDGET, GraphSettings
from flowviz.ui.compare.form import KINDS, kept_settings
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.opening import Opening
from flowviz.ui.dom import attributes
from flowviz.ui.flow.controls import KIND_WORDS, PERCENT, SCORE_WORDS, WIRING_WORDS

SETTINGS = {
    "wiring": (Compare.WIRING, "value"),
    "score": (Compare.SCORE, "value"),
    "coverage": (Compare.COVERAGE, "value"),
    "budget": (Compare.BUDGET, "value"),
    "edge_coverage": (Compare.EDGE_COVERAGE, "value"),
    "kinds": (Compare.KINDS, "value"),
}


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
                _slider(Compare.COVERAGE, settings.coverage, 0.05, "Coverage"),
                "The share of what differs that the drawn nodes should hold",
            ),
            _field("At most", _budget(settings), "The most nodes to draw", "nodes"),
            _field("Kinds", _kinds(settings), "The kinds of component to draw"),
            dmc.Switch(id=Compare.REST, checked=opening.rest, label="Draw the rest ◇", size="xs"),
            _more(settings),
            html.Small(kept_words(kept_settings(settings)), id=Compare.KEPT_WORDS),
            html.Button("Back to the defaults", id=Compare.RESET, className="plain", type="button"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _more(settings: GraphSettings) -> html.Details:
    return html.Details(
        [
            html.Summary("More"),
            _field(
                "Edge coverage",
                _slider(Compare.EDGE_COVERAGE, settings.edge_coverage, 0.5, "Edge coverage"),
                "The share of what differs between drawn nodes that the lines should hold",
            ),
            _field("Rank by", _score(settings), "Whose difference ranks the nodes"),
        ]
    )


def kept_words(kept: dict[str, str]) -> str:
    """Settings that the link has and that no control shows."""
    if not kept:
        return ""
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in kept.items())
    return f"As the link has it: {said}."


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
        id=Compare.WIRING,
        value=str(settings.wiring),
        data=[{"value": str(w), "label": words} for w, words in WIRING_WORDS.items()],
        fullWidth=True,
        size="xs",
    )


def _score(settings: GraphSettings) -> dmc.Select:
    return dmc.Select(
        id=Compare.SCORE,
        value=str(settings.score),
        data=[{"value": str(score), "label": words} for score, words in SCORE_WORDS.items()],
        allowDeselect=False,
        size="xs",
        attributes={"input": {"aria-label": "Rank by"}},
    )


def _slider(box: Compare, value: float, least: float, name: str) -> dmc.Slider:
    return dmc.Slider(
        id=box,
        value=value,
        min=least,
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
        thumbLabel=name,
    )


def _budget(settings: GraphSettings) -> dmc.Slider:
    return dmc.Slider(
        id=Compare.BUDGET,
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


def _kinds(settings: GraphSettings) -> dmc.CheckboxGroup:
    boxes = [
        dmc.Checkbox(value=kind, label=KIND_WORDS[NodeKind(kind)], size="xs") for kind in KINDS
    ]
    return dmc.CheckboxGroup(
        html.Div(boxes, className="kinds"),
        id=Compare.KINDS,
        value=[kind for kind in KINDS if kind in settings.kinds],
    )


def default_values() -> dict[str, Any]:
    """The value of each control."""
    settings = GraphSettings()
    return {
        "wiring": str(settings.wiring),
        "score": str(settings.score),
        "coverage": settings.coverage,
        "budget": settings.budget,
        "edge_coverage": settings.edge_coverage,
        "kinds": list(KINDS),
    }
