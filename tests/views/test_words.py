"""Words for nodes and figures: every kind has a label and a sentence."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from flowviz.graph.types import BIAS_NAMES, Checks, NodeKey, NodeKind, Prediction
from flowviz.views.laws import exactness_tip, exactness_words, failure_words
from flowviz.views.words import (
    cap_words,
    coverage_words,
    describe,
    percent,
    short_label,
    signed,
    target_words,
)
from tests.graphs import failed, grid, three_nodes

K = NodeKind


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "+0"), (1.2345, "+1.23"), (-0.00012345, "−0.000123"), (math.nan, "not a number")],
)
def test_signed(value: float, shown: str) -> None:
    assert signed(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0%"), (0.412, "41%"), (0.0123, "1.2%"), (0.0003, "0.03%"), (1e-9, "<0.01%"),
     (-0.5, "−50%"), (1.0, "100%"), (math.inf, "not a number")],
)  # fmt: skip
def test_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


AT_1, AT_2 = "position 1 (␣France)", "position 2 (␣is)"
KEYS = [
    (NodeKey(K.HEAD, 1, 2, 5), "L1 H5 at 2", f"Head 5 of layer 1, writing at {AT_2}."),
    (NodeKey(K.NEURON, 0, 1, 9), "L0 N9 at 1", f"Neuron 9 of layer 0, firing at {AT_1}."),
    (NodeKey(K.EMBED, 0, 1), "␣France at 1", f"The embedding of the prompt's token at {AT_1}."),
    (NodeKey(K.POS_EMBED, 0, 1), "position 1", f"The position embedding of {AT_1}."),
    (NodeKey(K.RESID_PRE, 1, 2), "L1 pre at 2", f"The hidden state before block 1, at {AT_2}."),
    (NodeKey(K.RESID_MID, 1, 2), "L1 mid at 2",
     f"The hidden state in block 1, between attention and MLP, at {AT_2}."),
    (NodeKey(K.RESID_FINAL, 2, 2), "final at 2",
     f"The hidden state after the last block, at {AT_2}."),
    (NodeKey(K.BIAS, 1, 2, 2), "L1 b_O at 2",
     f"The output bias of attention (b_O) in layer 1, at {AT_2}."),
    (NodeKey(K.BIAS, 2, 2, 6), "ln_final at 2",
     f"The bias of the final norm (ln_final), at {AT_2}."),
    (NodeKey(K.HEAD, 1, 2, 5).rest(), "rest of L1 H5 at 2",
     "What flows into this node and is not drawn, kept as one sum. "
     f"Head 5 of layer 1, writing at {AT_2}."),
    (NodeKey(K.TARGET, 2, 2), "␣Paris", f"The target: logit of ␣Paris after {AT_2} = 2."),
]  # fmt: skip


@pytest.mark.parametrize(("key", "label", "sentence"), KEYS)
def test_every_kind_has_a_label_and_a_sentence(key: NodeKey, label: str, sentence: str) -> None:
    assert short_label(key, three_nodes()) == label
    assert describe(key, three_nodes()) == sentence


def test_every_kind_and_bias_is_known() -> None:
    graph = three_nodes()
    for kind in NodeKind:
        if kind is not K.REST:
            for index in range(len(BIAS_NAMES)):
                assert describe(NodeKey(kind, 1, 1, index), graph).endswith(".")
    assert "a bias" not in " ".join(
        describe(NodeKey(K.BIAS, 1, 1, i), graph).lower() for i in range(len(BIAS_NAMES))
    )


def test_a_position_that_the_prompt_lacks_is_no_crash() -> None:
    assert "⟨none⟩" in describe(NodeKey(K.HEAD, 0, 99, 0), three_nodes())


def test_target_words_with_and_without_contrast() -> None:
    graph = three_nodes()
    assert target_words(graph) == "logit of ␣Paris after position 2 (␣is) = 2"
    pair = replace(
        graph.target, contrast=Prediction(9, " Rome", 0.25, 13.0), contrast_rank=2, value=-1.0
    )
    graph = replace(graph, target=pair)
    assert target_words(graph) == (
        "logit of ␣Paris minus that of ␣Rome after position 2 (␣is) = −1"
    )
    assert short_label(NodeKey(K.TARGET, 2, 2), graph) == "␣Paris − ␣Rome"


def test_a_neuron_of_an_expert_is_named_by_both() -> None:
    graph = three_nodes()
    graph = replace(graph, model=replace(graph.model, expert_neurons=(0, 64)))
    key = NodeKey(K.NEURON, 1, 2, 3 * 64 + 17)
    assert short_label(key, graph) == "L1 E3 N17 at 2"
    assert describe(key, graph) == f"Expert 3, neuron 17 of layer 1, firing at {AT_2}."
    plain = NodeKey(K.NEURON, 0, 2, 209)
    assert short_label(plain, graph) == "L0 N209 at 2"
    assert describe(plain, graph).startswith("Neuron 209 of layer 0")


def test_a_capped_logit_is_told_before_and_after_the_cap() -> None:
    graph = three_nodes()
    assert cap_words(graph) is None
    graph = replace(
        graph,
        model=replace(graph.model, logit_cap=30.0),
        target=replace(graph.target, value=15.25),
    )
    assert target_words(graph).endswith("= 15.2 before the soft cap at 30, 14 after it")
    against = replace(graph.target, contrast=Prediction(9, " Rome", 0.25, 11.5), value=3.0)
    words = target_words(replace(graph, target=against))
    assert words.endswith("= 3 before the soft cap at 30, 2.5 after it")
    assert "30 · tanh(x / 30)" in (cap_words(graph) or "")


def test_exactness_words() -> None:
    good = Checks(1e-6, 3.2e-6, 1e-7, 2e-6, 1e-6, 1e-4, "float32")
    assert exactness_words(good) == "Exact to 3e-6 (limit 1e-4 for float32)"
    assert exactness_words(replace(good, cut_error=0.3, dtype="bfloat16")) == (
        "Not exact: the sum over a cut misses the target by 0.3 (limit 1e-4 for bfloat16)"
    )
    assert "not finite" in exactness_words(replace(good, node_error=math.nan))
    assert exactness_words(replace(good, node_error=math.nan)).startswith("Not exact")
    assert exactness_words(replace(good, cut_error=math.nan)).startswith("Not exact")


def test_the_tip_lists_every_law_with_its_error_and_the_limit() -> None:
    checks = Checks(1e-6, 3.2e-6, 1e-7, 2e-6, 4e-6, 1e-4, "float32")
    lines = exactness_tip(checks).splitlines()
    assert [line.split(": off by ")[1] for line in lines[1:6]] == [
        "1e-6", "3e-6", "1e-7", "2e-6", "4e-6",
    ]  # fmt: skip
    assert "float32 numbers (about 7 digits)" in lines[6]
    assert "Up to 1e-4 counts as exact" in lines[6]
    assert "int4 numbers, so" in exactness_tip(replace(checks, dtype="int4"))


def test_a_broken_law_is_named_with_its_error_and_limit_and_what_is_still_right() -> None:
    assert failure_words(three_nodes()) is None
    title, text = failure_words(failed()) or ("", "")
    assert (
        "what flows into a node misses what flows out by 0.3; the limit for float32 is 1e-4"
        in title
    )
    assert "not shown" in text
    assert "still right" in text
    assert "of the influence" not in coverage_words(failed())


def test_coverage_words_count_what_is_drawn_without_rest_and_target() -> None:
    assert coverage_words(three_nodes()) == (
        "2 of 100 nodes hold 85% of the influence; the rest is kept as rest nodes"
    )
    assert "of 12,345 nodes" in coverage_words(grid(2, 3))
