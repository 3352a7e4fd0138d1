"""Neurons and heads by text, as bars: who promotes a token, and who suppresses it."""

from __future__ import annotations

from collections.abc import Sequence

from plotly import graph_objects as go

from flowviz.analyses.types import HeadMatch, NeuronMatch
from flowviz.views.analyses.chart import blank, figure_of
from flowviz.views.figures import escaped
from flowviz.views.palette import palette
from flowviz.views.tokens import clip, visible
from flowviz.views.words import signed

ROW = 21
MOST_BARS = 15
SOURCES = 3
SOURCE_COLUMNS = 14


def neuron_bars(matches: Sequence[NeuronMatch], theme: str) -> go.Figure:
    """What each neuron adds to the token's logit for a unit of activation, strongest first."""
    shown = list(matches)[:MOST_BARS]
    beside = [f"#{each.rank:,} · cos {figure_of(each.cosine, 2)}" for each in shown]
    names = [f"L{each.layer} N{each.index}" for each in shown]
    hover = [
        f"<b>{name}</b><br>{signed(each.logit)} for each unit of activation"
        f"<br>rank {each.rank:,} among its own tokens<br>cosine {figure_of(each.cosine)}"
        for name, each in zip(names, shown, strict=True)
    ]
    return _bars([each.logit for each in shown], names, beside, hover, theme).update_xaxes(
        title_text="Logit, for a unit of activation"
    )


def head_bars(matches: Sequence[HeadMatch], theme: str) -> go.Figure:
    """The strongest effect of each head over all source tokens, for a unit of attention."""
    shown = list(matches)[:MOST_BARS]
    beside = [
        "  ".join(escaped(clip(visible(s.text), SOURCE_COLUMNS)) for s in each.sources[:SOURCES])
        for each in shown
    ]
    names = [f"L{each.layer} H{each.index}" for each in shown]
    hover = [
        f"<b>{name}</b>, when it attends to"
        + "".join(f"<br>{escaped(visible(s.text))}: {signed(s.logit)}" for s in each.sources)
        for name, each in zip(names, shown, strict=True)
    ]
    return _bars([each.logit for each in shown], names, beside, hover, theme).update_xaxes(
        title_text="Logit, for full attention"
    )


def _bars(
    logits: Sequence[float],
    names: Sequence[str],
    beside: Sequence[str],
    hover: Sequence[str],
    theme: str,
) -> go.Figure:
    c = palette(theme)
    figure = blank(theme, ROW * max(3, len(names)) + 60)
    figure.add_bar(
        x=list(logits),
        y=list(range(len(names))),
        orientation="h",
        marker_color=[c.negative if logit < 0 else c.positive for logit in logits],
        text=list(beside),
        textposition="outside",
        textfont={"color": c.muted, "size": 11},
        cliponaxis=False,
        customdata=list(hover),
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_layout(bargap=0.3, showlegend=False, hovermode="closest")
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(names), autorange="reversed",
        ticklabelstandoff=5, showgrid=False,
    )  # fmt: skip
    low, high = min(0.0, *logits, 0.0), max(0.0, *logits, 0.0)
    return figure.update_xaxes(nticks=5, range=[1.6 * low, 1.6 * high])
