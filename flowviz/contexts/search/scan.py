"""Exact search: every row that passes is compared, block by block, in bounded memory.

1. All products in float32, with a bound of their error.
2. Rows that may be among the best, by that bound, are compared again in float64.
3. The best of these are the hits: what a comparison of all rows in float64 gives.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.search.choose import best, floor
from flowviz.contexts.search.compare import Comparison
from flowviz.contexts.store.types import Vectors
from flowviz.jobs import Progress

AT_ONCE = 512  # rows that stay in a processor's cache while they are compared
GATHERED = 8192


def scan(
    vectors: Vectors,
    comparison: Comparison,
    rows: NDArray[np.int64] | None,
    count: int,
    sentence_of: NDArray[np.int32] | None,
    progress: Progress,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The best rows and their products.

    Args:
        rows: those that pass, ascending; None for all.
        sentence_of: for each row of the store its sentence, to take the best of each only.
    """
    products, error = _all(vectors, comparison, rows, progress)
    near = np.arange(len(products)) if rows is None else rows
    own = None if sentence_of is None else sentence_of[near]
    near = near[products >= floor(*_by_sentence(products, own, count)) - 2 * error]
    return exactly(vectors, comparison, near, count, sentence_of)


def exactly(
    vectors: Vectors,
    comparison: Comparison,
    rows: NDArray[np.int64],
    count: int,
    sentence_of: NDArray[np.int32] | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The best of a few rows, and their products in float64."""
    exact = [comparison.exact(vectors.take(some)) for some in _pieces(rows)]
    products = np.concatenate(exact) if exact else np.zeros(0)
    places = best(rows, products, count, None if sentence_of is None else sentence_of[rows])
    return rows[places], products[places]


def _by_sentence(
    products: NDArray[np.float32], sentences: NDArray[np.int32] | None, count: int
) -> tuple[NDArray[np.float32], int, NDArray[np.int32] | None]:
    """Products in the order of their sentences, where that is not the order of the rows."""
    if sentences is None or (sentences[1:] >= sentences[:-1]).all():
        return products, count, sentences
    order = np.argsort(sentences, kind="stable")
    return products[order], count, sentences[order]


def _all(
    vectors: Vectors,
    comparison: Comparison,
    rows: NDArray[np.int64] | None,
    progress: Progress,
) -> tuple[NDArray[np.float32], float]:
    total = vectors.rows if rows is None else len(rows)
    products, worst = np.empty(total, np.float32), 0.0
    done = 0
    for some in _blocks(vectors) if rows is None else map(vectors.take, _pieces(rows)):
        for start in range(0, len(some), AT_ONCE):
            own, error = comparison.fast(some[start : start + AT_ONCE])
            products[done : done + len(own)] = own
            done, worst = done + len(own), max(worst, error)
        progress("Comparing", done / total)
    return products, worst


def _blocks(vectors: Vectors) -> Iterator[NDArray[np.floating]]:
    for _, block in vectors.blocks():
        for start in range(0, len(block), GATHERED):
            yield block[start : start + GATHERED]


def _pieces(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), GATHERED):
        yield rows[start : start + GATHERED]
