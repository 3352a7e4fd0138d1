"""What a build will take, on disk and of time, from a sample that is read and timed before it.

The sample is the corpus's beginning: its size against the bytes that were read for it says how much
there is in all, and a few batches of it say how fast the model reads. Where the whole corpus is in
the store already, or fits into the sample, its size is not estimated but known.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np

from flowviz.contexts.corpus.types import Corpus, Sentence
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site
from flowviz.contexts.store.building import (
    SHARD_TOKENS,
    asked_sites,
    bytes_missing,
    check_same,
    chosen_options,
    free_bytes,
    is_done,
    standing,
)
from flowviz.contexts.store.encoding import missing
from flowviz.contexts.store.layout import Layout
from flowviz.contexts.store.manifest import Manifest, Options
from flowviz.contexts.store.reading import pieces_of
from flowviz.contexts.store.tables import columns_of, write
from flowviz.contexts.store.types import Plan, Stored
from flowviz.contexts.together import together
from flowviz.errors import RequestError

SAMPLE_TOKENS = 2**13
SAMPLE_SECONDS = 2.0  # of reading the corpus, and again of the model's passes


def plan(
    corpus: Corpus,
    reader: Reader,
    folder: str | Path,
    sites: Sequence[Site] | None = None,
    *,
    dtype: str | None = None,
    most_tokens: int | None = None,
) -> Plan:
    """What `build` with the same arguments will take. Writes nothing.

    Raises:
        RequestError: as `build` does, for what can be known before.
    """
    wanted, layout = asked_sites(reader, sites), Layout(Path(folder))
    manifest = standing(layout)
    options = chosen_options(reader, dtype, most_tokens, SHARD_TOKENS)
    if manifest is not None:
        check_same(layout, manifest, corpus, reader, dtype, most_tokens)
        options = manifest.options
        if is_done(layout, manifest, reader, wanted):
            return _counted(layout, manifest, wanted, done=True)
    sample = _Sample.of(corpus, reader, options, wanted)
    if manifest is not None and manifest.read:
        return _rest(layout, manifest, reader, wanted, sample)
    each = 4 if options.dtype == "float32" else 2
    width = sum(reader.sites[site] for site in wanted)
    return Plan(
        str(folder),
        wanted,
        options.dtype,
        sentences=sample.whole(sample.sentences),
        tokens=sample.whole(sample.tokens),
        bytes=sample.whole(sample.table_bytes + sample.rows * width * each),
        free=free_bytes(layout.folder),
        seconds=sample.reading / sample.share + sample.encoding * sample.whole(sample.tokens),
        known=sample.share == 1,
    )


def _rest(
    layout: Layout, manifest: Manifest, reader: Reader, sites: tuple[Site, ...], sample: _Sample
) -> Plan:
    """Where the corpus has been read and vectors are missing."""
    lacking = missing(layout, manifest, reader.sites, sites)
    left = sum(manifest.shards[each.shard].tokens for each in lacking)
    needed = bytes_missing(reader, layout, manifest, sites)
    return replace(_counted(layout, manifest, sites), bytes=needed, seconds=sample.encoding * left)


def _counted(
    layout: Layout, manifest: Manifest, sites: tuple[Site, ...], done: bool = False
) -> Plan:
    tokens = sum(shard.tokens for shard in manifest.shards)
    dtype = manifest.options.dtype
    return Plan(str(layout.folder), sites, dtype, manifest.sentences, tokens, bytes=0,
                free=free_bytes(layout.folder), seconds=0.0, known=True, done=done)  # fmt: skip


@dataclass(frozen=True)
class _Sample:
    """The beginning of a corpus.

    Args:
        share: of the whole corpus, 1 where it is all.
        table_bytes: what its texts take on disk.
        reading: seconds that it took to read; encoding: seconds of the model for each token.
    """

    sentences: int
    tokens: int
    rows: int
    share: float
    table_bytes: int
    reading: float
    encoding: float

    @classmethod
    def of(
        cls, corpus: Corpus, reader: Reader, options: Options, sites: tuple[Site, ...]
    ) -> _Sample:
        start = time.monotonic()
        stored, share = _beginning(corpus, reader, options)
        reading = time.monotonic() - start
        return cls(
            len(stored),
            sum(len(one.tokens) for one in stored),
            sum(not special for one in stored for special in one.tokens.special),
            share,
            _table_bytes(stored),
            reading,
            _seconds_a_token(stored, reader, options, sites),
        )

    def whole(self, count: int) -> int:
        """How many there are in the corpus, by how many are in the sample."""
        return round(count / self.share)


def _beginning(corpus: Corpus, reader: Reader, options: Options) -> tuple[list[Stored], float]:
    """Its first sentences, and which share of the corpus they are."""
    stored, tokens, start, whole = list[Stored](), 0, time.monotonic(), max(corpus.bytes, 1)
    for item, done in corpus.read():
        if isinstance(item, Sentence):
            try:
                pieces, _ = pieces_of(item, reader, options.most_tokens)
            except RequestError:
                continue  # the build tells it, as a fault
            stored += pieces
            tokens += sum(len(piece.tokens) for piece in pieces)
        if tokens >= SAMPLE_TOKENS or time.monotonic() - start > SAMPLE_SECONDS:
            return stored, min(max(done / whole, 1e-9), 1 - 1e-9)
    return stored, 1.0


def _table_bytes(stored: list[Stored]) -> int:
    total = 0
    for name, columns in columns_of(stored, 0).items():
        file = BytesIO()
        write(columns, file, name)
        total += file.getbuffer().nbytes
    return total


def _seconds_a_token(
    stored: list[Stored], reader: Reader, options: Options, sites: tuple[Site, ...]
) -> float:
    """The median over a few batches, the first of which only warms up."""
    lengths = np.array([len(one.tokens) for one in stored], np.int64)
    texts = [
        [stored[number].tokens.ids for number in batch]
        for batch in together(lengths, options.batch_tokens)
    ]
    spent, begin = list[float](), time.monotonic()
    for batch in texts[:1] + texts:
        start = time.monotonic()
        for vectors in reader.vectors(batch, sites).values():
            vectors.astype(options.dtype)
        spent.append((time.monotonic() - start) / sum(map(len, batch)))
        if time.monotonic() - begin > SAMPLE_SECONDS:
            break
    return float(np.median(spent[1:] or spent or [0.0]))
