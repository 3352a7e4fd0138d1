"""What a check found, as the parts of its panel and its line."""

from __future__ import annotations

import math
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component
from plotly.graph_objects import Figure

from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Smallest, Verdict
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.ui.check.ids import Check
from flowviz.ui.dom import attributes
from flowviz.ui.panel import bare_chart, figures
from flowviz.views.check.figures import scale
from flowviz.views.check.words import (
    band_words,
    bits,
    details,
    first_words,
    headline,
    meaning,
    share_words,
    smallest_words,
    too_large_words,
    weakest_words,
)
from flowviz.views.laws import flow_shown
from flowviz.views.words import describe, short_label, signed

SCORES = ("flow", "blend", "gradient", "direct")
WITHOUT_FLOW = ("gradient",)  # what can be said where a law of the flow failed
MOST_EFFECTS = 8
MOST_LISTED = 60


def scores(graph: FlowGraph) -> tuple[str, ...]:
    """The scores that can be shown."""
    return SCORES if flow_shown(graph) else WITHOUT_FLOW


def line(graph: FlowGraph, request: CheckRequest, verdict: Verdict) -> html.Span:
    """The whole verdict in one line; what it means in the tip."""
    found = verdict.recovery
    return html.Span(
        [html.B(headline(graph, found)), " ", details(found, request.against)],
        title=meaning(graph, found),
    )


def recovered(graph: FlowGraph, verdict: Verdict, theme: str) -> list[Component]:
    """Recovered on a scale, its figures, and what it means."""
    found = verdict.recovery
    pairs = [
        ("Recovered", share_words(found.kept), "by the graph that is drawn"),
        ("Random graphs", band_words(found.controls), "of the same size and kinds"),
        ("KL", f"{bits(found.kept.divergence)} bits", "from the model's distribution to this one"),
        ("First token", first_words(found.kept), "whether the likeliest token is the model's own"),
    ]
    return [
        bare_chart(scale(found, theme)),
        figures(pairs),
        html.P(meaning(graph, found), className="dim"),
    ]


def score_options(graph: FlowGraph, verdict: Verdict) -> list[dict[str, Any]]:
    """The scores with their correlation."""
    spearman = verdict.agreement.spearman
    return [
        {"value": name, "label": f"{name} {spearman[name]:.2f}".replace("-", "−")}
        for name in scores(graph)
    ]


def points(figure: Figure) -> dcc.Graph:
    """The scatter plot, whose points can be pointed at and clicked."""
    return bare_chart(figure, id=Check.SCATTER, clear_on_unhover=True)


def effects(graph: FlowGraph, verdict: Verdict) -> list[Component]:
    """The components whose ablation changes most; each leads to its node."""
    rows = verdict.agreement.effects[:MOST_EFFECTS]
    most = max((abs(row.effect) for row in rows), default=0.0) or 1.0
    items = [_effect(graph, row.key, row.effect, most) for row in rows]
    listed = [html.H3("What goes when it is ablated"), html.Ol(items, className="components")]
    return [*listed, *_of_parts(graph, verdict)]


def _of_parts(graph: FlowGraph, verdict: Verdict) -> list[Component]:
    """The same of the factors and errors of opened nodes, with how well each score foretells it."""
    if verdict.parts is None:
        return []
    rows, agreed = verdict.parts.effects[:MOST_EFFECTS], verdict.parts.spearman
    most = max((abs(row.effect) for row in rows), default=0.0) or 1.0
    items = [_effect(graph, row.key, row.effect, most) for row in rows]
    finite = [f"{name} {value:.2f}" for name, value in agreed.items() if math.isfinite(value)]
    said = ", ".join(finite).replace("-", "−")
    many = f"{len(verdict.parts.effects):,} factors and errors."
    words = html.P(f"{many} Agreement (Spearman): {said}.", className="dim")
    return [html.H3("Of opened nodes"), words, html.Ol(items, className="components")]


def _effect(graph: FlowGraph, key: NodeKey, effect: float, most: float) -> html.Li:
    button = html.Button(
        [
            html.I(style={"width": f"{100 * abs(effect) / most:.0f}%"}),
            html.Span(short_label(key, graph)),
            html.Small(signed(effect)),
        ],
        type="button",
        title=describe(key, graph),
        **attributes(data_node=key),
    )
    return html.Li(button, className="for" if effect >= 0 else "against")


def small_graph(graph: FlowGraph, small: Smallest | None) -> list[Component]:
    """The small graph that was looked for: its size, its weakest component, all of them."""
    if small is None:
        return []
    weakest = weakest_words(small, graph)
    too_large = too_large_words(small)
    listed = [_step(key, graph) for key in small.nodes[:MOST_LISTED]]
    more = len(small.nodes) - len(listed)
    parts = [
        html.P(html.B(smallest_words(small))),
        html.P(["Its weakest is ", _step(weakest[0], graph), f": {weakest[2]}."])
        if weakest
        else None,
        html.P(too_large, className="dim") if too_large else None,
        html.Div([*listed, html.Span(f"and {more:,} more") if more else None], className="steps"),
    ]
    return [part for part in parts if part is not None]


def _step(key: NodeKey, graph: FlowGraph) -> html.Button:
    return html.Button(
        short_label(key, graph),
        className="step",
        type="button",
        title=describe(key, graph),
        **attributes(data_node=key),
    )
