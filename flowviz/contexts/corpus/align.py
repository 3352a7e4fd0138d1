"""Which word each token of a model belongs to, by characters.

A token belongs to the word with which it has the most characters in common, to the first of them
where several have as many. White space is not counted, so that GPT-2's leading space never decides
and a token of white space alone belongs to no word. A token whose span is empty stands for no text
and belongs to none either. One that is a byte of a character has that character's word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from flowviz.contexts.corpus.types import Word

NO_WORD = -1


def word_of(words: Sequence[Word], spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """For each token the index of its word, or NO_WORD.

    Args:
        words: of one text, in order; none overlaps the next.
        spans: each token's first character in the text and the one behind its last.
    """
    ends = [word.end for word in words]
    return tuple(_owner(words, ends, start, end) for start, end in spans)


def _owner(words: Sequence[Word], ends: Sequence[int], start: int, end: int) -> int:
    best, most = NO_WORD, 0
    for index in range(bisect_right(ends, start), len(words)):
        word = words[index]
        if word.start >= end:
            break
        common = _shared(word, start, end)
        if common > most:
            best, most = index, common
    return best


def _shared(word: Word, start: int, end: int) -> int:
    """How many characters of the word lie in the span, white space aside."""
    piece = word.form[max(start - word.start, 0) : end - word.start]
    return len("".join(piece.split()))
