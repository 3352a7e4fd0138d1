"""Charts for the inspector: the right bars in the right order, plain texts, both themes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowviz.graph.inspection import AttentionCell, FlowTable, Inspection, LensRow
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.views.figures import MOST_CELLS, attention_bars, lens_chart, projection_bars
from flowviz.views.palette import palette
from tests.graphs import projection, three_nodes

NOTHING = FlowTable((), 0.0, 0)


def inspected(**parts: object) -> Inspection:
    return Inspection(three_nodes().nodes[1], NOTHING, NOTHING, **parts)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_projection_bars_from_the_highest_logit_down_coloured_by_sign(theme: str) -> None:
    figure, c = projection_bars(projection(), theme), palette(theme)
    bars = figure.data[0]
    assert list(bars.x) == [3.5, 2.5, -4.0]
    assert list(bars.marker.color) == [c.positive, c.positive, c.negative]
    assert list(figure.layout.yaxis.ticktext) == ["␣Paris", "␣Rome", "␣the"]
    assert bars.hovertext[0] == "␣Paris<br>logit +3.5, 50%"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_transparent_compact_and_without_a_title(theme: str) -> None:
    figure = projection_bars(projection(), theme)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.title.text is None
    assert figure.layout.font.color == palette(theme).text
    assert figure.layout.height < 120


def test_attention_bars_in_the_order_of_the_prompt() -> None:
    cells = (AttentionCell(0, "In", 0.9, -0.5), AttentionCell(1, " France", 0.1, 2.5))
    figure = attention_bars(cells, "light")
    assert list(figure.data[0].x) == [0.9, 0.1]
    assert list(figure.layout.yaxis.ticktext) == ["0 In", "1 ␣France"]
    assert figure.data[0].hovertext[1] == "position 1 ␣France<br>attention 10%, flow +2.5"


def test_attention_over_a_long_prompt_shows_the_chief_positions() -> None:
    cells = tuple(AttentionCell(i, "x", 0.001, 0.0) for i in range(500))
    cells = (*cells[:300], AttentionCell(300, " here", 0.5, 1.0), *cells[301:])
    figure = attention_bars(cells, "dark")
    assert len(figure.data[0].x) == MOST_CELLS
    assert "300 ␣here" in figure.layout.yaxis.ticktext


def test_without_flow_attention_has_neither_its_colour_nor_its_order() -> None:
    cells = tuple(AttentionCell(i, "x", 0.001 * (i < 30), float(i)) for i in range(60))
    figure = attention_bars(cells, "light", flow=False)
    assert set(figure.data[0].marker.color) == {palette("light").muted}
    assert list(figure.layout.yaxis.ticktext)[-1] == f"{MOST_CELLS - 1} x"
    assert "flow" not in figure.data[0].hovertext[0]


def lens(layers: int) -> tuple[LensRow, ...]:
    return tuple(
        LensRow(NodeKey(NodeKind.RESID_PRE, i, 2), replace(projection(), target_rank=layers - i))
        for i in range(layers)
    )


def test_lens_chart_runs_upwards_with_ranks_beside_the_bars() -> None:
    figure = lens_chart(inspected(lens=lens(3)), "light")
    assert list(figure.data[0].text) == ["#1", "#2", "#3"]
    assert list(figure.layout.yaxis.ticktext) == [
        "L2 pre  ␣Paris",
        "L1 pre  ␣Paris",
        "L0 pre  ␣Paris",
    ]
    assert figure.layout.yaxis.autorange == "reversed"


def test_a_deep_model_keeps_the_lens_in_a_panel() -> None:
    figure = lens_chart(inspected(lens=lens(96)), "light")
    assert figure.layout.height < 700
    assert len(figure.data[0].x) == 96
    assert len(figure.layout.yaxis.ticktext) <= 28


def test_nothing_to_draw_is_an_empty_figure() -> None:
    assert list(attention_bars((), "light").data[0].x) == []
    assert list(lens_chart(inspected(), "light").data[0].x) == []


def test_tokens_are_no_markup() -> None:
    figure = projection_bars(projection("<b>&amp;", "<a href=x>"), "light")
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;&amp;amp;"
    assert "<a" not in figure.data[0].hovertext[1]
