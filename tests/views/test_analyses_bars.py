"""Norms, always-active neurons and the search for a token, as charts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowviz.views.analyses.neurons import difference_chart, shares_chart, top_tokens
from flowviz.views.analyses.norms import (
    MEASURES,
    MOST_CHANGES,
    change_chart,
    find_norm,
    norm_title,
    overview_chart,
)
from flowviz.views.analyses.search import MOST_BARS, head_bars, neuron_bars
from flowviz.views.palette import palette
from tests.results import NEURONS, NORMS, SEARCH, change

SHIFT, ENTROPY, OVERLAP = MEASURES


def test_a_measure_of_all_norms_by_layer_beside_its_control():
    figure = overview_chart(NORMS, SHIFT, "light")
    measured = {t.name: t for t in figure.data if t.showlegend is not False}
    assert list(measured) == [
        "ln1, before attention",
        "ln2, before the MLP",
        "ln_final, final norm",
    ]
    ln1 = measured["ln1, before attention"]
    assert (ln1.x, ln1.y) == ((0, 1), (0.2, 0.3))
    assert ln1.customdata == ("0.ln1", "1.ln1")
    controls = [trace for trace in figure.data if trace.showlegend is False]
    assert [trace.y for trace in controls] == [(0.1, 0.1), (0.1,), (0.1,)]
    assert {trace.marker.symbol for trace in controls} == {"circle-open"}


def test_the_three_measures_say_their_own_figures():
    def values(measure):
        return overview_chart(NORMS, measure, "dark").data[1].y

    assert values(ENTROPY) == (-0.5, -0.5)
    assert values(OVERLAP) == (0.5, 0.5)
    words = overview_chart(NORMS, ENTROPY, "dark").data[1].text[0]
    assert "change of entropy −0.5 bits<br>random vectors 0.25 bits" in words


def test_a_norm_is_found_by_its_name_else_the_one_that_shifts_most():
    assert norm_title(find_norm(NORMS, "1.ln1")) == "L1 ln1, before attention"
    assert norm_title(find_norm(NORMS, "2.ln_final")) == "final norm"
    for unknown in (None, "7.ln1", "<b>", 3):
        assert norm_title(find_norm(NORMS, unknown)) == "L0 ln2, before the MLP"
    assert find_norm(replace(NORMS, norms=()), None) is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_tokens_lose_is_a_bar_beside_what_random_vectors_do(theme):
    figure, c = change_chart(NORMS.norms[0].losers, theme), palette(theme)
    bars, control = figure.data
    assert bars.x == pytest.approx((-0.25, -0.05))
    assert bars.text == ("50% → 25%", "10% → 5.0%")
    assert set(bars.marker.color) == {c.negative}
    assert (control.x, control.error_x.array) == ((0.01, 0.01), (0.002, 0.002))
    assert figure.layout.yaxis.ticktext == ("␣the", "&lt;b&gt;")
    assert bars.customdata[0] == (
        "<b>␣the</b> (token 1)<br>50% before, 25% after: −25%<br>random vectors: +1.0% ± 0.20%"
    )


def test_only_the_strongest_changes_are_drawn():
    many = [change(i, f" {i}", 0.5, 0.4) for i in range(50)]
    assert len(change_chart(many, "light").data[0].x) == MOST_CHANGES
    assert change_chart([], "light").data[0].x == ()


def test_how_many_neurons_are_how_often_active_layer_by_layer():
    figure = shares_chart(NEURONS, "light")
    first, second = figure.data
    assert (first.x[:3], first.x[-1]) == ((0, 5, 10), 100)
    assert first.y == (*[16] * 10, *[2] * 11)
    assert second.y[-1] is None  # a log axis has no place for none
    assert "2 of 16 neurons are among the 4 most active<br>on at least 100%" in first.text[-1]
    marks = [shape.x0 for shape in figure.layout.shapes]
    assert marks == [85, 25]
    assert [a.text for a in figure.layout.annotations] == ["threshold 85%", "by chance 25%"]


def test_listed_neurons_in_deviations_from_their_layer():
    figure = difference_chart(NEURONS, "dark")
    first = figure.data[0]
    assert (first.name, first.x, first.y) == ("layer 0", (2.0,), (-2.0,))
    assert first.text[0].startswith("<b>L0 N5</b>, active on 100% of the prompts<br>norm 3; its")
    still = replace(NEURONS.layers[0], norm_deviation=0.0)
    figure = difference_chart(replace(NEURONS, layers=(still, NEURONS.layers[1])), "dark")
    assert figure.data[0].x == (None,)


def test_a_neuron_reads_as_its_first_tokens():
    assert top_tokens(NEURONS.neurons[0]) == "␣Paris  ␣Rome"


def test_neurons_that_promote_a_token_with_rank_and_cosine():
    figure = neuron_bars(SEARCH.promoting_neurons, "light")
    bars = figure.data[0]
    assert bars.x == (1.5, 1.0)
    assert figure.layout.yaxis.ticktext == ("L1 N7", "L0 N5")
    assert bars.text == ("#1 · cos 0.3", "#4 · cos 0.2")
    assert set(bars.marker.color) == {palette("light").positive}
    against = neuron_bars(SEARCH.suppressing_neurons, "light").data[0]
    assert set(against.marker.color) == {palette("light").negative}


def test_heads_with_the_source_tokens_that_make_them_speak():
    figure = head_bars(SEARCH.promoting_heads, "light")
    assert figure.data[0].text == ("␣France",)
    assert figure.data[0].customdata == ("<b>L1 H3</b>, when it attends to<br>␣France: +9",)


def test_of_many_finds_the_strongest_are_drawn():
    many = SEARCH.promoting_neurons * 40
    assert len(neuron_bars(many, "light").data[0].x) == MOST_BARS
    assert neuron_bars((), "light").data[0].x == ()
