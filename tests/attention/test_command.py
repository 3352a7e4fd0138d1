"""`flowviz attention` and the Python way: refused before torch, the same numbers everywhere."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import flowviz
from flowviz.__main__ import main
from flowviz.attention.types import AttentionMaps, KindScores
from flowviz.errors import RequestError
from flowviz.graph.types import ModelShape
from flowviz.views.attention.report import of_prompt
from flowviz.views.tokens import width
from tests.models import random_model, save_model
from tests.test_cli import BEFORE_TORCH, ROOT

PROMPT = "Mary and John went to the store and Mary and John"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("gpt2", tmp_path_factory.mktemp("attention") / "mine"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["attention", "--help"], 0, "--find"),
        (["attention"], 2, "one of the arguments prompt --set is required"),
        (["attention", ""], 2, "The prompt is empty"),
        (["attention", "x", "--find", "nothing"], 2, "'nothing' is no kind of head"),
        (["attention", "x", "--find", "17"], 2, "an offset from -16 to 16"),
        (["attention", "x", "--weighting", "value"], 2, "invalid choice"),
        (["attention", "x", "--position", "-1"], 2, "position is '-1'"),
        (["attention", "x", "--mask", "a"], 2, "mask is 'a'"),
        (["attention", "x", "--part", "both"], 2, "it takes one of decoder, encoder, cross"),
        (["attention", "x", "--json", "--text"], 2, "not allowed with"),
        (["attention", "x", "--set", "phenomena"], 2, "not allowed with"),
        (["attention", "--set", "nothing"], 2, "No set of prompts is called 'nothing'"),
        (["attention", "--set", "phenomena", "--json"], 2, "about one prompt"),
        (["attention", "--set", "phenomena", "--group", "x"], 2, "no prompts of the group 'x'"),
        (["attention", "--set", "phenomena", "--mask", "2"], 2, "are about one prompt"),
        (["attention", "x", "--group", "induction"], 2, "--group is about a set"),
        (["attention", "x", "--model", "/nowhere/at/all"], 2, "Give a folder"),
    ],
)
def test_what_needs_no_model_does_not_import_torch(
    arguments: list[str], code: int, words: str
) -> None:
    program = BEFORE_TORCH.format(arguments=arguments)
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True,
                         text=True, timeout=120)  # fmt: skip
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (code, "heavy: []")
    assert words in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def printed(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    capsys.readouterr()
    assert main(["attention", *arguments]) == 0
    return capsys.readouterr().out


def test_the_report_has_the_finders_own_numbers(folder: str, capsys: pytest.CaptureFixture) -> None:
    report = printed(capsys, PROMPT, "--model", folder)
    maps = flowviz.attention_maps(PROMPT, folder)
    for kind in ("previous", "first", "same", "duplicate", "induction"):
        best = maps.kinds.strongest(kind, 1)[0]
        assert f"L{best.layer} H{best.head} {best.score:.3f}" in report
        assert f"by chance {maps.kinds.chance(kind):.3f})" in report
    assert all(width(line) <= 100 for line in report.splitlines())


def test_one_kind_is_listed_with_all_its_heads(folder: str, capsys: pytest.CaptureFixture) -> None:
    report = printed(capsys, PROMPT, "--model", folder, "--find", "3")
    counts = {report.count(f"L{layer} H{head} ") for layer in range(3) for head in range(4)}
    assert counts == {1}
    assert "looks 3 tokens back" in report
    assert "previous" not in report


def test_the_json_reads_back(folder: str, capsys: pytest.CaptureFixture) -> None:
    text = printed(capsys, PROMPT, "--model", folder, "--json", "--weighting", "norm")
    maps = flowviz.attention_maps(PROMPT, folder, weighting="norm")
    back = flowviz.read_attention(text)
    np.testing.assert_array_equal(back.weights, maps.weights)
    assert back.weighting == "norm"


def test_the_golden_report() -> None:
    previous = np.eye(4, k=-1)
    previous[0, 0] = 1
    report = of_prompt(AttentionMaps.of([np.stack([previous, np.eye(4)])], ["a", " b", "a", " b"]))
    assert report.splitlines()[:9] == [
        "Prompt       a␣ba␣b",
        "Tokens       4",
        "",
        "previous     looks at the token before (3 queries; by chance 0.361)",
        "             L0 H0 1.000   L0 H1 0.000",
        'first        looks at the first token ("null" attention) (3 queries; by chance 0.361)',
        "             L0 H0 0.333   L0 H1 0.000",
        "same         looks at the token itself (3 queries; by chance 0.361)",
        "             L0 H1 1.000   L0 H0 0.000",
    ]
    assert (
        report.splitlines()[-1] == "             L0 H0 1.000   L0 H1 0.000"
    )  # induction, one back


def test_what_no_token_has_is_said() -> None:
    maps = AttentionMaps.of(np.eye(2)[None, None], ["a", "b"])
    assert (
        "duplicate    looks at other occurrences of its token: no token here has such a place"
        in (of_prompt(maps))
    )


def test_an_explanation_has_the_attention_of_its_own_pass() -> None:
    explanation = flowviz.explain(PROMPT, random_model("gpt2"), position=3)
    maps = explanation.attention("flow")
    assert maps.target is not None
    assert maps.target.position == 3
    alone = flowviz.attention_maps(PROMPT, random_model("gpt2"), weighting="flow", position=3)
    np.testing.assert_array_equal(alone.weights, maps.weights)
    with pytest.raises(RequestError, match="it takes one of pattern, norm, flow"):
        explanation.attention("value")


def test_choices_that_are_none_are_refused() -> None:
    with pytest.raises(RequestError, match="attention_maps takes no 'layer'"):
        flowviz.attention_maps(PROMPT, random_model("gpt2"), layer=3)
    with pytest.raises(RequestError, match="a list of prompts"):
        flowviz.find_heads("the cat", random_model("gpt2"))


def test_heads_are_found_over_prompts_of_ones_own() -> None:
    found = flowviz.find_heads([PROMPT, "the cat"], random_model("gpt2"))
    assert isinstance(found.model, ModelShape)
    assert isinstance(found.kinds, KindScores)
    assert found.prompts == 2
