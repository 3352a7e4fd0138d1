"""`flowviz block`: refuses before it loads, prints the block alone, as text or as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flowviz.__main__ import main
from flowviz.inside.json import read_block
from flowviz.views.tokens import width
from tests.models import save_model
from tests.test_cli import BEFORE_TORCH, ROOT

PROMPT = "The capital of Japan is the city of"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("mixtral", tmp_path_factory.mktemp("block") / "mine"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["block", "--help"], 0, "--memories"),
        (["block", "x"], 2, "required: --layers"),
        (["block", "", "--layers", "0"], 2, "The prompt is empty"),
        (["block", "x", "--layers", "0-9"], 2, "open at most 6 at once"),
        (["block", "x", "--layers", "first"], 2, "layers is 'first'"),
        (["block", "x", "--layers", "0", "--heads", "999"], 2, "from 0 to 200"),
        (["block", "x", "--layers", "0", "--rank", "size"], 2, "invalid choice"),
        (["block", "x", "--layers", "0", "--json", "--text"], 2, "not allowed with"),
        (["block", "x", "--layers", "0", "--model", "/nowhere/at/all"], 2, "Give a folder"),
        (["block", "x", "--layers", "0", "--dtype", "int4"], 2, "is no precision"),
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
    assert main(["block", *arguments]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    return out.out


def test_json_reads_back(capsys: pytest.CaptureFixture, folder: str) -> None:
    text = printed(capsys, "the cat sat", "--model", folder, "--layers", "0-1", "--at", "1",
                   "--target", " cat", "--heads", "1", "--high", "2", "--json")  # fmt: skip
    graph = read_block(text)
    assert (graph.model.name, graph.layers, graph.position) == ("mine", (0, 1), 1)
    assert graph.target.token.token == " cat"
    assert (graph.settings["heads"], graph.settings["high"]) == (1, 2)
    assert json.loads(text)["checks"]["exact"] is True


def test_the_report_names_every_part_within_a_terminals_width(
    capsys: pytest.CaptureFixture, folder: str
) -> None:
    text = printed(capsys, "the cat sat", "--model", folder, "--layers", "1")
    lines = text.splitlines()
    assert max(map(width, lines)) <= 100
    for words in ("Opened       block 1 of 3 at position", "part", "L1 pre", "L1 mid",
                  "L1 norm before the MLP", "L1 H0 query", "MLP output", "rest of L1",
                  "counts as exact", "at their positions"):  # fmt: skip
        assert words in text, words
    graph = read_block(printed(capsys, "the cat sat", "--model", folder, "--layers", "1", "--json"))
    head = next(line for line in lines if line.startswith("part"))
    assert len(lines) - lines.index(head) - 1 == len(graph.nodes)
    assert " gate  " in text
    assert " E" in text  # neurons are named with their expert


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--layers", "3"], "has blocks 0 to 2"),
        (["--layers", "0", "--at", "9"], "Position 9 was asked for"),
        (["--layers", "0", "--target", "no such token"], "is not one token of this model"),
        (["--layers", "0", "--position", "9"], "positions 0 to"),
    ],
)
def test_what_the_model_does_not_have_is_one_line(
    capsys: pytest.CaptureFixture, folder: str, arguments: list[str], words: str
) -> None:
    assert main(["block", "the cat sat", "--model", folder, *arguments]) == 2
    out = capsys.readouterr()
    assert (out.out, out.err.count("\n")) == ("", 1)
    assert words in out.err


def test_a_block_whose_flow_is_not_shown_says_so(
    capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    folder = str(save_model("deepseek_v3", tmp_path / "mine"))
    capsys.readouterr()
    text = printed(capsys, "the cat sat", "--model", folder, "--layers", "0")
    assert "NOT EXACT" in text
    assert "Queries      not read" in text
