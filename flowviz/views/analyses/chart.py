"""What the charts of the analyses have in common: ground, axes, lines with a band, colours.

Each chart stands in a panel of 320 pixels and more, without a title inside; its numbers are in the
hover text. Lines differ by colour and by dash, so that they can be told apart without colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plotly import graph_objects as go

from flowviz.views.figures import FONT
from flowviz.views.palette import DARK, LIGHT, Palette, palette

HEIGHT = 300  # without a legend
LEGEND_ROW = 20
LEGEND_WIDTH = 400  # pixels that a legend surely has
MOST_TICKS = 14
BAND_SHOWS = 0.12  # how much of a line's colour its band has
HUES = {
    LIGHT: ("#0072b2", "#d55e00", "#007a5a", "#a3478f", "#7a6a00", "#5b6675"),
    DARK: ("#56b4e9", "#e69f00", "#2fc79b", "#e38bc4", "#d8cf4a", "#9aa5b3"),
}
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
CLEAR = "rgba(0,0,0,0)"


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Args:
        x, y: its points; a y of None is a gap.
        hover: what is said of each point.
        low, high: the ends of its band at each point; None for no band.
        hue, dash: which colour and which dash, counted from 0.
        hidden: whether it shows only once its name in the legend is clicked.
    """

    name: str
    x: Sequence[int | float | str]
    y: Sequence[float | None]
    hover: Sequence[str]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    hue: int = 0
    dash: int = 0
    hidden: bool = False


def hue(number: int, theme: str) -> str:
    """A colour for the `number`-th of several things, the same ones again after the last."""
    hues = HUES[palette(theme)]
    return hues[number % len(hues)]


def shade(share: float, theme: str) -> str:
    """A colour for a place from the first layer (0) to the last (1): from pale to strong."""
    ends = ("#9fd0ea", "#08306b") if palette(theme) is LIGHT else ("#1f5f8b", "#d6efff")
    return mixed(ends[0], ends[1], share)


def mixed(first: str, second: str, share: float) -> str:
    """The colour so far on the way from one #rrggbb to the other."""
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def blank(theme: str, height: int = HEIGHT) -> go.Figure:
    """An empty chart on a transparent ground."""
    c = palette(theme)
    figure = go.Figure()
    figure.update_layout(
        template="none",
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"family": FONT, "size": 12, "color": c.text},
        hoverlabel={"bgcolor": c.surface, "bordercolor": c.line,
                    "font": {"color": c.text, "family": FONT}, "namelength": -1},
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom",
                "font": {"size": 11.5}, "bgcolor": CLEAR, "maxheight": 1, "tracegroupgap": 2},
        height=height,
        dragmode=False,
    )  # fmt: skip
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(
            gridcolor=mixed(c.line, c.ground, 0.5), zeroline=False, linecolor=c.line,
            automargin=True, fixedrange=True,
            tickfont={"color": c.muted, "size": 11}, title_font={"color": c.muted, "size": 12},
            title_standoff=8,
        )  # fmt: skip
    return figure


def lines(drawn: Sequence[Line], theme: str, height: int = HEIGHT) -> go.Figure:
    """Lines with their bands; hovering says all of them at one x."""
    figure = blank(theme, height)
    for number, line in enumerate(drawn):
        if line.low is not None and line.high is not None:
            figure.add_trace(_band(line, number, theme))
    for number, line in enumerate(drawn):
        figure.add_trace(_line(line, number, theme))
    figure.update_xaxes(showgrid=False, ticks="outside", ticklen=4, tickcolor=palette(theme).line)
    return with_legend(figure.update_layout(hovermode="x unified"))


def with_legend(figure: go.Figure) -> go.Figure:
    """Gives the legend room above the plot: as many rows as its names need."""
    traces: Any = figure.data
    names = [trace.name for trace in traces if trace.showlegend is not False and trace.name]
    rows, used = 1, 0.0
    for name in names:
        width = 52 + 6.4 * len(name)
        if used and used + width > LEGEND_WIDTH:
            rows, used = rows + 1, 0.0
        used += width
    height = figure.layout.height + LEGEND_ROW * rows
    return figure.update_layout(showlegend=True, height=height)


def _line(line: Line, number: int, theme: str) -> go.Scatter:
    colour = hue(line.hue, theme)
    return go.Scatter(
        x=list(line.x),
        y=list(line.y),
        name=line.name,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": DASHES[line.dash % len(DASHES)]},
        marker={"color": colour, "size": 6, "symbol": SYMBOLS[line.dash % len(SYMBOLS)]},
        customdata=list(line.hover),
        hovertemplate="%{customdata}",
        legendgroup=str(number),
        visible="legendonly" if line.hidden else True,
    )


def _band(line: Line, number: int, theme: str) -> go.Scatter:
    ends = zip(line.x, line.low or (), line.high or (), strict=True)
    kept = [end for end in ends if math.isfinite(end[1]) and math.isfinite(end[2])]
    outline = [(x, high) for x, _, high in kept] + [(x, low) for x, low, _ in reversed(kept)]
    return go.Scatter(
        x=[x for x, _ in outline],
        y=[y for _, y in outline],
        fill="toself",
        fillcolor=_faint(hue(line.hue, theme)),
        line={"width": 0, "color": CLEAR},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=str(number),
        visible="legendonly" if line.hidden else True,
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_SHOWS})"


def level(figure: go.Figure, y: float, name: str, theme: str, x: Sequence[int]) -> go.Figure:
    """Adds a level over the whole width, such as what chance alone would give."""
    ends = [min(x), max(x)] if x else []
    return figure.add_trace(
        go.Scatter(
            x=ends,
            y=[y] * len(ends),
            name=name,
            mode="lines",
            line={"color": palette(theme).muted, "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
        )
    )


def count_axis(values: Sequence[int]) -> dict[str, Any]:
    """Ticks at whole numbers only, few enough to be read."""
    span = max(values) - min(values) if values else 0
    return {"dtick": max(1, -(-span // MOST_TICKS)), "tick0": min(values, default=0)}


def upright(figure: go.Figure, x: float, words: str, c: Palette) -> go.Figure:
    """Adds a thin upright line with a word beside it."""
    return figure.add_vline(
        x=x, line={"color": c.muted, "width": 1.5, "dash": "dot"},
        annotation={"text": words, "font": {"color": c.muted, "size": 11}, "showarrow": False},
        annotation_position="top right",
    )  # fmt: skip


def finite(values: Sequence[float]) -> list[float | None]:
    """For an axis: what is no number is a gap."""
    return [value if math.isfinite(value) else None for value in values]


def figure_of(value: float, digits: int = 3) -> str:
    """A number for a hover text, with a true minus sign."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.{digits}g}"
    return text.replace("-", "−")
