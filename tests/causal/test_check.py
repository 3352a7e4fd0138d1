"""The whole check: in Python, as a report, and as a command."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from flowviz.causal.places import COMPONENTS
from flowviz.causal.types import Verdict
from flowviz.errors import RequestError
from flowviz.explanation import Explanation, explain
from flowviz.views.check.report import text
from tests.models import random_model

ROOT = Path(__file__).parent.parent.parent
PROMPT = "Mary and John went to the store"
JAPAN, SPAIN = (f"The capital of {name} is the city of" for name in ("Japan", "Spain"))


@cache
def explanation() -> Explanation:
    return explain(PROMPT, random_model("gpt2"), budget=25)


@cache
def trained() -> Explanation:
    return explain(JAPAN, "demo")


@cache
def with_small_graph() -> Verdict:
    """The search for a small graph is the longest part of a check: one for all tests of it."""
    return trained().check("resample", other=SPAIN, share=0.5)


def test_a_verdict_holds_the_graph_its_controls_the_curves_and_the_effects() -> None:
    verdict = explanation().check("mean", reference=("the cat sat", "She said that"))
    drawn = sum(node.key.kind in COMPONENTS for node in explanation().graph.nodes)
    assert verdict.recovery.kept.size == drawn > 3
    assert len(verdict.recovery.controls) == 20
    scores = ["flow", "blend", "gradient", "direct"]
    assert [curve.score for curve in verdict.curves] == [*scores, "random"]
    assert list(verdict.agreement.spearman) == scores
    assert verdict == explanation().check("mean", reference=("the cat sat", "She said that"))


def test_on_the_demo_model_the_flow_finds_what_carries_the_prediction() -> None:
    for verdict in (trained().check(), with_small_graph()):
        by_score = {curve.score: curve.cmd for curve in verdict.curves}
        assert min(by_score, key=by_score.__getitem__) == "flow"
        assert by_score["flow"] < 0.2 < by_score["random"]


def test_on_the_demo_model_the_blend_foresees_single_ablations_at_least_as_the_gradient() -> None:
    found = trained().check("resample", other=SPAIN)
    correlation = found.agreement.spearman
    assert correlation["blend"] >= correlation["gradient"] > correlation["flow"]
    by_score = {curve.score: curve.cpr for curve in found.curves}
    assert by_score["blend"] > by_score["gradient"] + 0.2


def test_a_small_graph_recovers_what_was_asked_and_needs_its_weakest() -> None:
    small = with_small_graph().smallest
    assert small is not None
    assert small.kept.recovered >= 0.5
    assert len(small.nodes) == small.kept.size < 400
    assert small.without_weakest is not None
    assert small.without_weakest.recovered < 0.5


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"against": "median"}, "takes one of zero, mean, resample"),
        ({"against": "mean"}, "holds no prompt"),
        ({"against": "resample"}, "The prompt is empty"),
        ({"against": "resample", "other": "the cat"}, "at least as long"),
        ({"against": "mean", "reference": ("the cat", "")}, "The prompt is empty"),
    ],
)
def test_what_cannot_be_checked_is_said(choices: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        explanation().check(**choices)  # type: ignore[arg-type]


def test_the_report_says_what_was_replaced_and_what_is_left() -> None:
    verdict = with_small_graph()
    report, kept, small = text(trained().graph, verdict), verdict.recovery.kept, verdict.smallest
    assert small is not None
    assert "every component replaced by the values on another prompt" in report
    assert f"{kept.size} components kept" in report
    assert "20 of the same size and kinds" in report
    assert f"A small graph that recovers 50%: {small.kept.size:,} components" in report
    assert "Its weakest is" in report
    assert max(map(len, report.splitlines())) < 130


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "flowviz", "check", *arguments]
    return subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=120)


def test_the_command_prints_the_report(tmp_path: Path) -> None:
    reference = tmp_path / "prompts.txt"
    reference.write_text("The capital of Spain is\nMary and John\n")
    done = command("The capital of Japan is", "--against", "mean", "--reference", str(reference))
    assert done.returncode == 0, done.stderr
    assert "replaced by the mean over 2 prompts" in done.stdout
    assert "Agreement with ablation one by one" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", "--other", "b"), "belong together"),
        (("a", "--reference", "x.txt"), "is for --against mean"),
        (("a", "--against", "mean", "--reference", "/no/such/file"), "cannot be read"),
        (("a", "--smallest", "2"), "a number above 0 and up to 1"),
        (("", "--against", "zero"), "The prompt is empty"),
    ],
)
def test_the_command_refuses_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
