"""Comparisons in words: columns, nodes, values, what is the same, which law failed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowviz.compare.types import Column
from flowviz.graph.types import NodeKey
from flowviz.views.compare.words import (
    SAME,
    attention_words,
    both_words,
    change_words,
    column_words,
    coverage,
    describe,
    different_numbers,
    exactness,
    failures,
    name,
    part_name,
    position_words,
    share_words,
    value_words,
    where_words,
)
from tests.comparisons import nothing, three_changes, unlawful

COMPARED = three_changes(number=" she")


@pytest.mark.parametrize(
    ("column", "words", "position"),
    [
        (Column(3, 3, " a", " a", same=True), "␣a", "position 3"),
        (Column(3, 4, " a", " a", same=True), "␣a", "position 3 | 4"),
        (Column(0, 0, " a", "\n", same=False), "␣a | ↵", "position 0"),
        (Column(2, None, " a", None, same=False), "␣a | –", "position 2 of the first alone"),
        (Column(None, 1, None, " b", same=False), "– | ␣b", "position 1 of the second alone"),
    ],
)
def test_a_column_is_named_by_its_token_or_by_both(column, words, position):
    assert column_words(column) == words
    assert position_words(column) == position
    assert where_words(column) == f"{position} ({words})"


@pytest.mark.parametrize(
    ("key", "said", "part"),
    [
        ("embed:0:1", "embedding of ␣nurse | ␣plumber", "embedding"),
        ("head:1:1:3", "L1 H3 at ␣nurse | ␣plumber", "L1 H3"),
        ("neuron:1:2:7", "L1 N7 at ␣said", "L1 N7"),
        ("resid_pre:1:2", "L1 pre at ␣said", "L1 pre"),
        ("pos_embed:0:2", "position 2", "position"),
        ("bias:0:2:5", "L0 b_out at ␣said", "L0 b_out"),
        ("rest:head:1:2:3", "rest of L1 H3 at ␣said", "rest"),
        ("target:2:2", "␣she", "target"),
        ("head:1:77:3", "L1 H3 at – | –", "L1 H3"),
    ],
)
def test_nodes_are_named_by_part_and_column(key, said, part):
    assert name(NodeKey.parse(key), COMPARED) == said
    assert part_name(NodeKey.parse(key), COMPARED) == part


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("head:1:1:3", "Head 3 of layer 1, writing at position 1 (␣nurse | ␣plumber)."),
        ("neuron:1:2:7", "Neuron 7 of layer 1, firing at position 2 (␣said)."),
        ("embed:0:0", "The embedding of the prompts' tokens at position 0 (The)."),
        ("resid_mid:1:2", "The hidden state in block 1, between attention and MLP, at position 2"),
        ("bias:0:2:5", "The output bias of the MLP (b_out), at position 2"),
        ("bias:0:2:11", "(set_heads), at position 2"),
        ("rest:head:1:2:3", "not drawn, kept as one sum. Head 3 of layer 1"),
        ("target:2:2", "What is explained: ␣she."),
    ],
)
def test_a_node_is_described_in_a_sentence(key, words):
    assert words in describe(NodeKey.parse(key), COMPARED)


def test_values_of_both_sides_and_their_change():
    assert value_words(COMPARED) == "logit 3 → 5, change +2"
    assert both_words(1.5, -0.5) == "first +1.5, second −0.5: change −2"
    assert share_words(-1.0, COMPARED) == "−50% of the whole change"


def test_equal_sides_have_no_change_and_say_so():
    same = nothing(COMPARED)
    assert value_words(same) == "logit 3 → 3, no change"
    assert coverage(same) == SAME
    assert share_words(1.0, same) is None


def test_different_numbers_are_told_with_both_names():
    found = three_changes(number=" he")
    assert name(NodeKey.parse("target:2:2"), found) == "␣she | ␣he"
    assert value_words(found) == "␣she 3 in the first, ␣he 5 in the second, change +2"
    assert "The first explains ␣she, the second ␣he" in (different_numbers(found) or "")
    assert different_numbers(COMPARED) is None


def test_exactness_is_that_of_the_worse_pass_and_a_failure_names_its_side():
    assert exactness(COMPARED) == "Both exact to 3e-6 (limit 1e-4)"
    assert coverage(COMPARED).startswith("2 of 100 nodes hold 85% of what differs")
    broken = unlawful(COMPARED)
    assert exactness(broken).startswith("first: Exact to 3e-6")
    assert "second: Not exact: what flows into a node misses what flows out by 0.3" in exactness(
        broken
    )
    assert coverage(broken) == "no difference of flows is shown"
    assert [words[:15] for words in failures(broken)] == ["The second pass"]
    assert failures(COMPARED) == ()


def test_a_contrast_belongs_to_the_name():
    he = three_changes().predictions[1].first
    target = replace(COMPARED.first.target, contrast=he)
    sides = {side: replace(getattr(COMPARED, side), target=target) for side in ("first", "second")}
    found = replace(COMPARED, **sides)
    assert name(NodeKey.parse("target:2:2"), found) == "␣she − ␣he"
    assert value_words(found).startswith("logit difference")


@pytest.mark.parametrize(
    ("difference", "words"),
    [(0.0, "0"), (-0.375, "−38"), (0.05, "+5.0"), (0.0042, "+0.42"), (1e-6, "0")],
)
def test_changes_of_probabilities_are_in_points(difference, words):
    assert change_words(difference) == words


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [(0.98, 1.0, "98→100%"), (None, 0.5, "–→50%"), (0.00001, 0.5, "<0.01→50%"), (None, None, "")],
)
def test_attention_on_both_sides(first, second, words):
    assert attention_words(first, second) == words
