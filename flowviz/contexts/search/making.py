"""Making an index of a site's vectors: read once, block by block, and written beside them.

    flat       up to `FLAT_MOST` numbers: comparing all of them takes a tenth of a second or two
    inverted   beyond: 2 √rows lists, their centres found on 40 rows for each list

How many lists a search opens is found by measuring: `recall.py`. Where even a quarter of the lists
finds too few of the nearest, the index is made flat after all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.search import library
from flowviz.contexts.search.compare import NO_NUMBER, unit_rows
from flowviz.contexts.search.label import Label, checksum, new_file, put
from flowviz.contexts.search.library import Index
from flowviz.contexts.search.recall import Trial
from flowviz.contexts.store.types import Vectors
from flowviz.errors import RequestError
from flowviz.jobs import Progress

FLAT_MOST = 1 << 29  # numbers: 2 million rows of 256
AT_ONCE = 1 << 22  # numbers that are prepared at once
EACH_LIST = 40
LEFT_BEHIND = 86_400.0  # seconds after which nobody writes to a file any more
LARGEST = 60_000.0  # of float16 it is 65,504


@dataclass(frozen=True)
class Plan:
    """What an index is made of.

    Args:
        store: as `Label.store`.
        inverted: whether it opens some lists only.
    """

    store: str
    unit: bool
    parts: int
    inverted: bool


@dataclass
class _Seen:
    longest: float = 0.0
    rounded: bool = False


class Unfit(Exception):
    """These vectors cannot be kept as float16."""


def make(vectors: Vectors, plan: Plan, where: Path, progress: Progress) -> None:
    """Makes an index and puts its label at `where`.

    Raises:
        RequestError: the store holds what is no number.
        Unfit: numbers are too large for float16.
        OSError: it cannot be written.
    """
    where.parent.mkdir(exist_ok=True)
    file = new_file(where)
    try:
        file.touch()  # before the work, where nothing can be written
        label = _make(vectors, plan, file, progress)
        put(label, where)
        _tidy(where, file)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _tidy(where: Path, keep: Path) -> None:
    """Takes away what a process that was killed left behind."""
    for file in where.parent.glob(f"{where.stem}.*.faiss"):
        with suppress(OSError):
            if file != keep and file.stat().st_mtime < time.time() - LEFT_BEHIND:
                file.unlink()


def _make(vectors: Vectors, plan: Plan, file: Path, progress: Progress) -> Label:
    seen, whole, part = _Seen(), None, None
    if plan.inverted:
        index, trial = _empty(vectors, plan, progress), Trial.of(vectors, plan.unit, plan.parts)
        for rows, done in _prepared(vectors, plan, seen):
            progress("Making the index", done)
            library.add(index, rows)
            trial.see(rows)
        whole, part = trial.found(index, progress)
        if whole is None:
            return _make(vectors, Plan(plan.store, plan.unit, plan.parts, False), file, progress)
    else:
        index = library.flat(vectors.width)
        for rows, done in _prepared(vectors, plan, seen):
            progress("Making the index", done)
            library.add(index, rows)
    library.write(index, file)
    return Label(
        plan.store, plan.unit, plan.parts, vectors.rows, vectors.width, seen.longest, seen.rounded,
        whole, part, file.name, file.stat().st_size, checksum(file),
    )  # fmt: skip


def _empty(vectors: Vectors, plan: Plan, progress: Progress) -> Index:
    lists = max(1, round(2 * math.sqrt(vectors.rows)))
    random = np.random.default_rng(0)
    some = np.sort(random.choice(vectors.rows, min(vectors.rows, EACH_LIST * lists), replace=False))
    return library.inverted(_ready(vectors.take(some), plan), lists, progress)


def _prepared(
    vectors: Vectors, plan: Plan, seen: _Seen
) -> Iterator[tuple[NDArray[np.float32], float]]:
    """All rows as they are kept, piece by piece, each with the share that is done with it."""
    step, done = max(1, AT_ONCE // vectors.width), 0
    for _, block in vectors.blocks():
        for start in range(0, len(block), step):
            rows = _ready(np.asarray(block[start : start + step]), plan)
            _look_at(rows, seen)
            done += len(rows)
            yield rows, done / vectors.rows


def _ready(rows: NDArray[np.floating], plan: Plan) -> NDArray[np.float32]:
    whole = rows.astype(np.float32)
    return unit_rows(whole, plan.parts) if plan.unit else whole


def _look_at(rows: NDArray[np.float32], seen: _Seen) -> None:
    if not np.isfinite(rows).all():
        raise RequestError(NO_NUMBER)
    if np.abs(rows).max(initial=0.0) > LARGEST:
        raise Unfit
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    seen.longest = max(seen.longest, float(lengths.max(initial=0.0)))
    seen.rounded = seen.rounded or not (rows.astype(np.float16) == rows).all()
