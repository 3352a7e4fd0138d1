"""On the demo model the analyses show what its model card says it holds."""

from __future__ import annotations

import pytest

import flowviz
from flowviz.analyses import overlap, search_token, shipped, target_course


@pytest.fixture(scope="module")
def model():
    return flowviz.load_model("demo")


@pytest.fixture(scope="module")
def course(model):
    return target_course(model, shipped("phenomena"))


def test_right_prompts_end_first_and_climb_with_depth(course) -> None:
    groups = {group.name: group for group in course.groups}
    right, wrong = groups["right"], groups["wrong"]
    assert right.prompts > 300
    assert wrong.prompts >= 5
    assert right.rank[-1] == 1
    assert right.probability[-1] > 0.95
    depth = [right.median_rank[course.stages.index(f"{layer} pre")] for layer in range(1, 6)]
    assert depth == sorted(depth, reverse=True)
    assert wrong.rank[-1] > 1
    assert wrong.probability[-1] < right.probability[-1] / 3
    assert all(
        wrong.median_rank[place] > right.median_rank[place]
        for place in range(course.stages.index("3 mid"), len(course.stages))
    )


def test_it_is_right_as_often_as_the_model_card_says(course) -> None:
    """The card: 87% (colours) to 100% of each phenomenon, without a beginning of text."""
    for group in {outcome.prompt.group for outcome in course.outcomes}:
        told = [outcome.right for outcome in course.outcomes if outcome.prompt.group == group]
        assert sum(map(bool, told)) / len(told) >= 0.8, group


def test_the_most_attended_value_says_most_of_what_its_head_says(model) -> None:
    prompts = [prompt for prompt in shipped("phenomena") if prompt.group == "capitals"]
    found = overlap(model, prompts)
    values = found.by_attention_rank[0].mean
    assert values[0] > 0.5 > values[1]
    raw = next(s for s in found.by_layer if s.name == "head_raw~attention_output")
    through = next(s for s in found.by_layer if s.name == "head_through_W_O~attention_output")
    assert all(a > b for a, b in zip(through.mean, raw.mean, strict=True))


def test_neurons_of_a_token_are_found_late_and_promote_it(model) -> None:
    found = search_token(model, " Tokyo")
    assert any(match.rank == 1 for match in found.promoting_neurons[:5])
    assert sum(match.layer >= 3 for match in found.promoting_neurons) > 25
