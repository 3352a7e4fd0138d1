"""Annotations of words as small numbers, and how often each stands in the whole corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.corpus.types import Word
from flowviz.contexts.kinds import Feature, Role

COUNTED = (
    (Role.MATCHED, Feature.FORM),
    (Role.MATCHED, Feature.UPOS),
    (Role.MATCHED, Feature.DEPREL),
    (Role.MATCHED, Feature.ENTITY),
    (Role.NEXT, Feature.UPOS),
)
"""Of which words what is counted: those at which a factor is active, and those behind them."""
FORM = 0  # its place among them
MOST_VALUES = 2**16 - 1  # different values of all of them together; further ones count as unknown


class Words:
    """Gives every value a code from 1 on; 0 is that nothing is said, or that there is no room."""

    def __init__(self) -> None:
        self.values: list[tuple[int, str]] = [(FORM, "")]
        self._codes: dict[tuple[int, str], int] = {}
        self._counts = np.zeros(MOST_VALUES + 1, np.int64)
        self.total = 0

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many words of the corpus have each value."""
        return self._counts[: len(self.values)]

    def add(self, words: Sequence[Word]) -> NDArray[np.int64]:
        """The codes of a sentence's words: [word, one of COUNTED]."""
        codes = np.zeros((len(words), len(COUNTED)), np.int64)
        for column, (role, feature) in enumerate(COUNTED):
            ahead = role is Role.NEXT
            said = [word.value(feature) for word in words[ahead:]]
            codes[: len(said), column] = [self._code(column, value) for value in said]
        np.add.at(self._counts, codes, 1)
        self._counts[0] = 0
        self.total += len(words)
        return codes

    def _code(self, column: int, value: str) -> int:
        if not value:
            return 0
        code = self._codes.get((column, value))
        if code is None:
            if len(self.values) > MOST_VALUES:
                return 0
            code = self._codes[column, value] = len(self.values)
            self.values.append((column, value))
        return code
