"""Sets of prompts: what ships is what the command prints; what is no prompt is refused."""

from __future__ import annotations

import pytest

from flowviz.__main__ import main
from flowviz.analyses.prompts import (
    FOLDER,
    groups,
    prompts_from,
    read_prompts,
    shipped,
    write_prompts,
)
from flowviz.analyses.types import Prompt
from flowviz.errors import RequestError


def test_the_set_that_ships_is_what_the_command_prints(capsys: pytest.CaptureFixture) -> None:
    assert main(["demo", "prompts"]) == 0
    assert capsys.readouterr().out == (FOLDER / "phenomena.tsv").read_text(encoding="utf-8")


def test_another_seed_draws_others_and_fewer_cases_are_the_first(
    capsys: pytest.CaptureFixture,
) -> None:
    assert main(["demo", "prompts", "--cases", "2"]) == 0
    few = read_prompts(capsys.readouterr().out)
    assert main(["demo", "prompts", "--cases", "2", "--seed", "other"]) == 0
    other = read_prompts(capsys.readouterr().out)
    assert set(few) <= set(shipped("phenomena"))
    assert not set(other) <= set(shipped("phenomena"))


@pytest.mark.parametrize("cases", ["0", "-1", "1001"])
def test_an_impossible_number_of_cases_is_refused(capsys: pytest.CaptureFixture, cases) -> None:
    assert main(["demo", "prompts", "--cases", cases]) == 2
    assert "whole number from 1 to 1000" in capsys.readouterr().err


def test_every_answer_is_one_token_of_the_demo_model() -> None:
    import flowviz

    vocabulary = flowviz.load_model("demo").vocabulary
    prompts = shipped("phenomena")
    assert {prompt.group for prompt in prompts} == set(groups("phenomena"))
    for prompt in prompts:
        assert prompt.answer is not None
        assert vocabulary.text(vocabulary.resolve(prompt.answer)) == prompt.answer
        assert prompt.text == prompt.text.rstrip() or prompt.text
    counts = [sum(prompt.group == group for prompt in prompts) for group in groups("phenomena")]
    assert 12 <= min(counts) <= max(counts) <= 20


def test_what_is_written_is_read_back() -> None:
    prompts = (
        Prompt("a\tb\nc\\n", "\n", "x"),
        Prompt("# no comment"),
        Prompt("a # b", "#7"),
        Prompt(" spaces stay ", " so"),
    )
    assert read_prompts(write_prompts(prompts)) == prompts


def test_comments_and_empty_lines_say_nothing() -> None:
    assert read_prompts("# one\n\n  \r\na\r\n\\# b\n") == (Prompt("a"), Prompt("# b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb\tc\td\te\n", "Line 2: It has more than three columns"),
        ("a\n\tb\n", "Line 2: The prompt is empty"),
        ("a\0b", "Line 1: The prompt holds a NUL"),
        ("a\t" + "b" * 201, "Line 1: The answer"),
        ("a\tb\0", "Line 1: The answer"),
        ("x" * 20_001, "Line 1: The prompt has 20,001 characters"),
        ("x\n" * 1001, "1,001 prompts; at most 1,000"),
        ("x" * 200_001, "200,001 characters"),
        (b"bytes", "no text"),
        (None, "no text"),
    ],
)
def test_hostile_files_are_refused_with_the_line(text, words) -> None:
    with pytest.raises(RequestError, match=words):
        read_prompts(text)


@pytest.mark.parametrize(
    ("name", "text", "group", "words"),
    [
        ("", "", "", "no prompts"),
        ("", "# nothing", "", "no prompts"),
        ("phenomena", "a", "", "Choose one"),
        ("phenomena", "", "no group", "of the group 'no group'"),
        ("../secrets", "", "", "No set of prompts is called"),
    ],
)
def test_a_choice_of_no_prompts_is_refused(name, text, group, words) -> None:
    with pytest.raises(RequestError, match=words):
        prompts_from(name, text, group)
