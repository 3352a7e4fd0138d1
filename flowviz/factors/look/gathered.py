"""What one pass over a corpus gathers of every factor at every site, in bounded memory.

Everything is updated from batches of active factors, site by site, by sorting: no loop goes over
factors. Where values are equal, what stands earlier in the corpus comes first, and what is drawn at
random is drawn by a number that belongs to the place in the corpus, so that the same corpus gives
the same survey however it is cut into batches.

Activations are counted in bins whose edges grow by 2^(1/4), 16 octaves up to a power of two that
lies above the site's vectors; the lowest bin takes all that is weaker, the highest all that is
stronger. Two bins are a cell, of which a few contexts are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from flowviz.factors.look.ranks import ranks_of, starts_of, summed

PER_OCTAVE, OCTAVES = 4, 16
BINS = PER_OCTAVE * OCTAVES
IN_A_CELL = 2  # bins
CELLS = BINS // IN_A_CELL
MOST_PAIRS = 2**22  # of factors and annotations that wait to be summed


@dataclass(frozen=True, eq=False)
class Active:
    """Active factors, one an entry, in any order.

    Args:
        sentence, position: of the token; `form`: the code of its word's form.
    """

    factor: NDArray[np.int64]
    activation: NDArray[np.float32]
    sentence: NDArray[np.int64]
    position: NDArray[np.int64]
    form: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.factor)

    def only(self, kept: NDArray[np.integer] | NDArray[np.bool_]) -> Active:
        """Some of the entries, in the order in which they are named."""
        return Active(*(getattr(self, each.name)[kept] for each in fields(self)))

    def and_also(self, more: Active) -> Active:
        """These entries, and others behind them."""
        return Active(
            *(np.concatenate([getattr(self, f.name), getattr(more, f.name)]) for f in fields(self))
        )

    @classmethod
    def none(cls) -> Active:
        """No entries."""
        one = np.empty(0, np.int64)
        return cls(one, np.empty(0, np.float32), one, one, one)


def edges_below(top: float) -> NDArray[np.float32]:
    """The edges of the bins: 0 first, `top` last."""
    edges = top * 2.0 ** ((np.arange(BINS + 1) - BINS) / PER_OCTAVE)
    edges[0] = 0.0
    return edges.astype(np.float32)


def bins_of(activations: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """In which bin each lies; its lower edge is its own."""
    return np.searchsorted(edges[1:-1], activations, side="right")


class Amounts:
    """How often and how strongly factors are active at one site."""

    def __init__(self, factors: int, strongest: int, top: float) -> None:
        self.edges = edges_below(top)
        self.counts = np.zeros(factors, np.int64)
        self.largest = np.zeros(factors, np.float32)
        self.histogram = np.zeros((factors, BINS), np.int64)
        self._strongest = np.zeros((factors, strongest), np.float32)

    def add(self, active: Active) -> None:
        """Counts what is active in a batch."""
        factors = len(self.counts)
        self.counts += np.bincount(active.factor, minlength=factors)
        np.maximum.at(self.largest, active.factor, active.activation)
        cells = active.factor * BINS + bins_of(active.activation, self.edges)
        self.histogram += np.bincount(cells, minlength=factors * BINS).reshape(factors, BINS)
        self._keep_strongest(active)

    @property
    def importance(self) -> NDArray[np.float32]:
        """The mean of each factor's strongest activations; those that it lacks count as zero."""
        return self._strongest.mean(1, dtype=np.float64).astype(np.float32)

    def _keep_strongest(self, active: Active) -> None:
        most = self._strongest.shape[1]
        active = active.only(active.activation > self._strongest[active.factor, -1])
        active = active.only(np.lexsort((-active.activation, active.factor)))
        ranks = ranks_of(active.factor)
        active, ranks = active.only(ranks < most), ranks[ranks < most]
        touched = np.unique(active.factor)
        more = np.zeros((len(touched), most), np.float32)
        more[np.searchsorted(touched, active.factor), ranks] = active.activation
        both = np.concatenate([self._strongest[touched], more], axis=1)
        self._strongest[touched] = -np.sort(-both, axis=1)[:, :most]


