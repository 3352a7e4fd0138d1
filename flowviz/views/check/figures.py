"""The charts of a check: recovered on a scale, recovered by size, effects against a score."""

from __future__ import annotations

import math
from collections.abc import Sequence

from plotly import graph_objects as go

from flowviz.causal.types import Curve, Effect, Kept, Recovery, Verdict
from flowviz.graph.types import FlowGraph, NodeKind
from flowviz.views.analyses.chart import Line, blank, finite, lines
from flowviz.views.check.words import band, share_words
from flowviz.views.figures import escaped
from flowviz.views.palette import Palette, palette
from flowviz.views.words import percent, short_label, signed

SCALE_HEIGHT = 62
CHART_HEIGHT = 250
CURVES_HEIGHT = 290  # its legend may take a row for each score
LEGEND_ENTRY = 98  # pixels: two entries side by side in the narrowest panel
LOWEST, HIGHEST = -1.0, 2.0  # of what is recovered; a curve that goes beyond runs off the chart
HUES = {"flow": 0, "blend": 3, "gradient": 1, "direct": 2, "random": 5}
SYMBOLS = {
    NodeKind.EMBED: "square",
    NodeKind.POS_EMBED: "square",
    NodeKind.HEAD: "circle",
    NodeKind.NEURON: "hexagon",
}


def scale(recovery: Recovery, theme: str) -> go.Figure:
    """What the graph recovers as a bar between nothing and all, and the band of random graphs."""
    c = palette(theme)
    figure = blank(theme, SCALE_HEIGHT)
    ends = band(recovery.controls)
    if ends is not None:
        figure.add_vrect(*ends, fillcolor=c.muted, opacity=0.2, line_width=0, layer="below")
    for end in (0.0, 1.0):
        figure.add_vline(x=end, line={"color": c.muted, "width": 1.5, "dash": "dot"})
    controls = [kept.recovered for kept in recovery.controls]
    figure.add_traces([_bar(recovery.kept, c), _marks(controls, c)])
    reach = [0.0, 1.0, *filter(math.isfinite, (recovery.kept.recovered, *controls))]
    room = 0.04 * (max(reach) - min(reach))
    figure.update_xaxes(
        range=[min(reach) - room, max(reach) + room],
        showgrid=False,
        automargin=False,
        tickvals=[0, 0.5, 1],
        ticktext=["0%", "50%", "100%"],
    )
    figure.update_yaxes(visible=False, range=[-0.75, 0.75])
    margin = {"l": 8, "r": 14, "t": 2, "b": 20}
    return figure.update_layout(showlegend=False, margin=margin, hovermode="closest")


def _bar(own: Kept, c: Palette) -> go.Bar:
    return go.Bar(
        x=finite([own.recovered]),
        y=[0],
        orientation="h",
        width=0.6,
        marker_color=c.negative if own.recovered < 0 else c.positive,
        hovertext=[f"this graph: {share_words(own)}"],
        hoverinfo="text",
    )


def _marks(shares: Sequence[float], c: Palette) -> go.Scatter:
    return go.Scatter(
        x=finite(shares),
        y=[0] * len(shares),
        mode="markers",
        marker={"symbol": "line-ns", "size": 13, "line": {"color": c.muted, "width": 1}},
        hovertext=[f"a random graph: {percent(share)}" for share in shares],
        hoverinfo="text",
    )


