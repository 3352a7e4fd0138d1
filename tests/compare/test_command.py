"""`flowviz compare` and `compare_passes`: what was found on standard output, faults in one line."""

from __future__ import annotations

import pytest

import flowviz
from flowviz.__main__ import main
from flowviz.compare.json import read_comparison
from flowviz.compared import ComparedPasses, compare_passes
from flowviz.errors import RequestError
from tests.compare.passes import CLEAN, LONGER, compared, scored
from tests.models import random_model

PAIR = ("The nurse said that", "The plumber said that")
NUMBER = ("--target", " she", "--contrast", " he")


def test_a_report_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *PAIR, *NUMBER]) == 0
    report = capsys.readouterr().out
    assert "Token by token: both have 4 tokens, 1 of them differs." in report
    assert "logit difference 2.26 → −3.2, change −5.47" in report
    assert "embedding of ␣nurse | ␣plumber" in report
    assert "L4 H4 at ␣that" in report
    assert "pre at" not in report  # states hold everything; the table is of components
    assert all(len(line) <= 100 for line in report.splitlines())


def test_json_is_printed_and_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    changed = ("--b-interventions", "head:4:*:6=0", "--json")
    assert main(["compare", PAIR[0], *NUMBER, *changed]) == 0
    found = read_comparison(capsys.readouterr().out)
    assert found.first.interventions == ()
    assert found.second.interventions == ("head:4:*:6=0",)
    assert found.graph.target.value < 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to compare with"),
        (("",), "nothing to compare with"),
        (("b", "--b-interventions", "head"), "is no intervention"),
        (("b", "--b-position", "-3"), "Of the second: position is '-3'"),
        (("b", "--b-model", "b@c", "--base", "d"), "--base is for one model"),
        (("b", "--b-contrast", "\0"), "is no token"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["compare", "a", *arguments])
    except SystemExit as stopped:  # argparse's own
        code = stopped.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_equal_prompts_are_told_to_be_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", PAIR[0], PAIR[0]]) == 0
    assert "nothing differs" in capsys.readouterr().out


def test_two_models_are_compared_from_python() -> None:
    first, second = random_model("gpt2"), random_model("gpt2", seed=1)
    pair = compare_passes("the cat sat", None, first, second, token="#7", budget=12)
    assert pair.request.second.target.token == "#7"
    assert pair.comparison.same_number
    changes, predictions, edges = pair.changes(), pair.predictions(), pair.edges()
    assert (changes.difference == changes["second"] - changes["first"]).all()
    assert changes.difference.abs().is_monotonic_decreasing
    assert len(edges) == len(pair.comparison.edges) > 5
    assert {"first", "second", "difference"} <= set(predictions.columns)
    assert read_comparison(pair.to_json()) == pair.comparison


def test_explanations_at_hand_are_compared_by_the_firsts_number() -> None:
    model = random_model("gpt2")
    first = flowviz.explain("the cat sat", model, contrast="#9", wiring="circuit")
    second = flowviz.explain("Mary and John went", model)
    pair = first.compare(second)
    assert isinstance(pair, ComparedPasses)
    assert pair.comparison.same_number
    assert pair.comparison.second.target.contrast is not None
    assert pair.comparison.second.target.contrast.id == 9
    assert pair.graph.settings["wiring"] == "circuit"
    assert pair.graph.checks.rest_error < 1e-4
    assert first.compare(first).comparison.same


def test_a_choice_that_is_none_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(RequestError, match="no 'colour'"):
        compare_passes("a", "b", "nowhere/to-be-found", colour="red")
    with pytest.raises(RequestError, match="nothing to compare with"):
        compare_passes("a", model="nowhere/to-be-found")


def test_a_report_of_unlike_prompts_says_what_is_missing() -> None:
    from flowviz.views.compare.report import text

    report = text(compared(scored("gpt2", CLEAN), scored("gpt2", LONGER)))
    assert "2 tokens of the second prompt have no partner" in " ".join(report.split())
    assert "–" in report
