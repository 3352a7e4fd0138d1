"""A comparison keeps its laws on every architecture: rest, equal sides, the sign of a swap."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from flowviz.checks import LawErrors
from flowviz.compare.sides import check_comparable
from flowviz.compare.types import Comparison
from flowviz.errors import RequestError
from flowviz.graph.scored import Scored
from flowviz.graph.types import SOURCES, NodeKind
from flowviz.request import GraphSettings, Score, Wiring
from tests.compare.passes import ARCHITECTURES, CHANGED, CLEAN, LONGER, compared, scored
from tests.models import random_model

WIRINGS = tuple(Wiring)
TOLERANCE = 1e-4
CLOSING = (NodeKind.TARGET, NodeKind.REST)


def scale(comparison: Comparison) -> float:
    sides = comparison.first, comparison.second
    flows = [abs(node.flow) for node in comparison.graph.nodes]
    return max(*(abs(one.target.value) for one in sides), *flows)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("ids", [CHANGED, LONGER], ids=["one length", "longer"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shown_differences_and_rest_are_the_nodes_difference(
    architecture: str, ids: tuple[int, ...], wiring: Wiring
) -> None:
    comparison = compared(
        scored(architecture, CLEAN), scored(architecture, ids), GraphSettings(wiring=wiring)
    )
    graph = comparison.graph
    assert graph.checks.exact
    assert graph.checks.rest_error < TOLERANCE
    into = {node.key: 0.0 for node in graph.nodes if node.key.kind not in SOURCES}
    before = dict(into)
    for edge in graph.edges:
        into[edge.target] += edge.flow
        assert edge.before is not None
        before[edge.target] += edge.before
    assert len(into) > 20
    for node in graph.nodes:
        if node.key.kind in SOURCES:
            continue
        assert abs(into[node.key] - node.flow) < TOLERANCE * scale(comparison), node.key
    rest = {node.key.cut() for node in graph.nodes if node.key.kind is NodeKind.REST}
    for node in graph.nodes:  # with the rest's, the first pass's own numbers close too
        if node.key in rest and node.before is not None:
            assert abs(before[node.key] - node.before) < TOLERANCE * scale(comparison), node.key


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_parts_differ_by_what_the_target_does(architecture: str) -> None:
    """Law 2 on differences, over all columns: what both prompts put in, and all biases."""
    first, second = scored(architecture, CLEAN), scored(architecture, LONGER)
    whole = second.flow.value - first.flow.value
    everything = GraphSettings(coverage=1.0, budget=400, wiring=Wiring.CIRCUIT)
    comparison = compared(first, second, everything)
    assert comparison.graph.target.value == pytest.approx(whole)
    assert comparison.graph.target.before == pytest.approx(first.flow.value)
    sources = 0.0
    for scoring, sign in ((first, -1), (second, 1)):
        values = scoring.flow.values
        parts = values.embed.sum() + values.pos_embed.sum() + values.biases.sum()
        sources += sign * float(parts)
    assert sources == pytest.approx(whole, abs=TOLERANCE * scale(comparison))
    drawn = {node.key for node in comparison.graph.nodes}
    listed = {change.key for change in comparison.changes}
    assert {key for key in drawn if key.kind not in (NodeKind.REST, NodeKind.TARGET)} <= listed


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_side_of_a_change_is_that_passs_own_node(architecture: str) -> None:
    first, second = scored(architecture, CLEAN), scored(architecture, LONGER)
    comparison = compared(first, second)
    alone = 0
    for change in comparison.changes:
        column = comparison.columns[change.key.position]
        for node, at, scoring in (
            (change.first, column.first, first),
            (change.second, column.second, second),
        ):
            assert (node is None) == (at is None)
            if node is not None and at is not None:
                assert node.key == replace(change.key, position=at)
                assert node.flow == pytest.approx(scoring.flow.values[node.key])
        alone += change.first is None
        drawn = comparison.graph.node(change.key)
        assert (drawn is not None) == change.drawn
        if drawn is not None:
            assert drawn.flow == change.difference
            assert drawn.before == change.first_flow
    assert alone > 0
    sizes = [abs(change.difference) for change in comparison.changes]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_equal_sides_have_no_difference(architecture: str, wiring: Wiring) -> None:
    settings = GraphSettings(wiring=wiring)
    comparison = compared(scored(architecture, CLEAN), scored(architecture, CLEAN), settings)
    assert comparison.same
    assert not comparison.graph.nodes
    assert not comparison.graph.edges
    assert not comparison.changes
    assert comparison.graph.target.value == 0
    assert all(pair.difference == 0 for pair in comparison.predictions)
    assert all(column.same for column in comparison.columns)


@pytest.mark.parametrize(
    ("wiring", "score"),
    [(Wiring.STREAM, Score.FLOW), (Wiring.CIRCUIT, Score.GRADIENT), (Wiring.STREAM, Score.DIRECT)],
)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_swapping_the_sides_flips_every_sign(
    architecture: str, wiring: Wiring, score: Score
) -> None:
    settings = GraphSettings(wiring=wiring, score=score)
    first, second = scored(architecture, CLEAN), scored(architecture, LONGER)
    one, other = compared(first, second, settings), compared(second, first, settings)
    assert {node.key: node.flow for node in one.graph.nodes} == {
        node.key: -node.flow for node in other.graph.nodes
    }
    assert {edge.id: edge.flow for edge in one.graph.edges} == {
        edge.id: -edge.flow for edge in other.graph.edges
    }
    assert [(c.key, c.difference, c.first, c.second) for c in one.changes] == [
        (c.key, -c.difference, c.second, c.first) for c in other.changes
    ]
    assert [(p.id, p.difference) for p in one.predictions] == [
        (p.id, -p.difference) for p in other.predictions
    ]
    assert [(c.first, c.second) for c in one.columns] == [
        (c.second, c.first) for c in other.columns
    ]
    assert one.graph.target.value == -other.graph.target.value
    assert one.graph.coverage == other.graph.coverage
    assert one.first == replace(other.second, prompt=one.first.prompt)


def test_blocks_and_columns_can_be_chosen() -> None:
    first, second = scored("gpt2", CLEAN), scored("gpt2", LONGER)
    settings = GraphSettings(layers=(0, 0), positions=(3, 20), kinds=frozenset({NodeKind.HEAD}))
    comparison = compared(first, second, settings)
    kept = [node.key for node in comparison.graph.nodes if node.key.kind not in CLOSING]
    assert {key.kind for key in kept} >= {NodeKind.HEAD, NodeKind.RESID_PRE}
    assert all(key.position >= 3 and key.layer <= 1 for key in kept)
    assert comparison.graph.checks.rest_error < TOLERANCE


def test_a_broken_law_leaves_no_flow_of_either_side() -> None:
    second = scored("gpt2", CHANGED)
    broken = Scored(second.flow)
    broken.__dict__["errors"] = LawErrors(node=0.5, cut=0.0, target=0.0, block=0.0)
    comparison = compared(scored("gpt2", CLEAN), broken)
    assert not comparison.graph.checks.exact
    assert comparison.graph.checks.node_error == 0.5
    assert not comparison.graph.nodes
    assert not comparison.changes
    assert not comparison.same
    assert len(comparison.predictions) >= 10


def test_other_models_are_refused_with_both_shapes() -> None:
    small, large = random_model("gpt2"), random_model("gpt2", layers=4)
    with pytest.raises(
        RequestError, match=r"gpt2 has 3 blocks of .*, gpt2 has 4 blocks of 4 heads"
    ):
        check_comparable(small, large)
    with pytest.raises(RequestError, match=r"\(LlamaForCausalLM\), .*\(GPT2LMHeadModel\)"):
        compared(scored("llama", CLEAN), scored("gpt2", CLEAN))


def test_another_tokenizer_is_refused() -> None:
    model = random_model("gpt2")
    vocabulary = copy(model.vocabulary)
    vocabulary.__dict__["texts"] = [*model.vocabulary.texts[1:], "new"]
    with pytest.raises(RequestError, match="different tokens under the same ids"):
        check_comparable(model, replace(model, vocabulary=vocabulary))


def test_two_checkpoints_differ_by_their_weights() -> None:
    first, second = scored("gpt2", CLEAN), scored("gpt2", CLEAN, seed=1)
    comparison = compared(first, second)
    assert comparison.graph.checks.rest_error < TOLERANCE
    assert comparison.graph.target.value == pytest.approx(second.flow.value - first.flow.value)
    assert all(column.same for column in comparison.columns)
    assert len(comparison.graph.nodes) > 20