def curves(verdict: Verdict, scores: Sequence[str], theme: str) -> go.Figure:
    """Recovered against the share that is kept, for these scores; the drawn graph is a star."""
    c = palette(theme)
    drawn = [curve for curve in verdict.curves if curve.score in scores]
    figure = lines([_curve(curve) for curve in drawn], theme)
    own, total = verdict.recovery.kept, drawn[0].points[-1].size
    if own.size:
        figure.add_trace(_star(own, total, c))
    for level in (0.0, 1.0):
        figure.add_hline(y=level, line={"color": c.muted, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        type="log", title_text="Share of components kept",
        tickvals=[0.001, 0.01, 0.1, 1], ticktext=["0.1%", "1%", "10%", "100%"],
    )  # fmt: skip
    kept = [own, *(point for curve in drawn for point in curve.points)]
    figure.update_yaxes(tickformat="~%", range=_reach(kept))
    figure.update_traces(legendgroup="")  # groups would stand below each other
    figure.update_layout(
        height=CURVES_HEIGHT, hovermode="closest",
        legend={"entrywidth": LEGEND_ENTRY, "font": {"size": 10.5}},
    )  # fmt: skip
    return figure


def _curve(curve: Curve) -> Line:
    total = curve.points[-1].size
    areas = f"{curve.cpr:.2f}/{curve.cmd:.2f}".replace("-", "−")
    return Line(
        name=f"{curve.score} {areas}",
        x=[point.size / total for point in curve.points],
        y=finite([point.recovered for point in curve.points]),
        hover=[
            f"{curve.score}: {point.size:,} of {total:,} recover {share_words(point)}"
            for point in curve.points
        ],
        hue=HUES.get(curve.score, 3),
        dash=list(HUES).index(curve.score) if curve.score in HUES else 0,
    )


def _star(own: Kept, total: int, c: Palette) -> go.Scatter:
    return go.Scatter(
        x=[own.size / total],
        y=finite([own.recovered]),
        name="this graph",
        mode="markers",
        marker={"symbol": "star", "size": 13, "color": c.accent},
        customdata=[f"this graph: {own.size:,} of {total:,} recover {share_words(own)}"],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _reach(kept: Sequence[Kept]) -> list[float]:
    shares = [each.recovered for each in kept if math.isfinite(each.recovered)]
    low, high = min([0.0, *shares]), max([1.0, *shares])
    return [max(low, LOWEST) - 0.08, min(high, HIGHEST) + 0.08]


def scatter(graph: FlowGraph, verdict: Verdict, score: str, theme: str) -> go.Figure:
    """What really goes when a component is ablated, against what a score says of it.

    Each point holds its component's key as custom data; a filled one is in the picture.
    """
    c = palette(theme)
    figure = blank(theme, CHART_HEIGHT)
    keys = {node.key for node in graph.nodes}
    effects = verdict.agreement.effects
    for name, rows, open_ in (
        ("not drawn", [row for row in effects if row.key not in keys], True),
        ("drawn", [row for row in effects if row.key in keys], False),
    ):
        if rows:
            figure.add_trace(_points(graph, rows, score, name, c.muted if open_ else c.positive))
    figure.add_trace(_as_said(effects, score, c))
    figure.update_xaxes(title_text=f"What the {score} says", zeroline=True, zerolinecolor=c.line)
    figure.update_yaxes(title_text="Effect of its ablation", zeroline=True, zerolinecolor=c.line)
    return figure.update_layout(hovermode="closest", showlegend=True)


def _points(
    graph: FlowGraph, rows: Sequence[Effect], score: str, name: str, colour: str
) -> go.Scatter:
    shapes = [SYMBOLS[row.key.kind] + ("" if name == "drawn" else "-open") for row in rows]
    return go.Scatter(
        x=[row.scores[score] for row in rows],
        y=[row.effect for row in rows],
        name=name,
        mode="markers",
        marker={"symbol": shapes, "size": 9, "color": colour, "line": {"width": 1.5}},
        customdata=[str(row.key) for row in rows],
        hovertext=[
            f"{escaped(short_label(row.key, graph))}<br>"
            f"effect {signed(row.effect)}, {score} {signed(row.scores[score])}"
            for row in rows
        ],
        hoverinfo="text",
    )


def _as_said(effects: Sequence[Effect], score: str, c: Palette) -> go.Scatter:
    """Where the effect is what the score says, as far as both reach."""
    said, found = [0.0, *(row.scores[score] for row in effects)], [row.effect for row in effects]
    low, high = max(min(said), min([0.0, *found])), min(max(said), max([0.0, *found]))
    return go.Scatter(
        x=[low, high],
        y=[low, high],
        name="as it says",
        mode="lines",
        line={"color": c.muted, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
