"""The vectors of a corpus at some sites, pooled, in batches: shuffled, and a part held out.

They are read from a store of contexts (`flowviz.contexts.store`), which lies on disk and goes on
where it was stopped. A share of the sentences is held out, drawn with the seed; of the others

1. the tokens of each site are cut into pieces of `PIECE`,
2. an epoch puts all pieces, of all sites, into an order of its own, and loads as many of them as
   fit into `BUFFER` bytes; what fits whole is loaded once,
3. a load's vectors are shuffled and given as whole batches. What is left over (less than a batch)
   is not used in that epoch.

Each order depends on the seed, the epoch and the load alone, so that batch number t is the same
whenever it is asked for. In memory are one load and a few numbers for each token.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from flowviz.contexts.kinds import Site
from flowviz.contexts.store.opening import OpenedStore
from flowviz.errors import RequestError

PIECE = 2**13  # tokens of one site
BUFFER = 2**30  # bytes of vectors that are held at once
MOST_HELD = 2**16  # held-out vectors that are measured on
SAMPLED = 2**16  # vectors from which offset and scale are found


@dataclass(eq=False)
class Pool:
    """See the head of this module.

    Args:
        train, held: the rows of the store that are learned from, and those that are not.
        offset: the mean of the vectors; scale: the root of their mean squared distance from it.
    """

    store: OpenedStore
    sites: tuple[Site, ...]
    train: NDArray[np.int64]
    held: NDArray[np.int64]
    seed: int
    buffer: int = BUFFER
    offset: Float[Tensor, " width"] = field(init=False)
    scale: float = field(init=False)
    _loaded: tuple[tuple[tuple[int, int], ...], Tensor] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        numbers = np.random.default_rng([self.seed, 1]).permutation(self.size)[:SAMPLED]
        sample = torch.from_numpy(self._take(self.train, np.sort(numbers))).double()
        if not torch.isfinite(sample).all():
            raise RequestError("There is a number that is none (NaN, infinity) among the vectors.")
        mean = sample.mean(0)
        self.offset = mean.float()
        self.scale = float((sample - mean).square().sum(1).mean().sqrt())
        if not self.scale > 0:
            raise RequestError("All vectors are the same: there is nothing to learn. Add text.")

    @classmethod
    def of(
        cls, store: OpenedStore, sites: tuple[Site, ...], held: float, seed: int,
        buffer: int = BUFFER,
    ) -> Pool:  # fmt: skip
        """Splits the sentences, by the seed, and looks at the vectors.

        Raises:
            RequestError: sites of different widths, or too few sentences.
        """
        widths = {store.vectors(site).width for site in sites}
        if len(widths) != 1:
            raise RequestError(
                f"The sites have vectors of {' and '.join(map(str, sorted(widths)))} numbers, and "
                "a dictionary has those of one width. Learn one for each site (--each)."
            )
        aside = np.random.default_rng([seed, 0]).random(store.info.sentences) < held
        rows = aside[store.sentence_of]
        if rows.all() or not rows.any():
            raise RequestError(
                f"The corpus has {store.info.sentences:,} sentences: too few to learn from some "
                "and measure on others. Name a larger one."
            )
        train, other = np.flatnonzero(~rows), np.flatnonzero(rows)
        return cls(store, sites, train, other, seed, buffer)

    @property
    def size(self) -> int:
        """How many vectors there are to learn from."""
        return len(self.train) * len(self.sites)

    @property
    def width(self) -> int:
        """How many numbers each has."""
        return self.store.vectors(self.sites[0]).width

    def held_out(self, most: int = MOST_HELD) -> NDArray[np.float32]:
        """Held-out vectors as they are, [at most so many, width], drawn with the seed."""
        count = len(self.held) * len(self.sites)
        numbers = np.random.default_rng([self.seed, 2]).permutation(count)[:most]
        return self._take(self.held, np.sort(numbers))

    def lengths(self) -> dict[Site, float]:
        """How far vectors lie from their own site's mean (root mean square)."""
        found = dict[Site, float]()
        rows = self.train[np.linspace(0, len(self.train) - 1, 4096).astype(np.int64)]
        for site in self.sites:
            vectors = self.store.vectors(site).take(rows)
            found[site] = float(np.sqrt(np.square(vectors - vectors.mean(0)).sum(1).mean()))
        return found

    def batches(self, size: int, begin: int = 0) -> Iterator[Float[Tensor, "batch width"]]:
        """Batches without end, less the offset and over the scale, from number `begin` on.

        Raises:
            RequestError: there are not enough vectors for one.
        """
        if size > self.size:
            raise RequestError(
                f"The corpus gives {self.size:,} vectors, and a batch takes {size:,}. Name a "
                "smaller --batch, or a larger corpus."
            )
        skipped, epoch = begin, 0
        while True:
            for number, pieces in enumerate(self._loads(epoch)):
                count = sum(end - start for start, end in pieces) // size
                if skipped < count:
                    yield from self._of_load(pieces, (epoch, number), size, range(skipped, count))
                skipped = max(skipped - count, 0)
            epoch += 1

    def _of_load(
        self, pieces: tuple[tuple[int, int], ...], place: tuple[int, int], size: int, which: range
    ) -> Iterator[Tensor]:
        vectors = self._load(pieces)
        order = np.random.default_rng([self.seed, 4, *place]).permutation(len(vectors))
        for number in which:
            chosen = torch.from_numpy(order[number * size : (number + 1) * size])
            yield (vectors[chosen].float() - self.offset) / self.scale

    def _loads(self, epoch: int) -> Iterator[tuple[tuple[int, int], ...]]:
        """Ranges of pooled vectors that are loaded together, one load after the other."""
        rows = len(self.train)
        every = [
            (site * rows + start, site * rows + min(start + PIECE, rows))
            for site in range(len(self.sites))
            for start in range(0, rows, PIECE)
        ]
        at_once = max(1, self.buffer // (PIECE * self.width * self._dtype.itemsize))
        order = np.random.default_rng([self.seed, 3, epoch]).permutation(len(every))
        for start in range(0, len(every), at_once):
            yield tuple(sorted(every[number] for number in order[start : start + at_once]))

    @property
    def _dtype(self) -> torch.dtype:
        """As they are stored."""
        made = self.store.manifest
        wide = made.options.dtype == "float32" or any(made.sites[each].wide for each in self.sites)
        return torch.float32 if wide else torch.float16

    def _load(self, pieces: tuple[tuple[int, int], ...]) -> Tensor:
        if self._loaded is None or self._loaded[0] != pieces:
            self._loaded = None  # gives back its memory first
            found = torch.empty(sum(b - a for a, b in pieces), self.width, dtype=self._dtype)
            filled = 0
            for start, end in pieces:
                part = torch.from_numpy(self._take(self.train, np.arange(start, end)))
                found[filled : filled + len(part)] = part
                filled += len(part)
            self._loaded = pieces, found
        return self._loaded[1]

    def _take(self, rows: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Pooled vectors by their numbers, which ascend: site after site, its rows in order."""
        sites, places = np.divmod(numbers, len(rows))
        parts = [
            self.store.vectors(self.sites[site]).take(rows[places[sites == site]])
            for site in np.unique(sites)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.width), np.float32)
