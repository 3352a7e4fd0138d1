"""Which of the compared rows are the hits: by product, ties by row, each sentence once if asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best(
    rows: NDArray[np.int64],
    products: NDArray[np.float64],
    count: int,
    sentences: NDArray[np.integer] | None,
) -> NDArray[np.int64]:
    """The places of the best among `rows`, best first.

    Args:
        sentences: for each of `rows` its sentence, to take the best of each only; None for all.
    """
    order = np.lexsort((rows, -products))
    if sentences is not None:
        _, first = np.unique(sentences[order], return_index=True)
        order = order[np.sort(first)]
    return order[:count]


def floor(
    products: NDArray[np.floating], count: int, sentences: NDArray[np.integer] | None
) -> float:
    """The product of the last hit, if the best `count` were taken; -inf where all are hits."""
    if sentences is not None and len(products):
        starts = np.flatnonzero(np.r_[True, sentences[1:] != sentences[:-1]])
        products = np.maximum.reduceat(products, starts)
    if len(products) <= count:
        return -np.inf
    return float(np.partition(products, len(products) - count)[len(products) - count])
