"""Levels from a survey: what share of activations is left in each window becomes one number.

The *reach* of a factor is the smallest window from which on at least 80% of its activation is left,
between two windows by the logarithm of their sizes. A factor whose reach is at most `WORD_REACH`
is one of the word; one whose reach is above `LONG_REACH` looks far back; between are patterns.
Windows count tokens back from the word, which itself is the first, however many tokens it has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ENOUGH = 0.8
WORD_REACH, LONG_REACH = 1.5, 8.0
FEWEST = 3  # contexts, or nothing is said


def reaches(kept: NDArray[np.float64], windows: NDArray[np.integer]) -> NDArray[np.float64]:
    """The reach of some factors.

    Args:
        kept: [factor, window]; windows: their sizes, growing.
    """
    lacks = kept < ENOUGH
    count = kept.shape[1]
    first = count - np.argmax(lacks[:, ::-1], axis=1)  # the first from which on none lacks
    first = np.where(lacks.any(1), first, 0)
    high = np.minimum(first, count - 1)
    low = np.maximum(high - 1, 0)
    rows = np.arange(len(kept))
    below, above = kept[rows, low], kept[rows, high]
    share = np.clip((ENOUGH - below) / np.maximum(above - below, 1e-9), 0.0, 1.0)
    sizes = np.log2(np.maximum(windows, 1).astype(np.float64))
    between = 2.0 ** (sizes[low] + share * (sizes[high] - sizes[low]))
    return np.where(first == 0, windows[0], np.where(first == count, windows[-1], between))


def levels(reach: NDArray[np.float64]) -> NDArray[np.int64]:
    """The level of each as its place in `Level`; -1 where there is none."""
    found = np.where(reach <= WORD_REACH, 0, np.where(reach <= LONG_REACH, 1, 2))
    return np.where(np.isnan(reach), -1, found)
