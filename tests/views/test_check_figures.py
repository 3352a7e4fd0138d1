"""The check's charts: the right points, names, words, and both themes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from flowviz.views.check.figures import curves, scale, scatter
from flowviz.views.palette import palette
from tests.graphs import three_nodes
from tests.verdicts import kept, three_components

GRAPH, VERDICT = three_nodes(), three_components()
ALL = ("flow", "blend", "gradient", "direct", "random")


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_scale_has_the_graphs_bar_its_controls_and_their_band(theme: str) -> None:
    figure, c = scale(VERDICT.recovery, theme), palette(theme)
    bar, marks = figure.data
    assert (list(bar.x), bar.marker.color) == ([0.5], c.positive)
    assert list(bar.hovertext) == ["this graph: 50%"]
    assert list(marks.x) == [-0.25, 0.25]
    assert marks.hovertext == ("a random graph: −25%", "a random graph: 25%")
    band = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (band.x0, band.x1) == (-0.25, 0.25)
    low, high = figure.layout.xaxis.range
    assert low < -0.25
    assert high > 1
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_a_graph_that_speaks_against_the_target_has_the_other_colour() -> None:
    found = replace(VERDICT.recovery, kept=kept(2, -0.5))
    assert scale(found, "light").data[0].marker.color == palette("light").negative


def test_the_scale_of_what_is_no_number_stands_empty() -> None:
    figure = scale(replace(VERDICT.recovery, kept=kept(2, math.nan), controls=()), "light")
    assert list(figure.data[0].x) == [None]
    assert not [shape for shape in figure.layout.shapes if shape.type == "rect"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_are_over_the_share_kept_with_their_areas_in_the_legend(theme: str) -> None:
    figure = curves(VERDICT, ALL, theme)
    flow = named(figure, "flow 0.75/0.25")
    assert list(flow.x) == [0.01, 0.1, 1.0]
    assert list(flow.y) == [0.25, 0.75, 1.0]
    assert flow.customdata[1] == "flow: 10 of 100 recover 75%"
    assert list(named(figure, "gradient 0.75/0.25").y) == [0.125, None, 1.0]
    star = named(figure, "this graph")
    assert (list(star.x), list(star.y)) == ([0.02], [0.5])
    assert star.marker.color == palette(theme).accent
    assert figure.layout.xaxis.type == "log"


def test_curves_differ_without_colour_and_a_wild_one_leaves_the_others_readable() -> None:
    figure = curves(VERDICT, ALL, "light")
    looks = {(trace.line.dash, trace.marker.symbol) for trace in figure.data[:4]}
    assert len(looks) == 4
    assert figure.layout.yaxis.range == pytest.approx((-1.08, 1.08))


def test_only_the_scores_that_may_be_shown_have_a_curve() -> None:
    names = [trace.name for trace in curves(VERDICT, ("gradient", "random"), "light").data]
    assert names == ["gradient 0.75/0.25", "random 0.75/0.25", "this graph"]


def test_an_empty_graph_has_no_star() -> None:
    found = replace(VERDICT, recovery=replace(VERDICT.recovery, kept=kept(0, 0.0)))
    assert "this graph" not in [trace.name for trace in curves(found, ALL, "light").data]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_point_of_the_plot_is_a_component_with_its_key(theme: str) -> None:
    figure = scatter(GRAPH, VERDICT, "gradient", theme)
    drawn, others = named(figure, "drawn"), named(figure, "not drawn")
    assert list(drawn.customdata) == ["head:1:2:3", "embed:0:1"]
    assert (list(drawn.x), list(drawn.y)) == ([1.0, -0.5], [3.0, -1.0])
    assert drawn.hovertext[0] == "L1 H3 at 2<br>effect +3, gradient +1"
    assert list(drawn.marker.symbol) == ["circle", "square"]
    assert list(others.customdata) == ["head:0:2:1"]
    assert list(others.marker.symbol) == ["circle-open"]
    assert drawn.marker.color == palette(theme).positive
    assert figure.layout.xaxis.title.text == "What the gradient says"


def test_the_line_where_a_score_is_right_spans_what_both_reach() -> None:
    line = named(scatter(GRAPH, VERDICT, "flow", "light"), "as it says")
    assert list(line.x) == list(line.y) == [0.0, 2.0]


def test_tokens_in_the_plot_are_text() -> None:
    tokens = tuple(replace(token, text="<b>x</b>") for token in GRAPH.tokens)
    figure = scatter(replace(GRAPH, tokens=tokens), VERDICT, "flow", "light")
    assert "&lt;b&gt;x" in named(figure, "drawn").hovertext[1]
