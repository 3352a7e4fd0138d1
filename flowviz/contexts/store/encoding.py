"""The second half of a build: the model reads the shards and leaves its vectors.

A shard's sentences are sorted by length and read in batches of so many tokens, padding included;
each batch is one pass for all sites that are missing. The batches of a shard are the same whenever
it is read, so that a build that was stopped, or a site that is added later, gives the same arrays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site
from flowviz.contexts.store import tables
from flowviz.contexts.store.arrays import ArrayFile, is_whole
from flowviz.contexts.store.layout import Layout, sync
from flowviz.contexts.store.manifest import Kept, Manifest, Shard, save
from flowviz.contexts.store.reading import SHARE
from flowviz.contexts.together import together
from flowviz.errors import ModelError
from flowviz.jobs import Progress


@dataclass(frozen=True)
class Missing:
    """The sites that a shard has no arrays of."""

    shard: int
    sites: tuple[Site, ...]


def missing(
    layout: Layout, manifest: Manifest, widths: dict[Site, int], sites: Sequence[Site]
) -> list[Missing]:
    """Which arrays of these sites are not there."""
    found = list[Missing]()
    for number, shard in enumerate(manifest.shards):
        lacks = tuple(
            site
            for site in sites
            if shard.rows and _wide(layout, manifest, site, number, widths[site]) is None
        )
        found += [Missing(number, lacks)] if lacks else []
    return found


def _wide(layout: Layout, manifest: Manifest, site: Site, number: int, width: int) -> bool | None:
    wide = is_whole(layout.array(site, number), manifest.shards[number].rows, width)
    return None if wide is False and manifest.options.dtype == "float32" else wide


def encode(
    reader: Reader, layout: Layout, manifest: Manifest, sites: Sequence[Site], progress: Progress
) -> Manifest:
    """Makes the arrays of these sites that are missing, and gives the manifest that names all.

    Raises:
        ModelError: the model gives numbers that are not finite.
    """
    widths = reader.sites
    lacking = missing(layout, manifest, widths, sites)
    told = _Told(progress, sum(manifest.shards[each.shard].tokens for each in lacking))
    for each in lacking:
        _encode_shard(reader, layout, manifest, each, told)
    for site in sites:
        sync(layout.site(site))
    sync(layout.vectors)
    kept = {
        site: Kept(widths[site], _wides(layout, manifest, site, widths[site])) for site in sites
    }
    manifest = replace(manifest, sites={**manifest.sites, **kept})
    save(layout, manifest)
    return manifest


def _wides(layout: Layout, manifest: Manifest, site: Site, width: int) -> tuple[int, ...]:
    if manifest.options.dtype == "float32":
        return ()
    return tuple(
        number
        for number, shard in enumerate(manifest.shards)
        if shard.rows and is_whole(layout.array(site, number), shard.rows, width)
    )


def _encode_shard(
    reader: Reader, layout: Layout, manifest: Manifest, lacks: Missing, told: _Told
) -> None:
    shard, dtype = manifest.shards[lacks.shard], manifest.options.dtype
    read = ShardTokens.of(layout, lacks.shard, shard)
    with ExitStack() as stack:
        arrays = dict[Site, ArrayFile]()
        for site in lacks.sites:
            path = layout.array(site, lacks.shard)
            arrays[site] = ArrayFile(path, shard.rows, reader.sites[site], dtype)
            stack.callback(arrays[site].drop)
        for batch in together(read.lengths, manifest.options.batch_tokens):
            told.more(int(read.lengths[batch].sum()))
            _encode_batch(reader, read, batch, arrays)
        for array in arrays.values():
            array.close()


def _encode_batch(
    reader: Reader, read: ShardTokens, batch: list[int], arrays: dict[Site, ArrayFile]
) -> None:
    kept, rows = read.rows_of(batch)
    for site, vectors in reader.vectors(read.texts(batch), list(arrays)).items():
        try:
            arrays[site].put(rows, vectors if kept.all() else vectors[kept])
        except ValueError as error:
            raise ModelError(
                f"{reader.shape.name} cannot be kept at {site}: {error}. Load it with --dtype "
                "float32, or leave that site out."
            ) from None


@dataclass(frozen=True)
class ShardTokens:
    """What a model reads of a shard.

    Args:
        ids: of all tokens; special: whether they are.
        starts: where each sentence's begin, and behind them all.
    """

    ids: NDArray[np.int32]
    special: NDArray[np.bool_]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, layout: Layout, number: int, shard: Shard) -> ShardTokens:
        """Reads them. Raises RequestError where the store's files are broken."""
        tokens = tables.read(layout, "tokens", number, shard, ("id", "special"))
        counts = tables.read(layout, "sentences", number, shard, ("tokens",))["tokens"]
        return cls(tokens["id"], tokens["special"], np.concatenate([[0], np.cumsum(counts)]))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Of each sentence; 0 where no token of it stands for text, so that it is not read."""
        before = np.concatenate([[0], np.cumsum(~self.special)])[self.starts]
        return np.where(np.diff(before) > 0, np.diff(self.starts), 0)

    def rows_of(self, sentences: Sequence[int]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which of the tokens of some sentences, one behind the other, are rows, and which rows."""
        places = [np.arange(self.starts[each], self.starts[each + 1]) for each in sentences]
        tokens = np.concatenate(places)
        kept = ~self.special[tokens]
        return kept, (np.cumsum(~self.special) - 1)[tokens[kept]]

    def texts(self, sentences: Sequence[int]) -> list[list[int]]:
        """The tokens of some sentences."""
        ends = self.starts
        return [self.ids[ends[each] : ends[each + 1]].tolist() for each in sentences]


class _Told:
    """Says how many tokens of how many were read, how fast, and how long it will take."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._start = time.monotonic()

    def more(self, tokens: int) -> None:
        """Before a batch of so many tokens."""
        spent = time.monotonic() - self._start
        said = f"Reading with the model: {self._done:,} of {self._total:,} tokens"
        if self._done and spent > 1:
            rate = self._done / spent
            said += f", {rate:,.0f} a second, {(self._total - self._done) / rate:,.0f} s left"
        self._progress(said, SHARE + (1 - SHARE) * self._done / max(self._total, 1))
        self._done += tokens
