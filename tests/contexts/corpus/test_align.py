"""Tokens find their words by characters: by hand, by property, and with real tokenizers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from flowviz.contexts.corpus.align import NO_WORD, word_of
from flowviz.contexts.corpus.types import Word
from flowviz.demo import ENCODER_FOLDER, MODEL_FOLDER

Span = tuple[int, int]


def cut(text: str, *spans: Span) -> tuple[Word, ...]:
    """The words at these places of a text."""
    return tuple(Word(text[start:end], start, end) for start, end in spans)


def words_at_spaces(text: str) -> tuple[Word, ...]:
    found, end = list[Word](), 0
    for form in text.split():
        start = text.index(form, end)
        end = start + len(form)
        found.append(Word(form, start, end))
    return tuple(found)


GAVE = cut("Mary gave it.", (0, 4), (5, 9), (10, 12), (12, 13))


@pytest.mark.parametrize(
    ("name", "words", "spans", "owners"),
    [
        ("a token a word", GAVE, [(0, 4), (5, 9), (10, 12), (12, 13)], (0, 1, 2, 3)),
        ("a leading space", GAVE, [(0, 4), (4, 9), (9, 12), (12, 13)], (0, 1, 2, 3)),
        ("pieces of a word", GAVE, [(0, 2), (2, 4), (4, 7), (7, 9)], (0, 0, 1, 1)),
        ("special tokens", GAVE, [(0, 0), (0, 4), (13, 13)], (-1, 0, -1)),
        ("more of the second word", GAVE, [(3, 9)], (1,)),
        ("as much of both: the first", GAVE, [(11, 13), (2, 7)], (2, 0)),
        ("several words", GAVE, [(0, 13)], (0,)),
        ("a space alone", GAVE, [(4, 5)], (-1,)),
        ("a word's last letter, a space and three letters", GAVE, [(3, 8)], (1,)),
        (
            "bytes of one character",
            cut("a 😀", (0, 1), (2, 3)),
            [(1, 3), (2, 3), (2, 3)],
            (1, 1, 1),
        ),
        ("a space within a word", cut("1 000 km", (0, 5), (6, 8)), [(1, 2), (1, 5)], (-1, 0)),
        ("behind the last word", GAVE, [(13, 20)], (-1,)),
        ("no words", (), [(0, 3)], (-1,)),
        ("text that no word has", cut("a -- b", (0, 1), (5, 6)), [(1, 4), (4, 6)], (-1, 1)),
    ],
)
def test_by_hand(
    name: str, words: tuple[Word, ...], spans: list[Span], owners: tuple[int, ...]
) -> None:
    assert word_of(words, spans) == owners, name


TEXTS = st.text(alphabet="ab é字😀\u0301 \n\t.", max_size=30)


@st.composite
def read(draw: st.DrawFn) -> tuple[str, tuple[Word, ...], list[Span]]:
    """A text, words in order that do not overlap, and any spans."""
    text = draw(TEXTS)
    marks = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    pairs = [pair for pair in pairwise(marks) if draw(st.booleans())]
    place = st.integers(0, len(text) + 2)
    spans = draw(st.lists(st.tuples(place, place).map(lambda p: (min(p), max(p))), max_size=12))
    return text, cut(text, *pairs), spans


def common(text: str, word: Word, span: Span) -> int:
    both = set(range(word.start, word.end)) & set(range(*span))
    return sum(not text[place].isspace() for place in both)


@settings(deadline=None)
@given(read())
def test_no_word_has_more_in_common_and_no_earlier_one_as_much(
    case: tuple[str, tuple[Word, ...], list[Span]],
) -> None:
    text, words, spans = case
    for span, owner in zip(spans, word_of(words, spans), strict=True):
        counts = [common(text, word, span) for word in words]
        if owner == NO_WORD:
            assert not any(counts)
        else:
            assert counts[owner] == max(counts) > 0
            assert max(counts[:owner], default=0) < counts[owner]


@settings(deadline=None)
@given(TEXTS)
def test_a_word_that_is_a_token_is_its_own(text: str) -> None:
    words = words_at_spaces(text)
    spans = [(word.start, word.end) for word in words]
    assert word_of(words, spans) == tuple(range(len(words)))


@pytest.mark.parametrize("folder", [MODEL_FOLDER, ENCODER_FOLDER])
@settings(deadline=None)
@given(st.lists(st.sampled_from(["Mary", "zebrafish", "naïve", "字", "😀", "1732", "Straße"])))
def test_real_tokens_tell_every_word_once(folder: object, forms: list[str]) -> None:
    """Joined by spaces, each token has the word of its characters, and no word is without one."""
    text = " ".join(forms)
    words = words_at_spaces(text)
    encoding = tokenizer(folder).encode(text)
    owners = word_of(words, [(int(start), int(end)) for start, end in encoding.offsets])
    assert {owner for owner in owners if owner != NO_WORD} == set(range(len(words)))
    for (start, end), owner in zip(encoding.offsets, owners, strict=True):
        inside = text[start:end].strip()
        assert inside in forms[owner] if owner != NO_WORD else not inside


def tokenizer(folder: object, known: dict[object, Tokenizer] = {}) -> Tokenizer:  # noqa: B006
    if folder not in known:
        known[folder] = Tokenizer.from_file(f"{folder}/tokenizer.json")
    return known[folder]
