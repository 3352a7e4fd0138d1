"""Looking up the nearest of 100 thousand and of 1 million vectors of width 256.

Vectors are made to resemble hidden states, not noise: 5,000 centres (contexts that are alike) with
Zipf's law among them, spread around each, and dimensions of falling size with a few that are large
everywhere (Kovaleva et al. 2021; Timkey and van Schijndel 2021). They lie as float16 in a temporary
folder, as a store keeps them, 512 MB for a million, and queries are vectors that the store does not
hold. Every answer is held against a comparison with all rows; a filtered query lets a tenth pass.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.subject import seconds
from flowviz.contexts.kinds import Metric, Site, SiteKind
from flowviz.contexts.search import kept, making, nearest
from flowviz.contexts.search.compare import Comparison
from flowviz.contexts.search.scan import scan
from flowviz.contexts.search.types import Wanted
from flowviz.contexts.store.types import Store, StoreInfo

WIDTH = 256
SIZES = (100_000, 1_000_000)
SITE = Site(SiteKind.RESID_PRE, 6)
CENTRES = 5_000
COUNT = 50
AT_ONCE = 50_000


@dataclass
class Mapped:
    """Vectors of one file, mapped into memory."""

    array: NDArray[np.float16]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.array)

    @property
    def width(self) -> int:
        """How many numbers each has."""
        return self.array.shape[1]

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Some of them."""
        return self.array[rows].astype(np.float32)

    def blocks(self) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """All of them."""
        yield 0, self.array


class OneSite:
    """As much of a store as a search looks at: 20 tokens to a sentence."""

    def __init__(self, array: NDArray[np.float16], folder: Path) -> None:
        rows, self._folder = len(array), folder
        self.sentence_of = (np.arange(rows) // 20).astype(np.int32)
        self.mapped = Mapped(array)
        self.info = StoreInfo(
            "random", "none", "none", rows // 20, rows, (), (), (SITE,), 0, (), array.nbytes
        )

    def vectors(self, site: Site) -> Mapped:
        """Those of the one site."""
        return self.mapped

    def folder(self) -> str:
        """Where an index is kept."""
        return str(self._folder)


class States:
    """Where vectors that resemble hidden states are drawn from."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        sizes = np.linspace(2.0, 0.2, WIDTH)
        sizes[:3] = 20.0
        self._sizes = sizes.astype(np.float32)
        self._mean = self._draw(1)[0]
        self._centres = self._mean + self._draw(CENTRES)
        often = 1.0 / np.arange(1, CENTRES + 1)
        self._often = often / often.sum()

    def _draw(self, rows: int) -> NDArray[np.float32]:
        return self._random.standard_normal((rows, WIDTH), np.float32) * self._sizes

    def draw(self, rows: int) -> NDArray[np.float32]:
        """So many new ones."""
        of = self._random.choice(CENTRES, rows, p=self._often)
        return self._centres[of] + 0.6 * self._draw(rows)


def run(rounds: int) -> None:
    """Prints milliseconds of a query, and how much of what is nearest it finds."""
    nearest.INDEXES = kept.Indexes()
    print(f"\nNearest {COUNT} of vectors of width {WIDTH}, cosine, one hit a sentence")
    for rows in SIZES:
        with TemporaryDirectory() as folder:
            _measure(rows, Path(folder), max(rounds, 20))


def _measure(rows: int, folder: Path, queries: int) -> None:
    states = States()
    array = np.lib.format.open_memmap(folder / "v.npy", "w+", np.float16, (rows, WIDTH))
    for start in range(0, rows, AT_ONCE):
        array[start : start + AT_ONCE] = states.draw(min(AT_ONCE, rows - start))
    asked = states.draw(queries)
    tenth = np.random.default_rng(1).random(rows) < 0.1
    whole = [_wanted(query) for query in asked]
    filtered = [_wanted(query, tenth) for query in asked]
    for inverted in (False, True):
        store = OneSite(array, folder / str(inverted))
        (folder / str(inverted)).mkdir()
        making.FLAT_MOST = 0 if inverted else 1 << 29
        spent = seconds(lambda each=store: _find(each, whole[0]))
        kind = "approximate (inverted lists)" if inverted else "exact (flat, float16)"
        print(f"{rows:>10,} {kind}: index made in {spent:.1f} s")
        for name, wanted in (("", whole), (", a tenth passes", filtered)):
            times, recall = _ask(store, wanted)
            print(
                f"{'':>10} a query{name:<17} {1000 * statistics.median(times):>7.1f} ms"
                f" (slowest {1000 * max(times):.1f}), recall@10 {recall:.3f}"
            )
    times = [seconds(lambda each=each: _scan(array, each)) for each in whole[:5]]
    print(f"{'':>10} all rows compared by numpy {1000 * statistics.median(times):>5.0f} ms")


def _wanted(query: NDArray[np.float32], mask: NDArray[np.bool_] | None = None) -> Wanted:
    return Wanted(query, Metric.COSINE, count=COUNT, mask=mask, one_each=True)


def _find(store: OneSite, wanted: Wanted) -> nearest.Nearest:
    return nearest.nearest(cast(Store, store), SITE, wanted)


def _ask(store: OneSite, wanted: list[Wanted]) -> tuple[list[float], float]:
    """The time of each query, and the mean share of its ten nearest that it finds."""
    times, shares = [], []
    for each in wanted:
        found: list[Any] = []
        times.append(seconds(lambda each=each, found=found: found.append(_find(store, each))))
        rows = None if each.mask is None else np.flatnonzero(each.mask)
        best = _scan(store.mapped.array, each, rows, store.sentence_of)
        shares.append(len(set(found[0].rows[:10].tolist()) & set(best[:10].tolist())) / 10)
    return times, math.fsum(shares) / len(shares)


def _scan(
    array: NDArray[np.float16],
    wanted: Wanted,
    rows: NDArray[np.int64] | None = None,
    sentences: NDArray[np.int32] | None = None,
) -> NDArray[np.int64]:
    found, _ = scan(
        Mapped(array), Comparison.of(wanted), rows, COUNT, sentences, nearest.no_progress
    )
    return found
