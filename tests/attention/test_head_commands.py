"""`flowviz why`, `flowviz neurons` and the Python way: refused before torch, the same numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import flowviz
from flowviz.__main__ import main
from flowviz.attention.neuron_types import Decay
from flowviz.errors import RequestError
from flowviz.views.head.words import attended, figure
from flowviz.views.tokens import width
from flowviz.views.words import signed
from tests.encoders.models import save_encoder
from tests.models import save_model
from tests.test_cli import BEFORE_TORCH, ROOT

PROMPT = "Mary and John went to the store and Mary and John"
SET = ["--set", "phenomena"]
HEAD = ["--layer", "1", "--head", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("gpt2", tmp_path_factory.mktemp("head") / "mine"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["why", "--help"], 0, "--rank"),
        (["why", "x"], 2, "the following arguments are required: --layer, --head"),
        (["why", "", *HEAD], 2, "The prompt is empty"),
        (["why", "x", "--layer", "one", "--head", "2"], 2, "layer is 'one'"),
        (["why", "x", *HEAD, "--n", "61"], 2, "n is '61'"),
        (["why", "x", *HEAD, "--rank", "luck"], 2, "invalid choice"),
        (["why", "x", *HEAD, "--json", "--text"], 2, "not allowed with"),
        (["why", "x", *HEAD, "--model", "/nowhere/at/all"], 2, "Give a folder"),
        (["neurons", "--help"], 0, "--set"),
        (["neurons", *HEAD], 2, "one of the arguments prompt --set is required"),
        (["neurons", "x", *HEAD, "--query", "-1"], 2, "query is '-1'"),
        (["neurons", "x", *HEAD, "--group", "induction"], 2, "--group is about a set"),
        (["neurons", "--set", "nothing", *HEAD], 2, "No set of prompts is called 'nothing'"),
        (["neurons", *SET, *HEAD, "--query", "1"], 2, "--query is about one prompt"),
        (["neurons", *SET, *HEAD, "--second", "x"], 2, "--second is about one prompt"),
        (["neurons", "x", *HEAD, "--mask", "a"], 2, "mask is 'a'"),
        (["why", "x", *HEAD, "--part", "tail"], 2, "decoder, encoder, cross"),
        (["neurons", *SET, "--group", "x", *HEAD], 2, "no prompts of the group 'x'"),
    ],
)  # fmt: skip
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
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def test_why_prints_the_split(folder: str, capsys: pytest.CaptureFixture) -> None:
    asked = ("why", PROMPT, *HEAD, "--query", "6", "--key", "2", "--n", "5", "--model", folder)
    report = printed(capsys, *asked)
    found = flowviz.why(PROMPT, 1, 2, folder, query=6, key=2, n=5)
    assert (found.layer, found.head, found.query, found.key) == (1, 2, 6, 2)
    assert f"{attended(found.weight)} of its attention" in report
    for part in (*found.query_parts, *found.key_parts):
        assert f"{figure(part.beyond):>12}{figure(part.share):>12}" in report
    assert f"{signed(found.product):>12}" in report
    assert all(width(line) <= 100 for line in report.splitlines())
    back = flowviz.read_head(printed(capsys, *asked, "--json", "--rank", "share"))
    assert isinstance(back, type(found))
    np.testing.assert_allclose(back.pattern, found.pattern)
    sizes = [abs(part.share) for part in back.query_parts[:5]]
    assert sizes == sorted(sizes, reverse=True)


def test_neurons_prints_what_decides(folder: str, capsys: pytest.CaptureFixture) -> None:
    asked = ("neurons", PROMPT, *HEAD, "--query", "6", "--model", folder)
    report = printed(capsys, *asked)
    view = flowviz.neuron_view(PROMPT, 1, 2, folder, query=6)
    for dim in view.strongest[:3]:
        assert f"dimension {dim} " in report
        assert f"{signed(float(view.deciding[dim])):>12}{signed(float(view.q[dim])):>12}" in report
    assert view.decay is not None
    assert f"{attended(float(view.pattern.max()))} of its attention" in report
    assert all(width(line) <= 100 for line in report.splitlines())
    back = flowviz.read_head(printed(capsys, *asked, "--json"))
    assert isinstance(back, type(view))
    np.testing.assert_array_equal(back.k, view.k)


def test_a_set_prints_the_distances(capsys: pytest.CaptureFixture) -> None:
    asked = ("neurons", *SET, "--group", "induction", *HEAD)
    report = printed(capsys, *asked)
    decay = flowviz.read_head(printed(capsys, *asked, "--json"))
    assert isinstance(decay, Decay)
    assert "of tokens of 15 prompts" in " ".join(report.split())
    for dim in decay.strongest[:12]:
        assert f"{signed(float(decay.slopes[dim])):>16}" in report


def test_prompts_of_ones_own_and_faults(folder: str) -> None:
    both = flowviz.distance_decay(1, 2, folder, prompts=[PROMPT, "Mary went to the store"])
    assert both.prompts == 2
    with pytest.raises(RequestError, match="a list of prompts"):
        flowviz.distance_decay(1, 2, folder, prompts=PROMPT)
    with pytest.raises(RequestError, match="no head 9"):
        flowviz.why(PROMPT, 1, 9, folder)
    with pytest.raises(RequestError, match="layer is '-1'"):
        flowviz.neuron_view(PROMPT, -1, 2, folder)


def test_a_gpt_reads_what_follows_and_has_no_mask(folder: str) -> None:
    joined = flowviz.neuron_view("Mary and", 1, 2, folder, second=" John")
    alone = flowviz.neuron_view("Mary and John", 1, 2, folder)
    np.testing.assert_array_equal(joined.k, alone.k)
    with pytest.raises(RequestError, match="is a GPT, which has no mask"):
        flowviz.why(PROMPT, 1, 2, folder, mask=[2])
    with pytest.raises(RequestError, match="has no part cross"):
        flowviz.neuron_view(PROMPT, 1, 2, folder, part="cross")
    with pytest.raises(RequestError, match="'layers' is not taken here"):
        flowviz.why(PROMPT, 1, 2, folder, layers=3)


def test_an_encoder_is_asked_the_same_way(tmp_path: Path) -> None:
    folder = str(save_encoder("bert", tmp_path / "bert"))
    view = flowviz.neuron_view("the cat sat", 1, 2, folder, query=1, second="a dog")
    assert len(view.k) == len(view.tokens) > 5
    assert view.part == "encoder"
    found = flowviz.why("the cat sat", 1, 2, folder, query=1, key=3, second="a dog")
    assert (found.query, found.key, len(found.pattern)) == (1, 3, len(view.tokens))
    assert found.exact
    np.testing.assert_allclose(found.pattern, view.pattern, atol=1e-6)
    same = flowviz.read_head(found.to_json())
    assert isinstance(same, type(found))
    np.testing.assert_array_equal(same.pairs, found.pairs)
    assert flowviz.distance_decay(1, 2, folder, prompts=["the cat sat", "a dog"]).prompts == 2
