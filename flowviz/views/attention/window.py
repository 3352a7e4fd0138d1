"""Which tokens of a long prompt the head view draws.

A window of at most 64 tokens is drawn. What its tokens read elsewhere is not dropped: the first
token and special ones, at which many heads rest, keep rows of their own, all others in front of the
window are one row, the sum of theirs, and so are all behind it, where attention looks ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.types import AttentionMaps, Column, Part

MOST_TOKENS = 64
MOST_KEPT = 8  # special tokens outside of the window that have rows of their own
STEP = 48  # from one window to the next: they overlap
BETWEEN, BEHIND = -1, -2  # among sources: tokens in front of the window, or behind it, together


@dataclass(frozen=True)
class Window:
    """Tokens start to end, end excluded, of a prompt of so many positions."""

    start: int
    end: int
    positions: int

    @classmethod
    def at(cls, positions: int, start: int | None = None) -> Window:
        """The window that begins there, or as near as the prompt allows; None for the last one."""
        last = max(0, positions - MOST_TOKENS)
        begin = last if start is None else max(0, min(start, last))
        return cls(begin, min(positions, begin + MOST_TOKENS), positions)

    @property
    def whole(self) -> bool:
        """Whether it holds all tokens."""
        return self.end - self.start == self.positions

    @property
    def inside(self) -> tuple[int, ...]:
        """The positions of its tokens."""
        return tuple(range(self.start, self.end))

    def of(self, keys: Column, ahead: bool) -> Sources:
        """What is read through it; `ahead`: whether a token may look at what stands behind it."""
        kept = {0, *keys.special} if len(keys.special) <= MOST_KEPT else {0}
        before = range(self.start)
        behind = range(self.end, self.positions if ahead else self.end)
        return Sources(
            tuple(at for at in before if at in kept),
            tuple(at for at in before if at not in kept),
            self.inside,
            tuple(at for at in behind if at not in kept),
            tuple(at for at in behind if at in kept),
        )


@dataclass(frozen=True)
class Sources:
    """The tokens that are read, from top to bottom.

    Args:
        first: those in front of the window that have a row of their own.
        between: the others in front of it, which have one row.
        inside: the window's.
        behind: those behind it, which have one row.
        last: those behind it that have a row of their own.
    """

    first: tuple[int, ...]
    between: tuple[int, ...]
    inside: tuple[int, ...]
    behind: tuple[int, ...]
    last: tuple[int, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """The position of each row, or `BETWEEN`, or `BEHIND`."""
        between, behind = (BETWEEN,) * bool(self.between), (BEHIND,) * bool(self.behind)
        return self.first + between + self.inside + behind + self.last

    def words(self, row: int) -> str:
        """What a row of several tokens is called; empty where there is none."""
        places = self.between if row == BETWEEN else self.behind
        if not places:
            return ""
        whole = len(places) == places[-1] - places[0] + 1
        return f"{'sum' if whole else 'rest'} of {places[0]}–{places[-1]}"


@dataclass(frozen=True)
class Frame:
    """A window on the tokens that look, and what they look at."""

    queries: Window
    keys: Window
    sources: Sources

    @classmethod
    def of(cls, maps: AttentionMaps, start: int | None) -> Frame:
        """The frame that begins at a position, in both columns as near as their length allows."""
        queries, keys = Window.at(maps.positions, start), Window.at(len(maps.keys), start)
        return cls(queries, keys, keys.of(maps.keys, maps.part is not Part.DECODER))

    @property
    def whole(self) -> bool:
        """Whether it holds all tokens of both."""
        return self.queries.whole and self.keys.whole

    @property
    def start(self) -> int:
        """Where the later of both begins."""
        return max(self.queries.start, self.keys.start)

    @property
    def last(self) -> int:
        """Where the last frame of these columns begins."""
        return max(0, max(self.queries.positions, self.keys.positions) - MOST_TOKENS)

    def cut(self, layer: NDArray[np.float16]) -> NDArray[np.float16]:
        """Of one layer's maps, [head, query, key], what is shown: [head, query, source]."""
        rows = layer[:, self.queries.start : self.queries.end]
        groups = {BETWEEN: list(self.sources.between), BEHIND: list(self.sources.behind)}
        columns = [
            rows[:, :, groups[at]].sum(-1, dtype=np.float32) if at < 0 else rows[:, :, at]
            for at in self.sources.rows
        ]
        return np.stack(columns, axis=-1).astype(np.float16)
