"""What is said of one head, and its tables: every word and cell."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np

from flowviz.attention.neuron_types import Decay
from flowviz.attention.why_types import Inside, ScorePart, Term
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.views.head.report import of_decay, of_neurons, of_why
from flowviz.views.head.tables import Table, tables
from flowviz.views.head.words import (
    End,
    attended,
    attends_words,
    deciding_words,
    exact_words,
    figure,
    looks_words,
    notes,
    part_name,
    score_words,
    share_of_slope,
    slope_words,
    term_words,
)
from flowviz.views.tokens import width
from tests.head_answers import decay, there, view


def test_numbers() -> None:
    assert [attended(x) for x in (0.0, 0.0001, 0.032, 0.996, 1.0)] == [
        "0%", "<0.1%", "3.2%", "99.6%", "100%",
    ]  # fmt: skip
    assert [figure(x) for x in (0.0, -3e-8, 0.5, -12.345)] == ["0", "0", "+0.5", "−12.3"]


def test_what_a_head_looks_at() -> None:
    assert attends_words(view()) == "L1 H2 at 3 <b> looks most at 1 ␣France: 75% of its attention."
    assert deciding_words(view()).startswith("Attended scores stand 1.2 above the average score.")
    assert notes(view()) == []
    limited = replace(view(), rotary=True, sink=0.25, window=4, cap=50.0)
    assert notes(limited) == [
        "With rotary positions the vectors shown are the ones whose product is the score.",
        "The head looks back 4 positions, its own included.",
        "Its sink takes 25% of the attention; nothing is read from it.",
        "Scores are capped softly: 50 · tanh(product / 50).",
    ]


def test_why_it_looks_there() -> None:
    found = there()
    assert looks_words(found) == (
        "L1 H2 at 3 <b> looks at 1 ␣France: 75% of its attention, the most of 4."
    )
    assert score_words(found) == (
        "The score is 3; query × key is 2 above its mean over the 4 keys that are seen (1)."
    )
    assert exact_words(found) == (
        "All parts sum to 3.0000, the score is 3.0000: apart by 1.0e-7. The attention that "
        "follows is the model's own."
    )
    assert term_words(found) == []
    capped = replace(found, terms=((Term.PRODUCT, 3.0), (Term.CAP, -0.5)), score=2.5)
    assert term_words(capped) == ["query × key +3", "what the soft cap takes off −0.5"]
    assert capped.parts_sum == 2.5
    second = replace(found, rank=2, mean_product=5.0)
    assert "number 2 of 4" in looks_words(second)
    assert "is 2 below its mean" in score_words(second)


def test_a_split_that_is_not_exact_says_so() -> None:
    said = exact_words(replace(there(), error=0.02))
    assert "apart by 2.0e-2, more than 0.0001" in said
    assert "must not be read as if it were" in said


def test_parts_have_names() -> None:
    found = there()
    names = {
        part_name(ScorePart(what, 0.0, 0.0), found, End.QUERY)
        for what in (
            NodeKey(NodeKind.EMBED, 0, 1),
            NodeKey(NodeKind.POS_EMBED, 0, 1),
            NodeKey(NodeKind.BIAS, 0, 1, 2),
            Inside.LN1,
            Inside.PROJECTION,
            Inside.NORM,
            Inside.SENTENCE,
            Inside.NORMS,
            Inside.OTHERS,
        )
    }
    assert names == {
        "embedding ␣France", "position 1", "L0 b_O", "bias ln1", "bias b_Q", "bias query norm",
        "sentence embedding", "biases of norms", "all others",
    }  # fmt: skip


def test_how_the_score_changes_with_distance() -> None:
    assert slope_words(decay()) == (
        "The score of L1 H2 loses 1 a token of distance (over 6 pairs of tokens of this prompt, "
        "the first token or special ones left out as sources)."
    )
    assert "gains" in slope_words(replace(decay(), sums=-decay().sums))
    assert "of 12 prompts" in slope_words(decay(12))
    assert share_of_slope(decay(), 1) == "Dimensions 0 together: −2 a token."
    flat = Decay(1, 2, np.array([4]), np.array([[1.0, 2.0]]), rotary=False)
    assert "there is no change to see" in slope_words(flat)
    assert share_of_slope(flat) == ""


def cells(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.csv())))


def test_tables_of_neurons() -> None:
    dimensions, sources = map(cells, tables(view()))
    assert dimensions[0] == ["dimension", "query", "decides"]
    assert [row[0] for row in dimensions[1:]] == ["0", "1"]
    assert sources[0] == ["position", "token", "score", "attention", "share_0", "share_1"]
    assert sources[2] == ["1", " France", "2.5", "0.75", "2.0", "0.5"]


def test_tables_of_distances() -> None:
    slopes, means = map(cells, tables(decay()))
    assert [row[0] for row in slopes] == ["dimension", "0", "1", "score"]
    assert [round(float(row[1])) for row in slopes[1:]] == [-2, 1, -1]
    assert means[2] == ["1", "2", "3.0", "2.0", "1.0"]


def test_tables_of_why() -> None:
    parts, pairs = map(cells, tables(there()))
    assert parts[1] == ["query", "head:0:3:1", "L0 H1", "2.5", "1.5"]
    assert [row[0] for row in parts[1:]] == ["query", "query", "key", "key"]
    assert pairs[2] == ["head:0:3:1", "projection", "0.5"]


def test_reports_fit_and_hold_the_numbers() -> None:
    reports = (of_why(there()), of_neurons(view()), of_decay(decay()))
    for report in reports:
        assert all(width(line) <= 100 for line in report.splitlines())
    assert "  L0 H1                                               +1.5        +2.5" in reports[0]
    assert "  1 ␣France                                           +2.5         75%" in reports[1]
    assert f"  {'dimension 0':<20}{'−2':>16}{'−1':>14}" in reports[2]
