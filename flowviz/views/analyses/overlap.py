"""Overlaps as charts: one for each way in which parts of a pass are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plotly import graph_objects as go

from flowviz.analyses.types import Overlap, Series
from flowviz.views.analyses.chart import HEIGHT, Line, count_axis, finite, level, lines, with_legend
from flowviz.views.words import percent

SEPARATOR = "~"
MOST_BANDS = 3  # of more, the hover text alone says the deviations


@dataclass(frozen=True)
class Panel:
    """One chart of several: its title, how to read it, its figure."""

    title: str
    reading: str
    figure: go.Figure


def overlap_panels(result: Overlap, theme: str) -> tuple[Panel, ...]:
    """The charts that have anything to show, in the order of the paper."""
    k = result.k
    asked = (
        ("Heads against what they become part of", "Layer", result.by_layer,
         f"How many of a head's {k} first tokens are also among the {k} of the attention output "
         "that it is added into, of its block's output, and of the last layer's."),
        ("Large heads and small ones", "Rank of the head by norm in its layer", result.by_norm_rank,
         "Whether the heads that write the longest vectors decide what the attention output "
         "reads as."),
        ("Values by how much they are attended", "Rank of the value by attention weight",
         result.by_attention_rank,
         "Whether a head's output reads as the value that the head attends most."),
        ("Query, key and value among each other", "Layer", result.among,
         "Whether the query, key and value of one head at one position read as the same tokens."),
    )  # fmt: skip
    return tuple(
        Panel(title, reading, overlap_lines(series, result, x_title, theme))
        for title, x_title, series, reading in asked
        if any(each.x for each in series)
    )


def overlap_lines(series: Sequence[Series], result: Overlap, x_title: str, theme: str) -> go.Figure:
    """Lines of I_k with a band of one deviation, and what two random sets would share."""
    looks = _looks(series)
    banded = len(series) <= MOST_BANDS
    figure = lines([_line(each, looks[each.name], banded) for each in series], theme)
    xs = sorted({x for each in series for x in each.x})
    level(figure, result.chance, f"by chance: {percent(result.chance)}", theme, xs)
    with_legend(figure.update_layout(height=HEIGHT))
    figure.update_xaxes(
        title_text=x_title,
        unifiedhovertitle={"text": f"{x_title.split()[0].lower()} %{{x}}"},
        **count_axis(xs),
    )
    return figure.update_yaxes(
        title_text=f"Shared of the first {result.k}", tickformat="~%", rangemode="tozero"
    )


def _line(series: Series, look: tuple[int, int], banded: bool) -> Line:
    spread = list(zip(series.mean, series.deviation, strict=True))
    return Line(
        name=series.title,
        x=series.x,
        y=finite(series.mean),
        hover=[
            f"{percent(mean)} ± {percent(deviation)} of {count:,}"
            for mean, deviation, count in zip(
                series.mean, series.deviation, series.count, strict=True
            )
        ],
        low=[max(0.0, mean - deviation) for mean, deviation in spread] if banded else None,
        high=[min(1.0, mean + deviation) for mean, deviation in spread] if banded else None,
        hue=look[0],
        dash=look[1],
    )


def _looks(series: Sequence[Series]) -> dict[str, tuple[int, int]]:
    """Colour by what is compared with, dash by what is compared: `left~right` in the name."""
    parts = {each.name: each.name.split(SEPARATOR, 1) for each in series}
    lefts = list(dict.fromkeys(part[0] for part in parts.values()))
    rights = list(dict.fromkeys(part[-1] for part in parts.values()))
    if len(lefts) * len(rights) != len(series):  # no grid of pairs: a colour each
        return {each.name: (number, 0) for number, each in enumerate(series)}
    return {name: (rights.index(part[-1]), lefts.index(part[0])) for name, part in parts.items()}
