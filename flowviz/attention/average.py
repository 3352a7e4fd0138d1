"""Attention averaged over a set of prompts, position by position.

    mean[layer, head, i, j] = mean over the prompts that have a position i of A_ij

so that a mean's row sums to 1 as the rows that it is made of do, but for the sources behind the
last position that is shown. Where a prompt has a position i but none j, it counts as no attention.
The positions are those that at least half of the prompts have: a mean over a few of the longest
ones would say more of these than of the set. Averages over positions, as Vig and Belinkov 2019 draw
them, show what a head does whatever the words; what depends on words is what the finder is for
(`finder.py`), whose scores here are over the whole prompts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.request import NO_MEAN
from flowviz.attention.types import NO_TOKEN, AttentionMaps, Column, Weighting
from flowviz.errors import RequestError
from flowviz.graph.types import PromptToken


def mean_maps(maps: Iterable[AttentionMaps]) -> AttentionMaps:
    """The mean of several maps of one model; see the head of this module.

    Args:
        maps: at least one; each is read once, so that they may be made one after the other.

    Raises:
        RequestError: there are none, or they are by flow: each has its own target.
    """
    each = iter(maps)
    first = next(each, None)
    if first is None:
        raise RequestError("There are no prompts to average over. Give at least one.")
    if first.signed:
        raise RequestError(NO_MEAN)
    mean = _Mean(first)
    for one in each:
        mean.add(one)
    return mean.maps()


class _Mean:
    """Sums that grow by one prompt's maps at a time, as wide as the longest."""

    def __init__(self, first: AttentionMaps) -> None:
        self._first, self._kinds = first, first.kinds
        self._sums = first.weights.astype(np.float32)
        self._queries, self._sources = _Words(first.queries), _Words(first.keys)

    def add(self, maps: AttentionMaps) -> None:
        """Counts one more prompt."""
        more = [(0, max(0, there - here)) for here, there in _ends(self._sums, maps.weights)]
        self._sums = np.pad(self._sums, [(0, 0), (0, 0), *more])
        self._sums[:, :, : maps.weights.shape[2], : maps.weights.shape[3]] += maps.weights
        self._kinds = self._kinds + maps.kinds
        self._queries.add(maps.queries)
        self._sources.add(maps.keys)

    def maps(self) -> AttentionMaps:
        """The mean so far."""
        first, queries, sources = self._first, self._queries.common, self._sources.common
        sums = self._sums[:, :, : len(queries), : len(sources)]
        counts = np.array(self._queries.counts[: len(queries)], np.float32)
        return AttentionMaps(
            queries=queries,
            weights=(sums / counts[:, None]).astype(np.float16),
            kinds=self._kinds,
            weighting=first.weighting,
            model=first.model,
            notes=(*first.notes, _said(self._queries, len(queries), first.weighting)),
            sources=None if first.sources is None else sources,
            part=first.part,
            parts=first.parts,
        )


def _ends(sums: NDArray[np.float32], weights: NDArray[np.float16]) -> list[tuple[int, int]]:
    return list(zip(sums.shape[2:], weights.shape[2:], strict=True))


class _Words:
    """What stands at each position: a token where all prompts that reach it agree."""

    def __init__(self, first: Column) -> None:
        self.counts: list[int] = []
        self._found: list[set[PromptToken]] = []
        self._special: list[bool] = []
        self.add(first)

    @property
    def prompts(self) -> int:
        """How many prompts were read: all have a first position."""
        return self.counts[0]

    def add(self, column: Column) -> None:
        """Reads one prompt's tokens."""
        new = len(column) - len(self.counts)
        self.counts += [0] * new
        self._found += [set() for _ in range(new)]
        self._special += [True] * new
        special = set(column.special)
        for place, token in enumerate(column.tokens):
            self.counts[place] += 1
            self._found[place].add(token)
            self._special[place] &= place in special

    @property
    def common(self) -> Column:
        """The positions that half of the prompts have; special are those that are so in each."""
        last = sum(2 * count >= self.prompts for count in self.counts)
        tokens = tuple(_token(place, found) for place, found in enumerate(self._found[:last]))
        return Column(tokens, tuple(place for place in range(last) if self._special[place]))


def _token(place: int, found: set[PromptToken]) -> PromptToken:
    return next(iter(found)) if len(found) == 1 else PromptToken(place, NO_TOKEN, f"pos {place}")


def _said(words: _Words, shown: int, weighting: Weighting) -> str:
    measured = "the pattern" if weighting is Weighting.PATTERN else "norms"
    return (
        f"The mean of {measured} over {words.prompts:,} prompts by position; "
        f"{words.counts[shown - 1]:,} of them reach the last that is shown."
    )
