"""Which token of one prompt stands for which of the other.

1. The two targets stand for each other. What comes before them is aligned, and what comes behind.
2. Two stretches of one length are paired token by token, in order.
3. Else the tokens that both share are matched (Ratcliff and Obershelp 1988, as Python's difflib
   has it), the shorter stretch's against the longer's, so that swapping the two changes nothing.
   Between matches, tokens are paired from the right, because the last token of a phrase stands
   closest to what the prompt ends with; what is over on the longer side has no partner.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from flowviz.compare.types import Column
from flowviz.graph.types import PromptToken

Pair = tuple[int | None, int | None]
MOST_WORK = 4_000_000  # of comparisons; above it, tokens are only paired from the right


def align(
    first: Sequence[PromptToken], second: Sequence[PromptToken], at_first: int, at_second: int
) -> tuple[Column, ...]:
    """The columns, from left to right; every token is in one of them.

    Args:
        at_first, at_second: the targets' positions.
    """
    a, b = [token.id for token in first], [token.id for token in second]
    ahead = pairs(a[:at_first], b[:at_second])
    behind = pairs(a[at_first + 1 :], b[at_second + 1 :])
    every = [*ahead, (at_first, at_second), *_moved(behind, at_first + 1, at_second + 1)]
    return tuple(_column(pair, first, second) for pair in every)


def pairs(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    """Pairs of places of two sequences, in order; every place of either is in one pair."""
    if len(a) == len(b):
        return [(place, place) for place in range(len(a))]
    if len(a) > len(b):
        return [(mine, other) for other, mine in pairs(b, a)]
    return _shorter_to_longer(a, b)


def _shorter_to_longer(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    start = _shared(a, b)
    end = _shared(a[start:][::-1], b[start:][::-1])
    middle = a[start : len(a) - end], b[start : len(b) - end]
    found: list[Pair] = [(place, place) for place in range(start)]
    found += _moved(_matched(*middle), start, start)
    tail = [(place, place) for place in range(end)]
    return found + _moved(tail, len(a) - end, len(b) - end)


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens both begin with."""
    most = min(len(a), len(b))
    return next((place for place in range(most) if a[place] != b[place]), most)


def _matched(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    if len(a) * len(b) > MOST_WORK:
        return _from_right(range(len(a)), range(len(b)))
    found: list[Pair] = []
    at_a, at_b = 0, 0
    for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        found += _from_right(range(at_a, block.a), range(at_b, block.b))
        found += [(block.a + step, block.b + step) for step in range(block.size)]
        at_a, at_b = block.a + block.size, block.b + block.size
    return found


def _from_right(a: range, b: range) -> list[Pair]:
    """Pairs from the right; what is over on one side stands before them alone."""
    both = min(len(a), len(b))
    alone: list[Pair] = [(place, None) for place in a[: len(a) - both]]
    alone += [(None, place) for place in b[: len(b) - both]]
    return alone + list(zip(a[len(a) - both :], b[len(b) - both :], strict=True))


def _moved(found: Sequence[Pair], by_first: int, by_second: int) -> list[Pair]:
    return [
        (None if mine is None else mine + by_first, None if other is None else other + by_second)
        for mine, other in found
    ]


def _column(pair: Pair, first: Sequence[PromptToken], second: Sequence[PromptToken]) -> Column:
    mine = None if pair[0] is None else first[pair[0]]
    other = None if pair[1] is None else second[pair[1]]
    return Column(
        *pair,
        first_text=mine.text if mine else None,
        second_text=other.text if other else None,
        same=mine is not None and other is not None and mine.id == other.id,
    )


def alignment_words(columns: Sequence[Column]) -> str:
    """How the columns came about, and what has no partner."""
    paired = [column for column in columns if column.paired]
    differ = sum(not column.same for column in paired)
    if len(paired) == len(columns):
        said = f"{differ} of them differ" if differ > 1 else "1 of them differs"
        return f"Token by token: both have {_tokens(len(columns))}, " + (
            f"{said}." if differ else "and they are the same."
        )
    alone = [
        f"{_tokens(count)} of the {name} prompt"
        for name, count in (
            ("first", sum(column.second is None for column in columns)),
            ("second", sum(column.first is None for column in columns)),
        )
        if count
    ]
    end = "have no partner: their columns are marked."
    if len(columns) - len(paired) == 1:
        end = "has no partner: its column is marked."
    return (
        "The two targets stand for each other, and the tokens that both prompts share are matched; "
        f"between them tokens are paired from the right. {' and '.join(alone)} {end}"
    )


def _tokens(count: int) -> str:
    return f"{count:,} token" + ("" if count == 1 else "s")
