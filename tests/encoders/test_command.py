"""`flowviz attention` on models that read both ways: what it prints, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flowviz
from flowviz.__main__ import main
from flowviz.attention.types import AttentionMaps
from flowviz.views.attention.report import of_prompt
from flowviz.views.tokens import width
from tests.encoders.models import random_encoder, save_encoder

PROMPT = "the cat sat on a mat"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root: Path = tmp_path_factory.mktemp("models")
    return {name: str(save_encoder(name, root / name)) for name in ("bert", "bart")}


def printed(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    capsys.readouterr()
    assert main(["attention", *arguments]) == 0
    return capsys.readouterr().out


def test_a_pair_with_a_hidden_word(folders: dict[str, str], capsys: pytest.CaptureFixture) -> None:
    asked = (PROMPT, "--model", folders["bert"], "--second", "she said", "--mask", "2")
    report = printed(capsys, *asked)
    assert "[CLS]the[cat]saton" in report
    for kind in ("next", "special"):
        assert f"\n{kind} " in report
    maps = flowviz.attention_maps(PROMPT, random_encoder("bert"), second="she said", mask=[2])
    best = maps.kinds.strongest("special", 1)[0]
    assert f"L{best.layer} H{best.head} {best.score:.3f}" in report
    assert all(width(line) <= 100 for line in report.splitlines())
    back = flowviz.read_attention(printed(capsys, *asked, "--json"))
    np.testing.assert_array_equal(back.weights, maps.weights)
    assert back.queries == maps.queries


def test_a_part_is_named_with_its_texts(
    folders: dict[str, str], capsys: pytest.CaptureFixture
) -> None:
    asked = (PROMPT, "--model", folders["bart"], "--second", "she said", "--part")
    lines = printed(capsys, *asked, "cross").splitlines()
    assert lines[1:5] == [
        "Part         cross (of encoder, decoder, cross)",
        "Prompt       [CLS]thecatsatonamat[SEP]",
        "Written      [PAD][CLS]shesaid",
        "Tokens       4, which look at 8",
    ]
    assert "Written      [PAD][CLS]shesaid" in printed(capsys, *asked, "decoder")
    assert main(["attention", *asked, "cross", "--weighting", "flow"]) == 2
    assert "Choose pattern or norm" in capsys.readouterr().err


def test_of_a_gpt_nothing_is_said_of_kinds_that_it_cannot_have() -> None:
    report = of_prompt(AttentionMaps.of(np.tri(3)[None, None] / 3, ["a", "b", "c"]))
    assert "\nnext " not in report
    assert "\nspecial " not in report
    assert "\nduplicate " in report


def test_only_attention_is_answered(folders: dict[str, str], capsys: pytest.CaptureFixture) -> None:
    for command in ("explain", "check"):
        assert main([command, PROMPT, "--model", folders["bert"]]) == 2
        assert "not a causal language model" in capsys.readouterr().err
