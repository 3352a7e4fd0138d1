"""Norms as semantic filters: three charts over all norms, and the tokens of a chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plotly import graph_objects as go

from flowviz.analyses.types import NormFilter, NormFilters, TokenChange
from flowviz.views.analyses.chart import blank, count_axis, figure_of, finite, hue, with_legend
from flowviz.views.figures import escaped
from flowviz.views.palette import palette
from flowviz.views.tokens import clip, visible
from flowviz.views.words import percent

ROW = 21
LABEL_COLUMNS = 16
MOST_CHANGES = 12
NAMES = {
    "ln1": "before attention",
    "ln1_post": "behind attention",
    "ln2": "before the MLP",
    "ln2_post": "behind the MLP",
    "ln_final": "final norm",
}


@dataclass(frozen=True)
class Measure:
    """One figure of every norm, and the same of random vectors."""

    title: str
    reading: str
    axis: str
    value: Callable[[NormFilter], float]
    control: Callable[[NormFilter], float]
    words: Callable[[float], str]
    tickformat: str


def bits(value: float) -> str:
    """An entropy, or how it changes."""
    return f"{figure_of(value)} bits"


MEASURES = (
    Measure(
        "Shift", "How much probability moves from token to token (total variation distance).",
        "Probability that moves", lambda n: n.shift, lambda n: n.control_shift, percent, "~%",
    ),
    Measure(
        "Change of entropy", "Below zero the norm makes the reading sharper, above it flatter.",
        "Entropy, after − before (bits)", lambda n: n.entropy_change,
        lambda n: n.control_entropy_change, bits, "~g",
    ),
    Measure(
        "Overlap", "How many of the first tokens before are also among the first after.",
        "Shared of the first tokens", lambda n: n.overlap, lambda n: n.control_overlap, percent,
        "~%",
    ),
)  # fmt: skip


def norm_title(norm: NormFilter) -> str:
    """A norm in words: "L3 ln2, before the MLP"."""
    words = NAMES.get(norm.name, norm.name)
    return words if norm.name == "ln_final" else f"L{norm.layer} {norm.name}, {words}"


def norm_key(norm: NormFilter) -> str:
    """A norm's name for links: "3.ln2"."""
    return f"{norm.layer}.{norm.name}"


def find_norm(result: NormFilters, key: object) -> NormFilter | None:
    """The norm of that name; where there is none, the one that shifts most."""
    named = next((norm for norm in result.norms if norm_key(norm) == key), None)
    return named or max(result.norms, key=lambda norm: norm.shift, default=None)


def overview_chart(result: NormFilters, measure: Measure, theme: str) -> go.Figure:
    """One measure of every norm by layer; hollow marks are random vectors of equal length."""
    figure = blank(theme, 260)
    kinds = list(dict.fromkeys(norm.name for norm in result.norms))
    for number, kind in enumerate(kinds):
        norms = [norm for norm in result.norms if norm.name == kind]
        figure.add_trace(_control(norms, measure, hue(number, theme)))
        figure.add_trace(_measured(norms, measure, hue(number, theme)))
    with_legend(figure.update_layout(hovermode="closest"))
    layers = [norm.layer for norm in result.norms]
    figure.update_xaxes(title_text="Layer", **count_axis(layers))
    return figure.update_yaxes(title_text=measure.axis, tickformat=measure.tickformat)


def _measured(norms: Sequence[NormFilter], measure: Measure, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[norm.layer for norm in norms],
        y=finite([measure.value(norm) for norm in norms]),
        name=f"{norms[0].name}, {NAMES.get(norms[0].name, '')}".rstrip(", "),
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 9},
        customdata=[norm_key(norm) for norm in norms],
        text=[_measure_words(norm, measure) for norm in norms],
        hovertemplate="%{text}<extra></extra>",
        legendgroup=norms[0].name,
    )


def _control(norms: Sequence[NormFilter], measure: Measure, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[norm.layer for norm in norms],
        y=finite([measure.control(norm) for norm in norms]),
        mode="lines+markers",
        line={"color": colour, "width": 1, "dash": "dot"},
        marker={"color": colour, "size": 7, "symbol": "circle-open"},
        customdata=[norm_key(norm) for norm in norms],
        text=[_measure_words(norm, measure) for norm in norms],
        hovertemplate="%{text}<extra></extra>",
        legendgroup=norms[0].name,
        showlegend=False,
    )


def _measure_words(norm: NormFilter, measure: Measure) -> str:
    return (
        f"<b>{norm_title(norm)}</b><br>{measure.title.lower()} {measure.words(measure.value(norm))}"
        f"<br>random vectors {measure.words(measure.control(norm))}"
        f"<br>{norm.vectors:,} vectors · click to see its tokens"
    )


def change_chart(changes: Sequence[TokenChange], theme: str) -> go.Figure:
    """Bars for what tokens lose or gain; beside each what random vectors do, ± a deviation."""
    c = palette(theme)
    shown = list(changes)[:MOST_CHANGES]
    figure = blank(theme, ROW * max(3, len(shown)) + 84)
    rows = list(range(len(shown)))
    figure.add_bar(
        x=[each.change for each in shown],
        y=rows,
        orientation="h",
        name="this norm",
        marker_color=[c.negative if each.change < 0 else c.positive for each in shown],
        text=[f"{percent(each.before)} → {percent(each.after)}" for each in shown],
        textposition="outside",
        textfont={"color": c.muted, "size": 11},
        cliponaxis=False,
        customdata=[_change_words(each) for each in shown],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=[each.control for each in shown],
        y=rows,
        mode="markers",
        name="random vectors of equal length, ± a deviation",
        marker={"symbol": "line-ns-open", "size": 11, "color": c.text, "line": {"width": 2}},
        error_x={"array": [each.control_deviation for each in shown], "color": c.text,
                 "thickness": 1, "width": 3},
        customdata=[_change_words(each) for each in shown],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=True,
    )  # fmt: skip
    return _token_rows(figure, shown)


def _token_rows(figure: go.Figure, shown: Sequence[TokenChange]) -> go.Figure:
    figure.update_layout(bargap=0.3, hovermode="closest")
    figure.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[escaped(clip(visible(each.text), LABEL_COLUMNS)) for each in shown],
        autorange="reversed",
        ticklabelstandoff=5,
        showgrid=False,
    )
    ends = [0.0, *(each.change for each in shown)]
    room = 0.42 * (max(ends) - min(ends))  # for the words at the bars' ends
    return figure.update_xaxes(
        title_text="Change of mean probability",
        tickformat="~%",
        nticks=5,
        range=[min(ends) - room * (min(ends) < 0), max(ends) + room * (max(ends) > 0)],
        zeroline=True,
    )


def _change_words(change: TokenChange) -> str:
    words = escaped(visible(change.text))
    return (
        f"<b>{words}</b> (token {change.id})<br>{percent(change.before)} before, "
        f"{percent(change.after)} after: {_points(change.change)}"
        f"<br>random vectors: {_points(change.control)} ± {percent(change.control_deviation)}"
    )


def _points(change: float) -> str:
    return ("+" if change > 0 else "") + percent(change)
