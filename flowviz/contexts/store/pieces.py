"""A sentence as the model reads it: whole, or in pieces where it has too many tokens.

A piece ends where a word does, or before a space, where there is one in its second half, and else
behind any token. It is read on its own, special tokens and all; a governor that stands outside of
it is left out. The pieces of a sentence hold all of its characters; a word that is longer than a
piece stands, with the characters that are there, in each of those that it reaches into.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flowviz.contexts.corpus.align import word_of
from flowviz.contexts.corpus.types import NO_GOVERNOR, Sentence, Word
from flowviz.contexts.encode.types import Reader, Tokens
from flowviz.contexts.store.types import Stored
from flowviz.errors import RequestError


def as_read(reader: Reader, sentence: Sentence, most_tokens: int) -> Iterator[Stored]:
    """The sentence, or its pieces in order, each of at most so many tokens.

    Raises:
        RequestError: one character alone has more tokens.
    """
    tokens = reader.tokens(sentence.text)
    if len(tokens) <= most_tokens:
        yield _stored(sentence, tokens)
        return
    long = _Long.of(sentence, tokens)
    room, start = most_tokens - sum(tokens.special), 0
    while start < len(sentence.text):
        piece, start = _piece(reader, long, start, room, most_tokens)
        yield piece


@dataclass(frozen=True)
class _Long:
    """A sentence that is cut.

    Args:
        tokens: behind which character each of its tokens ends; words: the same of its words.
    """

    sentence: Sentence
    tokens: list[int]
    words: list[int]

    @classmethod
    def of(cls, sentence: Sentence, tokens: Tokens) -> _Long:
        ends = {end for begin, end in tokens.spans if end > begin}
        return cls(sentence, sorted(ends), [word.end for word in sentence.words])

    def end(self, start: int, room: int) -> int:
        """Behind which character a piece of at most so many tokens ends."""
        text, first = self.sentence.text, bisect_right(self.tokens, start)
        if len(self.tokens) - first <= room:
            return len(text)
        last = self.tokens[first + room - 1]
        half = (start + last) // 2
        place = bisect_right(self.words, last) - 1
        if place >= 0 and self.words[place] > half:
            return self.words[place]
        space = text.rfind(" ", half + 1, last)
        return space if space > half else last

    def between(self, start: int, end: int) -> Sentence:
        """What of it stands between two characters."""
        inside = list[int]()
        for number in range(bisect_right(self.words, start), len(self.words)):
            if self.sentence.words[number].start >= end:
                break
            inside.append(number)
        places = {number: place for place, number in enumerate(inside)}
        words = [_within(self.sentence.words[number], start, end, places) for number in inside]
        place = f"{self.sentence.place}, characters {start + 1}-{end}".removeprefix(", ")
        text = self.sentence.text[start:end]
        return replace(self.sentence, text=text, words=tuple(words), place=place)


def _piece(
    reader: Reader, long: _Long, start: int, room: int, most_tokens: int
) -> tuple[Stored, int]:
    """The piece that begins at a character, and the character behind it.

    On its own a text may have other tokens than as part of a sentence; where they are too many,
    fewer are tried, and at last each character.
    """
    while True:
        end = long.end(start, room) if room > 0 else start + 1
        piece = long.between(start, end)
        tokens = reader.tokens(piece.text)
        if len(tokens) <= most_tokens:
            return _stored(piece, tokens), end
        if room <= 0:
            raise RequestError(
                f"The character {piece.text!r} has {len(tokens)} tokens; at most {most_tokens} are "
                "read at once."
            )
        room = min(room - 1, room * most_tokens // len(tokens))


def _within(word: Word, start: int, end: int, places: dict[int, int]) -> Word:
    first, last = max(word.start, start), min(word.end, end)
    whole = (first, last) == (word.start, word.end)
    return replace(
        word,
        form=word.form if whole else word.form[first - word.start : last - word.start],
        start=first - start,
        end=last - start,
        head=word.head if word.head < 0 else places.get(word.head, NO_GOVERNOR),
    )


def _stored(sentence: Sentence, tokens: Tokens) -> Stored:
    return Stored(sentence, tokens, word_of(sentence.words, tokens.spans))
