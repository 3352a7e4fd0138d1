"""Which files a corpus is, and what they hold, as a hash.

A folder gives its treebanks (`.conllu`) or, where there are none, its plain texts (`.txt`),
recursively and sorted by name. Only real files are read: links in it are not followed, and pipes
and devices are never opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flowviz.errors import RequestError

TREEBANK, TEXT = ".conllu", ".txt"
MOST_FILES = 100_000
MOST_NAME = 100  # characters of a name, its last ones
WHOLE = 64 * 2**20  # a larger file is hashed in pieces
PIECE = 2**20
PIECES = 64


@dataclass(frozen=True)
class Source:
    """One file: where it is, its name for people, and its size in bytes."""

    path: Path
    name: str
    size: int

    @property
    def is_treebank(self) -> bool:
        """Whether it is read as CoNLL-U."""
        return self.name.lower().endswith(TREEBANK)


def sources(path: Path) -> tuple[Source, ...]:
    """The files of a corpus, all of one kind. Raises RequestError where there are none."""
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.is_file():
            return (Source(path.resolve(), for_people(path.name), path.stat().st_size),)
        what = "no file or folder" if path.exists() else "not there"
    except OSError as error:
        what = f"not to be read ({error.strerror})"
    raise RequestError(
        f"The corpus {path} is {what}. Name a CoNLL-U file, a plain text, or a folder of them."
    )


def for_people(name: str) -> str:
    """A file's name as text that can be shown, stored and asked for, whatever bytes it has."""
    text = name.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(c if c.isprintable() else "?" for c in text)[-MOST_NAME:]


def _of_folder(folder: Path) -> tuple[Source, ...]:
    found = sorted(_real_files(folder), key=lambda source: (source.name, source.path))
    for suffix in (TREEBANK, TEXT):
        chosen = tuple(s for s in found if s.path.suffix.lower() == suffix)
        if chosen:
            return chosen
    raise RequestError(
        f"The folder {folder} has no corpus: {len(found):,} files, none of them {TREEBANK} or "
        f"{TEXT}. Name a folder that has some, or one file of any name."
    )


def _real_files(folder: Path) -> Iterator[Source]:
    count = 0
    for place, _, names in os.walk(folder, followlinks=False):
        for name in names:
            path = Path(place, name)
            count += 1
            if count > MOST_FILES:
                raise RequestError(
                    f"The folder {folder} has more than {MOST_FILES:,} files. Name a smaller one."
                )
            with suppress(OSError):  # it went away meanwhile
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode):
                    shown = for_people(path.relative_to(folder).as_posix())
                    yield Source(path, shown, facts.st_size)


def open_source(source: Source) -> BinaryIO:
    """The file, to be read. Raises OSError where it is none any more, but a link or a pipe."""
    descriptor = os.open(source.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{source.name} is no file")
    return os.fdopen(descriptor, "rb")


def fingerprint(files: Sequence[Source], read_as: str) -> str:
    """A hash of names, sizes and contents, and of how they are read.

    Files of up to 64 MB are hashed whole. Of a larger one 64 pieces of 1 MB are, evenly spread from
    its beginning to its end, so that a corpus of gigabytes is not read twice: what changes between
    the pieces of such a file and keeps its size is not seen.
    """
    found = hashlib.blake2b(read_as.encode(), digest_size=16)
    for source in files:
        found.update(f"\0{source.name}\0{source.size}\0".encode())
        for piece in _pieces(source):
            found.update(piece)
    return found.hexdigest()


def _pieces(source: Source) -> Iterator[bytes]:
    try:
        with open_source(source) as file:
            if source.size <= WHOLE:
                while piece := file.read(PIECE):
                    yield piece
                return
            for number in range(PIECES):
                file.seek(number * (source.size - PIECE) // (PIECES - 1))
                yield file.read(PIECE)
    except OSError as error:
        yield f"not read: {error.errno}".encode()
