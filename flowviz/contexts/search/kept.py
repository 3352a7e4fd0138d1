"""Indexes that are open: made where there is none, checked when they are opened, one at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from flowviz.contexts.kinds import Site
from flowviz.contexts.search import library
from flowviz.contexts.search.label import FOLDER, Label, checksum, contents_of, get, label_file
from flowviz.contexts.search.library import Index
from flowviz.contexts.search.making import Plan, Unfit, make
from flowviz.contexts.store.types import Store
from flowviz.jobs import Progress

log = logging.getLogger(__name__)
MOST_OPEN = 32
PATIENCE = 0.2  # seconds between two looks at whether somebody still waits


@dataclass(frozen=True, eq=False)
class Opened:
    """An index and what is said of it. A search of it may run in many threads at once."""

    index: Index
    label: Label


class Indexes:
    """Indexes of stores, opened once. Safe to call from many threads."""

    def __init__(self) -> None:
        self._open: LRUCache[object, Opened | None] = LRUCache(MOST_OPEN)
        self._making: dict[object, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(
        self, store: Store, site: Site, plan: Callable[[str], Plan], progress: Progress
    ) -> Opened | None:
        """The index of a site; None where none can be kept: the store's folder is not writable.

        Raises:
            RequestError: the store holds what is no number.
        """
        wanted = plan(contents_of(store))
        where = label_file(Path(store.folder()) / FOLDER, site, wanted.unit)
        key = str(where), wanted
        with self._lock:
            if key in self._open:
                return self._open[key]
            making = self._making.setdefault(key, threading.Lock())
        while not making.acquire(timeout=PATIENCE):
            progress("Waiting for the index that another makes", 0.0)
        try:
            with self._lock:
                if key in self._open:
                    return self._open[key]
            found = _open(where, wanted) or _made(store, site, wanted, where, progress)
            with self._lock:
                self._open[key] = found
            return found
        finally:
            making.release()

    def forget(self, opened: Opened) -> None:
        """Closes an index that is not what it says, and takes its label away."""
        with self._lock:
            for key in [key for key, each in self._open.items() if each is opened]:
                del self._open[key]
                assert isinstance(key, tuple)
                with suppress(OSError):
                    Path(key[0]).unlink()
                    Path(key[0]).with_name(opened.label.file).unlink()


def _made(store: Store, site: Site, plan: Plan, where: Path, progress: Progress) -> Opened | None:
    try:
        make(store.vectors(site), plan, where, progress)
        return _open(where, plan)
    except Unfit:
        log.warning("The vectors at %s are too large for an index; all are compared.", site)
    except OSError as error:
        log.warning("The index of %s cannot be kept (%s); all vectors are compared.", site, error)
    return None


def _open(where: Path, plan: Plan) -> Opened | None:
    """The index of a label, where it is whole and of what is wanted."""
    label = get(where)
    if label is None or (label.store, label.unit, label.parts) != (
        plan.store, plan.unit, plan.parts,
    ):  # fmt: skip
        return None
    file = where.with_name(label.file)
    try:
        if file.stat().st_size != label.size or checksum(file) != label.checksum:
            return None
        index = library.read(file, label.inverted)
    except OSError:
        return None
    return Opened(index, label) if (index.ntotal, index.d) == (label.rows, label.width) else None
