"""The target's course through the model, as two charts: probability and rank by stage."""

from __future__ import annotations

from collections.abc import Sequence

from plotly import graph_objects as go

from flowviz.analyses.types import TargetCourse, TargetGroup
from flowviz.views.analyses.chart import MOST_TICKS, Line, figure_of, finite, lines
from flowviz.views.words import percent

GROUP_HUES = {"right": 0, "wrong": 1, "all": 2}
GROUP_WORDS = {"right": "answered right", "wrong": "answered wrong", "all": "all prompts"}


def probability_chart(result: TargetCourse, theme: str) -> go.Figure:
    """The mean probability of the target at each stage, with a band of one deviation."""
    figure = lines(
        [_probability(each, result.stages, _aside(each, result)) for each in result.groups], theme
    )
    _stages(figure, result.stages)
    return figure.update_yaxes(
        title_text="Probability of the target", tickformat="~%", rangemode="tozero"
    )


def rank_chart(result: TargetCourse, theme: str) -> go.Figure:
    """The target's rank at each stage, the first on top: the median, and the mean beside it."""
    drawn = [
        line
        for group in result.groups
        for line in _ranks(group, result.stages, _aside(group, result))
    ]
    figure = lines(drawn, theme)
    _stages(figure, result.stages)
    return figure.update_yaxes(
        title_text="Rank of the target (1 is first)", type="log", autorange="reversed", dtick=1,
        tickformat=",~r",
    )  # fmt: skip


def _probability(group: TargetGroup, stages: Sequence[str], hidden: bool) -> Line:
    pairs = list(zip(group.probability, group.probability_deviation, strict=True))
    return Line(
        name=_name(group),
        x=stages,
        y=finite(group.probability),
        hover=[f"{percent(mean)} ± {percent(spread)} of {group.prompts:,}"
               for mean, spread in pairs],
        low=[max(0.0, mean - spread) for mean, spread in pairs],
        high=[min(1.0, mean + spread) for mean, spread in pairs],
        hue=_hue(group),
        hidden=hidden,
    )  # fmt: skip


def _ranks(group: TargetGroup, stages: Sequence[str], hidden: bool) -> tuple[Line, Line]:
    pairs = list(zip(group.rank, group.rank_deviation, strict=True))
    median = Line(
        name=f"{_name(group)}: median",
        x=stages,
        y=finite(group.median_rank),
        hover=[f"{figure_of(rank)} of {group.prompts:,}" for rank in group.median_rank],
        hue=_hue(group),
        hidden=hidden,
    )
    mean = Line(
        name=f"{_name(group)}: mean",
        x=stages,
        y=finite(group.rank),
        hover=[f"{figure_of(rank)} ± {figure_of(spread)}" for rank, spread in pairs],
        hue=_hue(group),
        dash=2,
        hidden=hidden,
    )
    return median, mean


def _aside(group: TargetGroup, result: TargetCourse) -> bool:
    """All prompts together wait in the legend where they are told apart."""
    return group.name == "all" and len(result.groups) > 1


def _name(group: TargetGroup) -> str:
    return f"{GROUP_WORDS.get(group.name, group.name)} ({group.prompts:,})"


def _hue(group: TargetGroup) -> int:
    return GROUP_HUES.get(group.name, 2)


def _stages(figure: go.Figure, stages: Sequence[str]) -> None:
    """A tick for each stage, or where there are many for some, the last always among them."""
    step = -(-len(stages) // MOST_TICKS) or 1
    shown = [stage for i, stage in enumerate(reversed(stages)) if i % step == 0]
    figure.update_xaxes(title_text="Layer and stage", type="category", tickvals=shown[::-1])
