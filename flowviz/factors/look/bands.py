"""Ranges of a factor's activation, an octave each, the strongest first; the last has all below.

The strongest begins with the cell that holds the largest activation, so that it spans between half
an octave and a whole one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowviz.factors.look.gathered import CELLS, IN_A_CELL, PER_OCTAVE, Active, Drawn, bins_of
from flowviz.factors.look.ranks import ranks_of

BANDS = 5
IN_A_BAND = PER_OCTAVE // IN_A_CELL  # cells


def bands_of(
    cells: NDArray[np.integer], strongest: NDArray[np.integer] | int
) -> NDArray[np.integer]:
    """The band of each cell, from 0, where the largest activation is in the cell `strongest`."""
    return np.minimum((strongest - cells) // IN_A_BAND, BANDS - 1)


def bins_of_bands(strongest: int) -> list[tuple[int, int]]:
    """For each band its first bin and the one behind its last; empty ones are left out."""
    ends = [(strongest + 1 - IN_A_BAND * band) * IN_A_CELL for band in range(BANDS)]
    begins = [*ends[1:], 0]
    return [(max(begin, 0), end) for begin, end in zip(begins, ends, strict=True) if end > 0]


def cell_of(largest: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """The cell of each activation."""
    return bins_of(largest, edges) // IN_A_CELL


def few_of_each(
    drawn: Drawn, largest: NDArray[np.float32], edges: NDArray[np.float32], most: int
) -> tuple[Active, NDArray[np.int64]]:
    """What was drawn from cells as what is drawn from bands, by factor and band, with the bands.

    Those with the lowest lots of a band are among those with the lowest lots of its cells, so that
    they are a random sample of the band.
    """
    active = drawn.kept
    bands = bands_of(drawn.cells, cell_of(largest, edges)[active.factor]).astype(np.int64)
    order = np.lexsort((drawn.lots, bands, active.factor))
    keys = active.factor[order] * CELLS + bands[order]
    few = order[ranks_of(keys) < most]
    return active.only(few), bands[few]
