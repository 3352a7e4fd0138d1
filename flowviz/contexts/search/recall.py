"""How much an inverted index finds, measured when it is made.

64 rows, drawn with a fixed seed, are the queries, of all parts of a vector and (of heads) of one
part each. While rows go into the index, each is compared with all queries, so that the ten nearest
are known exactly; the row itself does not count. Then the number of lists that a search opens is
doubled until it finds at least 97% of these in the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.search import library
from flowviz.contexts.search.compare import part_spans, unit_rows
from flowviz.contexts.search.library import Index
from flowviz.contexts.store.types import Vectors
from flowviz.jobs import Progress

QUERIES = 64
NEAREST = 10
ENOUGH = 0.97
MOST_OPENED = 4  # one of so many lists
SAME = 2e-3  # relative: float16 may change the order of what is as near


@dataclass
class _Questions:
    """Queries, the rows that they are, and the best products that were seen."""

    vectors: NDArray[np.float32]
    rows: NDArray[np.int64]
    best: NDArray[np.float32]

    def see(self, first: int, rows: NDArray[np.float32]) -> None:
        products = self.vectors @ rows.T
        own = np.flatnonzero((self.rows >= first) & (self.rows < first + len(rows)))
        products[own, self.rows[own] - first] = -np.inf
        both = np.concatenate([self.best, products], 1)
        self.best = -np.sort(np.partition(-both, NEAREST - 1, axis=1)[:, :NEAREST], axis=1)

    def recall(self, index: Index, lists: int) -> float:
        """The share of the nearest that is found; what is as near as the tenth counts alike."""
        products, rows = library.search(index, self.vectors, NEAREST + 1, lists=lists)
        last = self.best[:, NEAREST - 1 :]
        near = products >= last - SAME * np.abs(last)
        found = (near & (rows >= 0) & (rows != self.rows[:, None])).sum(1)
        return float(np.minimum(found, NEAREST).mean() / NEAREST)


class Trial:
    """Queries whose nearest are found while an index is made."""

    def __init__(self, *questions: _Questions) -> None:
        self._questions = questions
        self._rows = 0

    @classmethod
    def of(cls, vectors: Vectors, unit: bool, parts: int) -> Trial:
        """Rows of the store as queries."""
        random = np.random.default_rng(1)
        rows = np.sort(random.choice(vectors.rows, min(QUERIES, vectors.rows), replace=False))
        whole = vectors.take(rows)
        whole = unit_rows(whole, parts) if unit else whole
        questions = [_questions(whole, rows)]
        if parts > 1:
            spans = part_spans(vectors.width, parts)
            kept = np.zeros_like(whole)
            for query, part in enumerate(random.integers(0, parts, len(rows))):
                kept[query, spans[part]] = whole[query, spans[part]]
            questions.append(_questions(kept, rows))
        return cls(*questions)

    def see(self, rows: NDArray[np.float32]) -> None:
        """The next rows, as they went into the index."""
        for each in self._questions:
            each.see(self._rows, rows)
        self._rows += len(rows)

    def found(
        self, index: Index, progress: Progress
    ) -> tuple[tuple[int, float] | None, tuple[int, float] | None]:
        """For queries of all parts, and of one: how many lists to open, and the recall of that.

        None for all parts where a quarter of the lists finds too few; with one part that is what
        is opened then.
        """
        most = max(1, index.nlist // MOST_OPENED)
        whole = _lists(self._questions[0], index, most, progress)
        part = _lists(self._questions[1], index, most, progress) if self._questions[1:] else None
        return (whole if whole[1] >= ENOUGH else None), part


def _questions(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> _Questions:
    return _Questions(vectors, rows, np.full((len(rows), NEAREST), -np.inf, np.float32))


def _lists(questions: _Questions, index: Index, most: int, progress: Progress) -> tuple[int, float]:
    lists = min(4, most)
    while True:
        progress("Measuring what the index finds", lists / most)
        recall = questions.recall(index, lists)
        if recall >= ENOUGH or lists == most:
            return lists, recall
        lists = min(2 * lists, most)
