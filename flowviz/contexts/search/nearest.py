"""The nearest rows of a store's site: the way that is fastest for so many rows.

1. Few rows pass the filters, or the store is small: all that pass are compared (`scan.py`).
2. Otherwise an index names candidates, more than there will be hits, and these are compared in
   float64. What an index thinks of a row is off by a known bound at most, so that with a flat index
   the hits are proven once the last hit beats the last candidate by more than that; else more
   candidates are named, and at last all rows are compared. Flat or scanned, the answer is exact.
3. An inverted index names candidates from some of its lists: the answer says how much that finds.

An index whose products are not those of the vectors is none of theirs; it is made again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Site
from flowviz.contexts.search import library, making
from flowviz.contexts.search.compare import Comparison
from flowviz.contexts.search.kept import Indexes, Opened
from flowviz.contexts.search.making import Plan
from flowviz.contexts.search.scan import exactly, scan
from flowviz.contexts.search.types import Nearest, Wanted
from flowviz.contexts.store.types import Store, Vectors
from flowviz.errors import RequestError
from flowviz.jobs import Progress

SCANNED = 1 << 24  # numbers that are compared without an index: 65,536 rows of 256
TAKEN = 1 << 23  # numbers of rows that lie here and there
MOST_NUMBERS = 1 << 32  # of an index; beyond, it would not fit into memory while it is made
MOST_NAMED = 8192  # candidates
INDEXES = Indexes()


def no_progress(_stage: str, _fraction: float) -> None:
    """For those who do not ask."""


@dataclass(frozen=True, eq=False)
class _Search:
    """What all ways of searching need.

    Args:
        rows: those that pass, ascending; None where all do.
    """

    store: Store
    site: Site
    vectors: Vectors
    wanted: Wanted
    comparison: Comparison
    rows: NDArray[np.int64] | None
    progress: Progress

    @property
    def searched(self) -> int:
        return self.vectors.rows if self.rows is None else len(self.rows)

    @property
    def sentences(self) -> NDArray[np.int32] | None:
        return self.store.sentence_of if self.wanted.one_each else None


def nearest(store: Store, site: Site, wanted: Wanted, progress: Progress = no_progress) -> Nearest:
    """The rows most like what is wanted. Raises RequestError where they cannot be compared."""
    vectors = store.vectors(site)
    if vectors.width != len(wanted.vector):
        raise RequestError(
            f"A vector at {site} has {len(wanted.vector):,} numbers and the store's have "
            f"{vectors.width:,}: another model read it. Build the store again."
        )
    rows = None if wanted.mask is None else np.flatnonzero(wanted.mask)
    search = _Search(store, site, vectors, wanted, Comparison.of(wanted), rows, progress)
    if _scanned(search):
        return _told(search, *_scan(search))
    opened = INDEXES.get(store, site, partial(_plan, search), progress)
    if opened is None:
        return _told(search, *_scan(search))
    return _by_index(search, opened)


def _scanned(search: _Search) -> bool:
    """Whether all rows that pass are compared without an index."""
    own = search.comparison.spans
    each = sum(span.stop - span.start for span in own)
    if search.wanted.neuron is not None or search.vectors.rows * each <= SCANNED:
        return True
    if search.vectors.rows * search.vectors.width > MOST_NUMBERS:
        return True
    return search.rows is not None and len(search.rows) * search.vectors.width <= TAKEN


def _plan(search: _Search, contents: str) -> Plan:
    numbers = search.vectors.rows * search.vectors.width
    unit, parts = search.comparison.unit, search.wanted.parts
    return Plan(contents, unit, parts, inverted=numbers > making.FLAT_MOST)


def _scan(search: _Search) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    count = search.wanted.count
    return scan(
        search.vectors, search.comparison, search.rows, count, search.sentences, search.progress
    )


def _by_index(search: _Search, opened: Opened) -> Nearest:
    count = search.wanted.count
    lists, recall = _lists(search, opened)
    named = 4 * count + 64 if search.wanted.one_each else 2 * count + 64
    mask = None if search.wanted.mask is None else library.packed(search.wanted.mask)
    query = search.comparison.query.astype(np.float32)
    while True:
        search.progress("Searching", 1.0)
        named = min(named, search.searched, MOST_NAMED)
        products, rows = library.search(opened.index, query, named, mask, lists)
        rows, products = rows[0][rows[0] >= 0], products[0][rows[0] >= 0]
        if not _agree(search, opened, rows, products):
            INDEXES.forget(opened)
            return _told(search, *_scan(search))
        found = exactly(search.vectors, search.comparison, rows, count, search.sentences)
        enough = len(found[0]) == count
        if lists is None:
            last = products[-1] + _bound(search, opened) if len(products) else np.inf
            if len(rows) == search.searched or (enough and found[1][-1] > last):
                return _told(search, *found)
        elif enough or len(rows) < named:
            return _told(search, *found, recall=recall) if enough else _told(search, *_scan(search))
        if named == MOST_NAMED:
            return _told(search, *_scan(search))
        named *= 4


def _lists(search: _Search, opened: Opened) -> tuple[int | None, float | None]:
    """How many lists are opened: with few rows that pass the more, so that as many are compared."""
    label = opened.label
    one = label.part is not None and len(search.comparison.spans) < search.wanted.parts
    opens = label.part if one else label.whole
    if opens is None:
        return None, None
    share = search.searched / search.vectors.rows
    return min(math.ceil(opens[0] / share), opened.index.nlist), opens[1]


def _bound(search: _Search, opened: Opened) -> float:
    """How far an index's product may be from the exact one: float16's rounding, float32's sums."""
    label, comparison = opened.label, search.comparison
    longest = math.sqrt(len(comparison.spans)) if comparison.unit else label.longest
    width = search.vectors.width
    own = (2.0**-11 if label.rounded else 0.0) + 4 * width * 2.0**-24
    return comparison.length * (own * longest + 2.0**-25 * math.sqrt(width))


def _agree(
    search: _Search, opened: Opened, rows: NDArray[np.int64], products: NDArray[np.float32]
) -> bool:
    """Whether the index's products of the first candidates are those of the store's vectors."""
    if not len(rows):
        return True
    if rows.max() >= search.vectors.rows:
        return False
    exact = search.comparison.exact(search.vectors.take(rows[:8]))
    return bool((np.abs(exact - products[:8]) <= 2 * _bound(search, opened)).all())


def _told(
    search: _Search,
    rows: NDArray[np.int64],
    products: NDArray[np.float64],
    recall: float | None = None,
) -> Nearest:
    if search.wanted.least is not None:
        enough = products >= search.wanted.least
        rows, products = rows[enough], products[enough]
    scores = products * search.comparison.sign
    return Nearest(rows, scores, search.searched, recall is None, recall)
