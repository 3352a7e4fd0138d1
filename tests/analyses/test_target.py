"""The target's course against the lens written out by hand."""

from __future__ import annotations

import statistics

import pytest

from flowviz.analyses import Prompt, target_course
from tests.analyses.by_hand import OTHER, PROMPT, state, traced
from tests.models import random_model


@pytest.fixture(scope="module")
def gpt2():
    return random_model("gpt2")


def said(model, prompt: str) -> int:
    return int(traced(model, prompt).logits[-1].argmax())


def test_every_state_is_read_as_the_last_one_would_be(gpt2) -> None:
    answer = (said(gpt2, PROMPT) + 7) % gpt2.shape.vocabulary
    found = target_course(gpt2, [Prompt(PROMPT, f"#{answer}")])
    trace = traced(gpt2, PROMPT)
    states = [part for block in trace.blocks for part in (block.resid_pre, block.resid_mid)]
    assert found.stages == ("0 pre", "0 mid", "1 pre", "1 mid", "2 pre", "2 mid", "final")
    (group,) = found.groups
    assert (group.name, group.prompts) == ("wrong", 1)
    for place, vectors in enumerate([*states, trace.resid_final]):
        chances = state(gpt2, vectors[-1]).tolist()
        assert group.probability[place] == pytest.approx(chances[answer], rel=1e-4)
        assert group.rank[place] == 1 + sum(chance > chances[answer] for chance in chances)
    (outcome,) = found.outcomes
    assert outcome.right is False
    assert (outcome.target_id, outcome.prediction_id) == (answer, said(gpt2, PROMPT))
    assert outcome.rank == group.rank[-1]
    assert outcome.probability == group.probability[-1]


def test_right_wrong_and_all_are_means_over_their_prompts(gpt2) -> None:
    right = Prompt(PROMPT, f"#{said(gpt2, PROMPT)}")
    wrong = Prompt(OTHER, f"#{(said(gpt2, OTHER) + 1) % gpt2.shape.vocabulary}")
    mine = Prompt("a mat while", f"#{(said(gpt2, 'a mat while') + 1) % gpt2.shape.vocabulary}")
    found = target_course(gpt2, [right, wrong, mine])
    assert [(group.name, group.prompts) for group in found.groups] == [
        ("right", 1), ("wrong", 2), ("all", 3),
    ]  # fmt: skip
    alone = [target_course(gpt2, [prompt]).groups[0] for prompt in (right, wrong, mine)]
    for group, parts in zip(found.groups, (alone[:1], alone[1:], alone), strict=True):
        for stage in range(len(found.stages)):
            ranks = [part.rank[stage] for part in parts]
            chances = [part.probability[stage] for part in parts]
            assert group.rank[stage] == pytest.approx(statistics.fmean(ranks))
            assert group.median_rank[stage] == pytest.approx(statistics.median(ranks))
            assert group.rank_deviation[stage] == pytest.approx(statistics.pstdev(ranks))
            assert group.probability[stage] == pytest.approx(statistics.fmean(chances))
            assert group.probability_deviation[stage] == pytest.approx(
                statistics.pstdev(chances), rel=1e-6, abs=1e-12
            )
    assert [outcome.right for outcome in found.outcomes] == [True, False, False]


def test_without_an_answer_the_target_is_the_prediction_and_the_group_all(gpt2) -> None:
    found = target_course(gpt2, [PROMPT])
    assert [(group.name, group.rank[-1]) for group in found.groups] == [("all", 1.0)]
    assert found.outcomes[0].right is None
    assert found.outcomes[0].target == found.outcomes[0].prediction
    mixed = target_course(gpt2, [PROMPT, Prompt(PROMPT, f"#{said(gpt2, PROMPT)}")])
    assert [(group.name, group.prompts) for group in mixed.groups] == [("right", 1), ("all", 2)]


def test_a_parallel_block_has_no_state_between() -> None:
    assert target_course(random_model("gpt_j"), [PROMPT]).stages == (
        "0 pre", "1 pre", "2 pre", "final",
    )  # fmt: skip


def test_the_last_stage_is_the_models_own_answer_under_a_cap() -> None:
    model = random_model("gemma2")
    found = target_course(model, [PROMPT])
    chances = model.capped(traced(model, PROMPT).logits[-1]).softmax(-1)
    assert found.groups[0].probability[-1] == pytest.approx(float(chances.max()), rel=1e-4)
