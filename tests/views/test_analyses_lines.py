"""Overlaps and the target's course as charts: the right points, bands, axes and words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowviz.views.analyses.chart import HUES, MOST_TICKS, hue, mixed
from flowviz.views.analyses.overlap import overlap_lines, overlap_panels
from flowviz.views.analyses.target import probability_chart, rank_chart
from flowviz.views.palette import DARK, LIGHT, contrast, palette
from tests.results import OVERLAP, TARGET, series


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def bands(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_way_to_compare_has_its_chart_in_the_themes_colours(theme):
    panels = overlap_panels(OVERLAP, theme)
    assert [panel.figure.layout.xaxis.title.text for panel in panels] == [
        "Layer",
        "Rank of the head by norm in its layer",
        "Rank of the value by attention weight",
        "Layer",
    ]
    for panel in panels:
        assert panel.figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
        assert panel.figure.layout.font.color == palette(theme).text
        assert panel.figure.layout.yaxis.title.text == "Shared of the first 50"


def test_a_way_to_compare_that_found_nothing_has_no_chart():
    assert len(overlap_panels(replace(OVERLAP, among=(series("query~key"),)), "light")) == 3


def test_a_line_is_the_series_and_its_hover_says_mean_deviation_and_count():
    figure = overlap_lines(OVERLAP.among, OVERLAP, "Layer", "light")
    line = named(figure, "the query~key")
    assert (line.x, line.y) == ((0, 1), (0.1, 0.95))
    assert line.customdata == ("10% ± 10% of 8", "95% ± 10% of 8")


def test_chance_is_drawn_over_the_whole_width():
    chance = named(overlap_lines(OVERLAP.among, OVERLAP, "Layer", "light"), "by chance: 1.0%")
    assert (chance.x, chance.y) == ((0, 1), (0.01, 0.01))


def test_a_band_is_one_deviation_and_stays_between_nothing_and_all():
    band = bands(overlap_lines(OVERLAP.among, OVERLAP, "Layer", "light"))[0]
    assert band.x == (0, 1, 1, 0)
    assert band.y == pytest.approx((0.2, 1.0, 0.85, 0.0))


def test_many_lines_differ_by_colour_and_dash_and_have_no_bands():
    figure = overlap_lines(OVERLAP.by_layer, OVERLAP, "Layer", "light")
    assert bands(figure) == []
    looks = {trace.name: (trace.line.color, trace.line.dash) for trace in figure.data}
    blue, red = hue(0, "light"), hue(1, "light")
    assert looks["the head_raw~attention_output"] == (blue, "solid")
    assert looks["the head_raw~final_output"] == (red, "solid")
    assert looks["the head_through_W_O~attention_output"] == (blue, "dash")
    assert looks["the head_through_W_O~final_output"] == (red, "dash")


def test_a_deep_model_has_few_ticks_at_whole_layers():
    deep = (series("a~b", *[0.1] * 96),)
    axis = overlap_lines(deep, OVERLAP, "Layer", "light").layout.xaxis
    assert axis.dtick == -(-95 // MOST_TICKS)


def test_what_is_no_number_is_a_gap():
    figure = overlap_lines((series("a~b", 0.1, float("nan")),), OVERLAP, "Layer", "light")
    assert named(figure, "the a~b").y == (0.1, None)
    assert named(figure, "the a~b").customdata[1] == "not a number ± 10% of 8"


@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_lines_stand_out_from_the_ground(ground):
    assert all(contrast(colour, ground.ground) >= 3 for colour in HUES[ground])


def test_colours_are_mixed_by_share():
    assert mixed("#000000", "#ff8000", 0.5) == "#804000"


def test_the_targets_probability_by_stage_right_against_wrong():
    figure = probability_chart(TARGET, "light")
    right, wrong = named(figure, "answered right (2)"), named(figure, "answered wrong (1)")
    assert (right.x, right.y) == (("0 pre", "final"), (0.0, 0.9))
    assert right.customdata[1] == "90% ± 20% of 2"
    assert wrong.y == (0.0, 0.1)
    assert right.line.color != wrong.line.color
    assert bands(figure)[0].y == pytest.approx((0.0, 1.0, 0.7, 0.0))


def test_all_prompts_together_wait_in_the_legend_unless_they_are_alone():
    assert named(probability_chart(TARGET, "light"), "all prompts (3)").visible == "legendonly"
    alone = replace(TARGET, groups=TARGET.groups[2:])
    assert named(probability_chart(alone, "light"), "all prompts (3)").visible is True


def test_the_rank_is_on_a_log_axis_with_the_first_on_top():
    figure = rank_chart(TARGET, "dark")
    axis = figure.layout.yaxis
    assert (axis.type, axis.autorange) == ("log", "reversed")
    median, mean = (named(figure, f"answered right (2): {each}") for each in ("median", "mean"))
    assert (median.y, mean.y) == ((800.0, 1.0), (900.0, 1.0))
    assert mean.customdata[0] == "900 ± 300"
    assert bands(figure) == []


def test_of_many_stages_some_are_written_the_last_among_them():
    stages = (*(f"{layer} {at}" for layer in range(32) for at in ("pre", "mid")), "final")
    course = replace(TARGET, stages=stages, groups=())
    written = probability_chart(course, "light").layout.xaxis.tickvals
    assert len(written) <= MOST_TICKS
    assert written[-1] == "final"
