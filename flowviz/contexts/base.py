"""What the same search could have given: how often each value stands among the rows searched.

Of the matched and the next word that is counted on all rows that passed the filters, each row
alike. What a head looks at is not stored: it is read on a sample of those rows, drawn with a fixed
seed, and kept for the next question about the same heads and rows. Where hits were filtered by the
most attended word, every base is counted on those of the sample that pass as well.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from flowviz.contexts.again import run_again
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.reading import Reading, reading
from flowviz.contexts.store.types import Store
from flowviz.jobs import Progress

SAMPLE = 400
SEED = 0
MOST_KEPT = 64
Key = tuple[object, ...]

_kept: LRUCache[Key, tuple[Reading, ...]] = LRUCache(MOST_KEPT)
_lock = threading.Lock()


@dataclass(frozen=True)
class Base:
    """How often each value stands where the search could have found it.

    Args:
        counts: of known values.
        sampled: whether these are other rows than the hits, a sample; else the hits are among them.
        of: what was counted, in words.
    """

    counts: dict[str, int]
    sampled: bool
    of: str

    @cached_property
    def total(self) -> int:
        """Rows of which the feature is known."""
        return sum(self.counts.values())


def searched_base(
    store: Store, role: Role, feature: Feature, mask: NDArray[np.bool_] | None
) -> Base:
    """Counted on all rows that passed the filters."""
    codes = store.codes(role, feature)
    own = codes.codes if mask is None else codes.codes[mask]
    counts = np.bincount(own, minlength=len(codes.values))
    found = np.flatnonzero(counts[1:]) + 1  # the first is that nobody says
    named = {codes.values[code]: int(counts[code]) for code in found}
    return Base(named, False, f"all {len(own):,} tokens that were searched")


def sampled_base(sample: Collection[Reading], role: Role, feature: Feature, filtered: bool) -> Base:
    """Counted on a sample of the rows, without the hits."""
    values = (one.value(role, feature) for one in sample)
    counts = Counter(value for value in values if value)
    words = f"a random sample of {len(sample):,} of the tokens that were searched"
    passed = ", all of which pass the filters on the most attended word" if filtered else ""
    return Base(dict(counts), True, f"{words}{passed}, read by the same heads")


def read_sample(
    reader: Reader,
    store: Store,
    heads: tuple[tuple[int, int], ...],
    mask: NDArray[np.bool_] | None,
    progress: Progress,
    *,
    first: bool = False,
) -> tuple[Reading, ...]:
    """A sample of the rows that passed, with what these heads look at from them."""
    key = store.info, store.folder(), reader.identity, heads, first, _digest(mask)
    with _lock:
        found = _kept.get(key)
    if found is None:
        rows = np.arange(store.info.rows) if mask is None else np.flatnonzero(mask)
        drawn = np.random.default_rng(SEED).permutation(rows)[:SAMPLE]
        again = (
            run_again(reader, store, drawn.tolist(), heads, None, progress, first=first)
            if len(drawn)
            else []
        )
        found = tuple(map(reading, again))
        with _lock:
            _kept[key] = found
    return found


def _digest(mask: NDArray[np.bool_] | None) -> str:
    return "" if mask is None else hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()
