"""The worked study of contexts: its page says what the models that ship give."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from docs.contexts_dealt import DEAL, conllu, dealt
from docs.contexts_study import MARKS, PAGE
from docs.contexts_tables import differs, held, table
from flowviz.__main__ import parser
from flowviz.contexts.corpus.types import ROOT, Sentence, Word

TOLD = PAGE.read_text().split(MARKS[0])[1].split(MARKS[1])[0]


def test_the_page_says_what_is_measured() -> None:
    """In a process of its own, where no argument is checked."""
    found = subprocess.run(
        [sys.executable, "-m", "docs.contexts_study", "--check"], capture_output=True, text=True,
        cwd=PAGE.parent.parent, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr[-2000:]
    assert found.stdout.startswith("10 rows of the page were measured again: none differs.")


def test_other_numbers_are_told() -> None:
    row = ("BERT", "L1 H4", "0.40", "0.30", "0.35", "0.20 to 0.50", "0.04")
    assert not differs(row, (*row[:4], "0.36", "0.21 to 0.50", "0.04"))
    assert differs(row, (*row[:4], "0.38", "0.20 to 0.50", "0.04"))
    assert differs(row, (*row[:4], "0.35", "0.20 to 0.56", "0.04"))
    assert differs(row, (*row[:4], "-0.35", "0.20 to 0.50", "0.04"))
    assert differs(row, (*row[:4], "nan", "0.20 to 0.50", "0.04"))


def test_a_row_that_differs_fails(capsys: pytest.CaptureFixture[str]) -> None:
    same, other = ("a", "0.10", "0.00 to 0.20", "0.1"), ("a", "0.90", "0.00 to 0.20", "0.1")
    assert held([(same, same)]) == 0
    assert held([(same, same), (same, other)]) == 1
    assert "measured: ('a', '0.90'" in capsys.readouterr().out


def test_its_commands_parse() -> None:
    commands = re.findall(r"-m flowviz (.*)", PAGE.read_text())
    assert len(commands) == 3
    for command in commands:
        parser().parse_args(shlex.split(command))


def test_the_prose_names_what_the_tables_have() -> None:
    prose = PAGE.read_text().split(MARKS[1])[1]
    heads = set(re.findall(r"L\d H\d", prose))
    shares = set(re.findall(r"-?0\.\d\d", prose))
    assert heads
    assert shares
    assert heads <= set(re.findall(r"L\d H\d", TOLD))
    assert shares <= set(re.findall(r"-?0\.\d\d", TOLD))


def test_the_corpus_is_dealt_whole_and_alike() -> None:
    parts = [part for part, _ in dealt()]
    for part in DEAL:
        assert abs(parts.count(part) - len(parts) * DEAL.count(part) / len(DEAL)) < 2


def test_a_sentence_becomes_a_treebanks() -> None:
    words = (
        Word("He", 0, 2, "he", "PRON", "", "", "nsubj", 1),
        Word("left", 3, 7, "leave", "VERB", "", "Tense=Past", "root", ROOT),
    )
    assert conllu("asked", Sentence("He left", words, "stories", "stories 1")) == (
        "# newdoc id = asked\n# sent_id = stories 1\n# text = He left\n"
        "1\tHe\the\tPRON\t_\t_\t2\tnsubj\t_\t_\n2\tleft\tleave\tVERB\t_\tTense=Past\t0\troot\t_\t_\n\n"
    )


def test_a_table_by_hand() -> None:
    assert table("a | b", [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
