"""`flowviz analyse`: its result alone goes out, and what is faulty is refused before torch."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from flowviz import analyses
from flowviz.__main__ import main, parser
from flowviz.analyses import Prompt, result_json, search_token, target_course
from flowviz.commands import analyse as command
from flowviz.commands.analyse import _Watched
from tests.models import save_model
from tests.test_cli import BEFORE_TORCH, python


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model("gpt2", tmp_path_factory.mktemp("analyse") / "mine"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["overlap", "--set", "nosuch"], "No set of prompts is called"),
        (["overlap", "--group", "nosuch"], "of the group 'nosuch'"),
        (["overlap", "--k", "0"], "k is '0'"),
        (["neurons", "--n", "x"], "n is 'x'"),
        (["neurons", "--threshold", "2"], "above 0 and up to 1"),
        (["search"], "No token is given"),
        (["overlap", "Tokyo"], "takes no token"),
        (["overlap", "--prompts", "/nowhere/at/all"], "cannot be read"),
        (["overlap", "--prompts", "."], "cannot be read"),
        (["overlap", "--prompt", ""], "The prompt is empty"),
        (["overlap", "--answer", "x"], "belongs to --prompt"),
        (["overlap", "--table", "among"], "belongs to --csv"),
        (["overlap", "--csv", "--table", "heads"], "has no table 'heads'; it has by_layer"),
        (["overlap", "--csv", "--json"], "not allowed with"),
        (["overlap", "--set", "phenomena", "--prompt", "x"], "not allowed with"),
        (["nosuch"], "invalid choice"),
        (["overlap", "--model", "/nowhere/at/all"], "Give a folder"),
        (["overlap", "--device", "gpu"], "is no device"),
    ],
)
def test_what_is_faulty_is_refused_before_torch(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture, monkeypatch
) -> None:
    import flowviz.models.loading

    def never(*_given: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(flowviz.models.loading, "load_model", never)
    try:
        code = main(["analyse", *arguments])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["analyse", "--help"], ["analyse", "search"]])
def test_it_does_not_import_torch_before_it_must(arguments: list[str]) -> None:
    ran = python("-c", BEFORE_TORCH.format(arguments=arguments))
    assert ran.stderr.splitlines()[-1] == "heavy: []"


def out(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert main(["analyse", *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_json_is_what_the_function_gives(capsys: pytest.CaptureFixture, folder: str) -> None:
    from flowviz.models.loading import load_model

    prompts = [Prompt("the cat sat\ton", " the")]
    given = ("--prompt", "the cat sat\ton", "--answer", " the")
    printed = json.loads(out(capsys, "target", "--model", folder, "--json", *given))
    wanted = json.loads(result_json(target_course(load_model(folder), prompts)))
    assert printed["groups"][0]["rank"] == wanted["groups"][0]["rank"]
    assert printed["outcomes"][0]["prompt"]["text"] == "the cat sat\ton"
    searched = json.loads(out(capsys, "search", " the", "--model", folder, "--json"))
    match = search_token(load_model(folder), " the").promoting_neurons[0]
    assert searched["promoting_neurons"][0]["index"] == match.index


def test_a_file_and_standard_input_are_read(
    capsys: pytest.CaptureFixture, folder: str, tmp_path: Path, monkeypatch
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_bytes("\ufeffthe cat\t sat\nMary and\n".encode())
    given = ("target", "--model", folder, "--csv", "--table", "prompts")
    table = out(capsys, *given, "--prompts", str(file))
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["prompt"] for row in rows] == ["the cat", "Mary and"]
    monkeypatch.setattr("sys.stdin", io.StringIO("the cat\t sat\nMary and\n"))
    assert out(capsys, *given, "--prompts", "-") == table


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"a\nb\tno such token", "Prompt 2: 'no such token' is not one token"),
        (b"a\tb\tc\td", "Line 1: It has more than three columns"),
        (b"x" * 900_000, "900,000 characters|too long|800,001 characters"),
    ],
)
def test_hostile_files_are_refused(
    capsys: pytest.CaptureFixture, folder: str, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_bytes(content)
    assert main(["analyse", "target", "--model", folder, "--prompts", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert any(word in printed.err for word in words.split("|"))


def test_progress_is_written_over_and_cleared(capsys: pytest.CaptureFixture) -> None:
    watched = _Watched(seen=True)
    watched("Prompt 1 of 2", 0.0)
    watched("Done", 1.0)
    watched.end()
    assert capsys.readouterr().err.split("\r")[1:] == [
        "  0%  Prompt 1 of 2", "100%  Done         ", " " * 19, "",
    ]  # fmt: skip
    _Watched(seen=False)("Prompt", 0.5)
    assert capsys.readouterr().err == ""


def test_a_person_can_interrupt_it(capsys: pytest.CaptureFixture, folder: str, monkeypatch) -> None:
    def interrupted(self: _Watched, _stage: str, _fraction: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command._Watched, "__call__", interrupted)
    assert main(["analyse", "target", "--model", folder, "--prompt", "the cat"]) == 130
    assert capsys.readouterr().out == ""


DOCUMENT = (Path(__file__).parents[2] / "docs" / "analyses.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/python -m flowviz (.*)$", DOCUMENT, re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_document_is_one(line: str) -> None:
    chosen = parser().parse_args(shlex.split(line))
    assert command._request(chosen).analysis == chosen.analysis


def test_the_python_of_the_document_names_what_there_is() -> None:
    names = set(re.findall(r"analyses\.(\w+)\(", DOCUMENT))
    assert names == {
        "shipped", "overlap", "target_course", "norm_filters", "active_neurons", "search_token",
    }  # fmt: skip
    assert all(callable(getattr(analyses, name)) for name in names)
