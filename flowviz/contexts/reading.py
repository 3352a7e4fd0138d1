"""What is said of the words of a row: the matched one, the next, the most attended one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flowviz.contexts.again import Row
from flowviz.contexts.corpus.types import Word
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.request import Filter


@dataclass(frozen=True)
class Reading:
    """A row's words; None where there is none.

    Args:
        offset: of the most attended token from the matched one, in tokens: -1 for the one before.
    """

    row: int
    words: dict[Role, Word | None]
    offset: int | None

    def value(self, role: Role, feature: Feature) -> str:
        """What is said of the word in a role; "" where nothing is."""
        if feature is Feature.OFFSET:
            return "" if self.offset is None else str(self.offset)
        word = self.words[role]
        return "" if word is None else word.value(feature)


def reading(row: Row) -> Reading:
    """The words of a row that was run again."""
    places, words = row.stored.words, row.stored.sentence.words
    own = places[row.position]
    indices = {
        Role.MATCHED: own,
        Role.NEXT: own + 1 if own >= 0 else -1,
        Role.ATTENDED: -1 if row.attended is None else places[row.attended],
    }
    found = {role: words[at] if 0 <= at < len(words) else None for role, at in indices.items()}
    offset = None if row.attended is None else row.attended - row.position
    return Reading(row.row, found, offset)


def passes(one: Reading, filters: Iterable[Filter]) -> bool:
    """Whether a row's words are as all filters say."""
    return all(
        (one.value(each.role, each.feature) == each.value) is not each.unlike for each in filters
    )