class Strongest:
    """The strongest contexts of every factor at one site, one a sentence."""

    def __init__(self, factors: int, most: int) -> None:
        self._most = most
        self._least = np.zeros(factors, np.float32)
        self.kept = Active.none()

    def add(self, active: Active) -> None:
        """Looks through a batch; a sentence must lie in one batch whole."""
        active = active.only(active.activation >= self._least[active.factor])
        order = (active.position, -active.activation, active.sentence, active.factor)
        active = active.only(np.lexsort(order))
        if len(active):
            same = (np.diff(active.factor) == 0) & (np.diff(active.sentence) == 0)
            active = active.only(np.concatenate([[True], ~same]))
        both = self.kept.and_also(active)
        order = (both.position, both.sentence, -both.activation, both.factor)
        both = both.only(np.lexsort(order))
        ranks = ranks_of(both.factor)
        self.kept = both.only(ranks < self._most)
        last = both.only(ranks == self._most - 1)
        self._least[last.factor] = last.activation


class Drawn:
    """A few contexts of every factor at one site from each cell of activations, at random."""

    def __init__(self, factors: int, most: int, edges: NDArray[np.float32], seed: int) -> None:
        self._most, self._edges, self._seed = most, edges, seed
        self._last = np.full(factors * CELLS, np.iinfo(np.uint64).max, np.uint64)
        self.kept = Active.none()
        self.lots = np.empty(0, np.uint64)
        self.cells = np.empty(0, np.int64)

    def add(self, active: Active) -> None:
        """Looks through a batch."""
        lots = lots_of(self._seed, active)
        low = lots <= self._last[self._cells(active)]
        both = self.kept.and_also(active.only(low))
        lots = np.concatenate([self.lots, lots[low]])
        cells = self._cells(both)
        order = np.lexsort((lots, cells))
        both, lots, cells = both.only(order), lots[order], cells[order]
        ranks = ranks_of(cells)
        few = ranks < self._most
        self.kept, self.lots, self.cells = both.only(few), lots[few], cells[few] % CELLS
        last = ranks == self._most - 1
        self._last[cells[last]] = lots[last]

    def _cells(self, active: Active) -> NDArray[np.int64]:
        return active.factor * CELLS + bins_of(active.activation, self._edges) // IN_A_CELL


def lots_of(seed: int, active: Active) -> NDArray[np.uint64]:
    """A number for each entry, by its factor and place, as if drawn at random.

    Source: the mixing steps of SplitMix64 (Steele, Lea and Flood 2014).
    """
    mixed = np.full(len(active), seed, np.uint64)
    for part in (active.factor, active.sentence, active.position):
        mixed = (mixed + part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed


class Pairs:
    """How often each factor is active at words of each annotation, at one site."""

    def __init__(self) -> None:
        self._keys = [np.empty(0, np.int64)]
        self._counts = [np.empty(0, np.int64)]
        self._waiting = 0

    def add(self, factors: NDArray[np.int64], values: NDArray[np.int64], width: int) -> None:
        """Counts pairs of a factor and a value.

        Args:
            width: above every value that there will be.
        """
        keys, counts = np.unique(factors * width + values, return_counts=True)
        self._keys.append(keys)
        self._counts.append(counts)
        self._waiting += len(keys)
        if self._waiting > MOST_PAIRS:
            self.found()

    def found(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each pair's key, factor * width + value, in order, with its count."""
        keys, counts = summed(np.concatenate(self._keys), np.concatenate(self._counts))
        self._keys, self._counts, self._waiting = [keys], [counts], 0
        return keys, counts


def active_words(
    active: Active, words: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each pair of a factor and a word of which a token has it, once.

    Args:
        words: of each entry, a number of its own; below 0 for none.
    """
    has = words >= 0
    factor, word = active.factor[has], words[has]
    order = np.lexsort((word, factor))
    factor, word = factor[order], word[order]
    width = int(word.max(initial=0)) + 1
    first = starts_of(factor * width + word)
    return factor[first], word[first]
