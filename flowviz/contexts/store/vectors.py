"""A store's vectors as memory maps, a shard at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from flowviz.contexts.kinds import Site
from flowviz.contexts.store.arrays import mapped
from flowviz.contexts.store.layout import Layout
from flowviz.contexts.store.manifest import Manifest

MAPS_KEPT = 64  # arrays that stay mapped once they were read


class Maps:
    """The arrays of a store as memory maps. A few are held: each takes one of the process's files.

    Safe to use from many threads.
    """

    def __init__(self, layout: Layout, manifest: Manifest) -> None:
        self._layout, self._manifest = layout, manifest
        self._held: LRUCache[tuple[Site, int], np.memmap] = LRUCache(MAPS_KEPT)
        self._lock = threading.Lock()

    def array(self, site: Site, number: int) -> np.memmap:
        """The vectors of a shard's rows. Raises RequestError where they are broken."""
        with self._lock:
            if (site, number) not in self._held:
                made, kept = self._manifest, self._manifest.sites[site]
                wide = made.options.dtype == "float32" or number in kept.wide
                path, rows = self._layout.array(site, number), made.shards[number].rows
                self._held[site, number] = mapped(path, rows, kept.width, wide)
            return self._held[site, number]


class SiteVectors:
    """See `Vectors`."""

    def __init__(self, manifest: Manifest, site: Site, maps: Maps) -> None:
        self.rows, self.width = manifest.rows, manifest.sites[site].width
        self._site, self._maps = site, maps
        self._shards = [number for number, shard in enumerate(manifest.shards) if shard.rows]
        self._starts = np.cumsum([0, *(manifest.shards[number].rows for number in self._shards)])

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Those of some rows, [len(rows), width]. Raises IndexError."""
        asked = np.asarray(rows, np.int64)
        if asked.size and not (asked.min() >= 0 and asked.max() < self.rows):
            raise IndexError(f"a row is not one of 0 to {self.rows - 1}")
        found = np.empty((len(asked), self.width), np.float32)
        shards = np.searchsorted(self._starts, asked, side="right") - 1
        for shard in np.unique(shards):
            here = shards == shard
            array = self._maps.array(self._site, self._shards[shard])
            found[here] = array[asked[here] - self._starts[shard]]
        return found

    def blocks(self) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """All of them in order, as memory maps: the number of the first row, [rows, width]."""
        for start, number in zip(self._starts[:-1].tolist(), self._shards, strict=True):
            yield start, self._maps.array(self._site, number)
