"""A store on disk: a folder of files in standard formats.

    manifest.json              what the store is about, and what of it is whole
    sentences/00000.parquet    text, part, place, words (how many), tokens (how many)
    words/00000.parquet        sentence, form, start, end, lemma, upos, xpos, feats, deprel, head,
                               entity
    tokens/00000.parquet       sentence, id, text, start, end, special, word
    vectors/resid_pre.3/00000.npy
    lock                       held by whoever builds

1. The corpus is cut into shards of some 8,000 tokens, numbered from 0. Sentences are numbered
   through all shards in the corpus's order; a sentence that is too long is several in a row, one
   for each piece. Words and tokens stand in their sentence's order; `word` counts in its sentence,
   -1 for none; characters (start, end) count in its text.
2. A row is a token that is not special. The k-th of a shard has its vectors in row k of each array
   of that shard. Where a shard has no row it has no array.
3. Arrays are float16 or float32, [rows, width], C order. A shard of a float16 store is float32 at a
   site where float16 would not do: where a number lies beyond its range, or where all numbers of a
   vector are so small that it would lose digits. So nothing becomes infinite or zero by storing.
4. Every file is written under another name beside its place, flushed to the disk, and renamed: it
   is whole or not there. The manifest says which shards of the text and which sites are whole; it
   is written last. An array that it does not name is used when a build goes on, and else ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flowviz.contexts.kinds import Site

FORMAT = "flowviz contexts"
VERSION = 1
TABLES = ("sentences", "words", "tokens")
MANIFEST = "manifest.json"
UNFINISHED = ".part"  # how the name of a file that is being written ends


@dataclass(frozen=True)
class Layout:
    """Where the files of a store are."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """What the store is about."""
        return self.folder / MANIFEST

    @property
    def lock(self) -> Path:
        """Held by whoever builds."""
        return self.folder / "lock"

    @property
    def vectors(self) -> Path:
        """The folder of all sites' folders."""
        return self.folder / "vectors"

    def table(self, name: str, shard: int) -> Path:
        """One of `TABLES`."""
        return self.folder / name / f"{shard:05}.parquet"

    def site(self, site: Site) -> Path:
        """The folder of a site's arrays."""
        return self.vectors / str(site).replace(":", ".")

    def array(self, site: Site, shard: int) -> Path:
        """The vectors of a shard's rows at a site."""
        return self.site(site) / f"{shard:05}.npy"

    def unfinished(self) -> Iterator[Path]:
        """What a build that was killed left behind."""
        yield from self.folder.glob(f"*{UNFINISHED}")
        for name in TABLES:
            yield from (self.folder / name).glob(f"*{UNFINISHED}")
        yield from self.vectors.glob(f"*/*{UNFINISHED}")


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is whole and on the disk, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def sync(folder: Path) -> None:
    """Has the names in a folder written to the disk."""
    if not folder.is_dir():
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
