"""The verdict in words: the line, what it means, the small graph."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from flowviz.causal.types import Ablation
from flowviz.views.check.words import (
    also_words,
    average_words,
    band,
    band_words,
    details,
    headline,
    meaning,
    share_words,
    smallest_words,
    too_large_words,
    weakest_words,
)
from tests.graphs import three_nodes
from tests.verdicts import kept, small, three_components

GRAPH = three_nodes()
FOUND = three_components().recovery
HEAD = GRAPH.nodes[1].key


def test_the_line_names_target_ablation_control_and_prediction() -> None:
    assert headline(GRAPH, FOUND) == "Recovers 50% of ␣Paris"
    assert details(FOUND, Ablation.ZERO) == (
        "under zero ablation (random graphs: −25% to 25%), KL 15.4 bits, first token: another"
    )


def test_a_contrast_is_named_in_the_line() -> None:
    target = replace(GRAPH.target, contrast=GRAPH.predictions[1])
    graph = replace(GRAPH, target=target)
    assert headline(graph, FOUND) == "Recovers 50% of ␣Paris − ␣Rome"
    assert "difference of logits of the whole model" in meaning(graph, FOUND)


@pytest.mark.parametrize(
    ("against", "words"),
    [
        (Ablation.ZERO, "under zero ablation (random"),
        (Ablation.MEAN, "under mean ablation (random"),
        (Ablation.RESAMPLE, "with another prompt's values (random"),
    ],
)
def test_the_ablation_is_named_in_the_line(against: Ablation, words: str) -> None:
    assert details(FOUND, against).startswith(words)


def test_what_takes_the_place_is_named_in_what_it_means() -> None:
    found = replace(FOUND, baseline="the mean over 9 prompts")
    assert "is replaced by the mean over 9 prompts, and the model" in meaning(GRAPH, found)


def test_what_recovered_means_has_the_runs_own_numbers() -> None:
    words = meaning(GRAPH, FOUND)
    assert "Only the 2 components that are drawn stay" in words
    assert "is replaced by zero" in words
    assert "100% is the logit of the whole model (4), 0% what is left with none of its" in words


def test_what_is_no_number_is_a_dash() -> None:
    assert share_words(kept(2, math.nan)) == "–"
    assert band((kept(2, 0.5), kept(2, math.nan))) is None
    assert band(()) is None
    assert band_words((kept(2, math.nan),)) == "–"
    assert average_words((kept(2, math.nan),)) == "–"


def test_random_graphs_have_a_mean_and_a_band() -> None:
    controls = (kept(2, -0.25), kept(2, 0.5), kept(2, 0.05))
    assert average_words(controls) == "recover 10% on average, −25% to 50%"


def test_the_divergence_has_the_digits_that_tell_something() -> None:
    assert also_words(kept(1, 0.5, bits=0.0868)) == "KL 0.09 bits, first token: the same"
    assert also_words(kept(1, 0.5, bits=15.41, same=False)) == "KL 15.4 bits, first token: another"


def test_a_small_graph_says_its_size_what_it_recovers_and_its_weakest() -> None:
    found = small((HEAD, GRAPH.nodes[0].key))
    assert smallest_words(found) == (
        "2 components recover 82.0%; KL 1.5 bits, first token: the same"
    )
    assert weakest_words(found, GRAPH) == (HEAD, "L1 H3 at 2", "without it 78.0%")
    assert too_large_words(found) is None
    assert smallest_words(small((HEAD,))).startswith("1 component recovers 82.0%")


def test_a_small_graph_that_is_too_large_to_be_listed_says_so() -> None:
    found = replace(small((HEAD,)), nodes=(), weakest=None, without_weakest=None)
    assert weakest_words(found, GRAPH) is None
    assert "not listed" in (too_large_words(found) or "")
