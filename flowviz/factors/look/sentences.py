"""The sentences of a corpus that a survey names, as it keeps them: text, place, where words are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from flowviz.contexts.corpus.align import word_of
from flowviz.contexts.corpus.types import Word
from flowviz.contexts.encode.types import Reader, Tokens
from flowviz.contexts.store.types import Stored
from flowviz.errors import RequestError


@dataclass(frozen=True)
class Kept:
    """One sentence, or one piece of a sentence that was read in pieces.

    Args:
        spans: for each word its first character in the text and the one behind its last.
    """

    text: str
    part: str
    place: str
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, stored: Stored) -> Kept:
        """What is kept of a sentence as it was read."""
        one = stored.sentence
        spans = tuple((word.start, word.end) for word in one.words)
        return cls(one.text, one.part, one.place, spans)

    def read(self, reader: Reader) -> Read:
        """The sentence as the model reads it."""
        tokens = reader.tokens(self.text)
        words = tuple(Word(self.text[start:end], start, end) for start, end in self.spans)
        return Read(self, tokens, words, word_of(words, tokens.spans))


@dataclass(frozen=True, eq=False)
class Read:
    """A kept sentence with its tokens.

    Args:
        word_of: for each token the index of its word, -1 for none.
    """

    kept: Kept
    tokens: Tokens
    words: tuple[Word, ...]
    word_of: tuple[int, ...]

    def form(self, position: int) -> str:
        """The word that a token belongs to; "" for none."""
        index = self.word_of[position]
        return self.words[index].form if index >= 0 else ""


def written(sentences: Iterable[Kept]) -> bytes:
    """Sentences as JSON, in order."""
    rows = [(one.text, one.part, one.place, sum(one.spans, ())) for one in sentences]
    return orjson.dumps(rows)


def read_back(text: bytes) -> tuple[Kept, ...]:
    """What `written` wrote. Raises ValueError for anything else."""
    rows = orjson.loads(text)
    if not isinstance(rows, list):
        raise ValueError("no list of sentences")
    return tuple(map(_kept, rows))


def _kept(row: object) -> Kept:
    if not isinstance(row, list) or len(row) != 4:
        raise ValueError("a sentence that is no list of four")
    text, part, place, flat = row
    if not all(isinstance(each, str) for each in (text, part, place)):
        raise ValueError("a sentence without a text")
    if not isinstance(flat, list) or len(flat) % 2 or not all(type(each) is int for each in flat):
        raise ValueError("a sentence whose words have no places")
    spans = tuple(zip(flat[::2], flat[1::2], strict=True))
    last = 0
    for start, end in spans:
        if not last <= start <= end <= len(text):
            raise ValueError("a sentence whose words are not in order")
        last = end
    return Kept(text, part, place, spans)


def sentence_of(sentences: Mapping[int, Kept], number: int) -> Kept:
    """A sentence by its number. Raises RequestError where it is not kept."""
    if number not in sentences:
        raise RequestError(
            f"Sentence {number:,} is not among those that this survey keeps. Choose a context that "
            "is listed for a factor."
        )
    return sentences[number]
