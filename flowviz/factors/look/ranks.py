"""Groups in sorted arrays, for many factors at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def starts_of(keys: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each run of equal keys begins."""
    if not len(keys):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))


def ranks_of(keys: NDArray[np.integer]) -> NDArray[np.int64]:
    """For each entry its place within its run of equal keys, from 0."""
    starts = starts_of(keys)
    return np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))


def bounds_of(keys: NDArray[np.integer], groups: int) -> NDArray[np.int64]:
    """For sorted keys 0 to groups - 1: where each group begins, and the end of the last."""
    return np.searchsorted(keys, np.arange(groups + 1)).astype(np.int64)


def summed(
    keys: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each key once, in order, with the sum of its counts."""
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = starts_of(keys)
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts
