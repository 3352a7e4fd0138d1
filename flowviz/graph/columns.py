"""The columns of a picture: wide where something is drawn, narrow or folded where nothing is.

Every prompt position belongs to exactly one column, from left to right. While the empty positions
are few, each keeps a narrow column of its own; where they are more than `MANY_EMPTY`, each run of
two or more folds into one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

GAP = 26.0  # between columns
NARROW = 44.0
MANY_EMPTY = 12


@dataclass(frozen=True)
class Column:
    """The prompt positions `first` to `last`, and the x of the column's edges and of its spine."""

    first: int
    last: int
    drawn: bool
    left: float
    spine: float
    right: float


def columns(extents: Mapping[int, tuple[float, float]], positions: int) -> tuple[Column, ...]:
    """Columns for all positions, given how far each drawn one reaches left and right of its spine.

    The first column begins at x = 0.
    """
    made: list[Column] = []
    for first, last in _runs(extents, positions):
        left = made[-1].right + GAP if made else 0.0
        reach = extents.get(first, (NARROW / 2, NARROW / 2))
        spine = left + reach[0]
        made.append(Column(first, last, first in extents, left, spine, spine + reach[1]))
    return tuple(made)


def _runs(extents: Mapping[int, tuple[float, float]], positions: int) -> list[tuple[int, int]]:
    count = max([positions, *(position + 1 for position in extents)])
    fold = count - len(extents) > MANY_EMPTY
    runs: list[tuple[int, int]] = []
    for empty, group in groupby(range(count), key=lambda position: position not in extents):
        members = list(group)
        if empty and fold:
            runs.append((members[0], members[-1]))
        else:
            runs += [(position, position) for position in members]
    return runs
