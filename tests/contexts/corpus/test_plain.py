"""Plain text: sentences by the stated rule, words by the stated rule, places that are true."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.sentences import MOST_SENTENCE, Splitter
from flowviz.contexts.corpus.types import Corpus, Sentence
from flowviz.contexts.corpus.words import words_of
from tests.contexts.corpus.reading import of, write


def split(*lines: str) -> list[str]:
    splitter, found = Splitter(), list[tuple[int, str]]()
    for number, line in enumerate(lines, 1):
        found += splitter.line(number, line)
    return [text for _, text in [*found, *splitter.end()]]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three? Four", 4),
        ("It costs 3.14 or 1,000.50 today. Yes.", 2),
        ("Dr. Smith met Mrs. Jones. They spoke.", 2),
        ("J. K. Rowling wrote it. So did I. Then we left.", 3),
        ("It is in the U.S. Senate.", 1),
        ("See e.g. the rest, i.e. nothing, etc. and so on.", 1),
        ("“Is it?” she said. “No!” “Yes.”", 3),
        ("He left. (She stayed.) They met.", 3),
        ("1. Introduction and more. 2. Method.", 2),
        ("It was 1990. The war ended.", 2),
        ("Wait... what? Well... Then go.", 3),
        ("我喜欢。你呢？他说：“好。”对。", 4),
        ("東京です。「はい。」と言った。", 3),
        ("هل هذا كتاب؟ نعم.", 2),
        ("यह एक वाक्य है। यह दूसरा है।", 2),
        ("Das ist z.B. gut. Der Nr. 5 nicht.", 2),
        ("example.com is a site. version 1.2.3 is out.", 1),
        ("No full stop", 1),
        ("...", 1),
        ("", 0),
    ],
)
def test_sentences_by_hand(text: str, count: int) -> None:
    assert len(split(text)) == count, split(text)


def test_lines_are_spaces_and_blank_lines_ends() -> None:
    assert split("A title", "", "It goes", "  on. And", "on", "\t", "End") == [
        "A title", "It goes on.", "And on", "End"
    ]  # fmt: skip


def test_a_sentence_tells_the_line_it_begins_in(tmp_path: Path) -> None:
    sentences, _ = of(tmp_path, "One\nis. Two\nis.\n\n\nThree. Four.\n", "made.txt")
    assert [s.place.rpartition(":")[2] for s in sentences] == ["1", "2", "6", "6"]


TEXTS = st.lists(st.text(alphabet="aB 1.?!\"'。”…(\t", max_size=40), max_size=6)


@settings(deadline=None)
@given(TEXTS)
def test_no_character_is_lost_and_none_is_new(lines: list[str]) -> None:
    joined = "".join("".join(split(*lines)).split())
    assert joined == "".join("".join(lines).split())


@settings(deadline=None)
@given(st.text(alphabet='aB 1.?!"。”…', max_size=80), st.integers(1, 20))
def test_where_lines_break_changes_nothing(text: str, width: int) -> None:
    """A paragraph in one line gives the sentences that it gives in many."""
    words = text.split()
    lines = [" ".join(words[i : i + width]) for i in range(0, len(words), width)]
    assert split(*lines) == split(" ".join(words))


def test_what_has_no_end_is_cut_at_a_space() -> None:
    found = split("word " * 5_000)
    assert max(map(len, found)) <= MOST_SENTENCE
    assert " ".join(found).split() == ["word"] * 5_000
    assert max(map(len, split("a" * 10_000))) <= MOST_SENTENCE


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Don't panic, it's l’eau!", ["Don't", "panic", ",", "it's", "l’eau", "!"]),
        ("3.14 and 1,000 or 12:30", ["3.14", "and", "1,000", "or", "12", ":", "30"]),
        ("well-known (re)read", ["well", "-", "known", "(", "re", ")", "read"]),
        ("wait... what?! --", ["wait", "...", "what", "?", "!", "--"]),
        ("我喜欢 Tokyo 東京カメラ", ["我", "喜", "欢", "Tokyo", "東", "京", "カ", "メ", "ラ"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("cafe\u0301 naïve", ["cafe\u0301", "naïve"]),
        ("می‌خواهم بروم.", ["می‌خواهم", "بروم", "."]),
        ("👩‍👩‍👧😀👍🏽🇫🇷🇯🇵!", ["👩‍👩‍👧", "😀", "👍🏽", "🇫🇷", "🇯🇵", "!"]),
        ("3rd x_y 'quoted'", ["3rd", "x_y", "'", "quoted", "'"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("a\u200b\ufeff b\x1b", ["a", "b"]),
        ("", []),
    ],
)
def test_words_by_hand(text: str, forms: list[str]) -> None:
    assert [word.form for word in words_of(text)] == forms


@settings(deadline=None)
@given(st.text(max_size=60))
def test_words_stand_where_they_say_and_leave_nothing_to_see(text: str) -> None:
    words, end, rest = words_of(text), 0, ""
    for word in words:
        assert text[word.start : word.end] == word.form
        assert word.start >= end
        rest, end = rest + text[end : word.start], word.end
    assert not any(c.isprintable() and not c.isspace() for c in rest + text[end:])


def test_plain_text_is_a_corpus_that_says_it_is_bare(tmp_path: Path) -> None:
    corpus = open_corpus(write(tmp_path, "One is. Two are.", "made.txt"))
    assert isinstance(corpus, Corpus)
    assert corpus.annotations == ()
    assert "without annotations" in corpus.notes[0]
    ((first, _), (second, done)) = corpus.read()
    assert isinstance(first, Sentence)
    assert isinstance(second, Sentence)
    assert (first.text, first.part, first.place) == ("One is.", "made.txt", "made.txt:1")
    assert all(w.upos == w.deprel == w.entity == w.lemma == "" for w in first.words)
    assert done == corpus.bytes


def test_any_name_is_plain_text(tmp_path: Path) -> None:
    sentences, _ = of(tmp_path, "One is.", "notes.md")
    assert [s.text for s in sentences] == ["One is."]
