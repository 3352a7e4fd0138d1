"""What is said of an index's file in a small file beside it, and whether both are what they say.

An index is written to a file of a name of its own; then its label is put in place at once, by
renaming. So a label speaks of a whole file, or there is none.
"""

from __future__ import annotations

import os
import secrets
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from flowviz.contexts.kinds import Site
from flowviz.contexts.store.types import Store

FORM = 1
FOLDER = "index"
PIECE = 1 << 24


@dataclass(frozen=True)
class Label:
    """What an index is of.

    Args:
        store: which vectors (`contents_of`); unit, parts: whether each of so many parts of them was
            brought to length 1.
        longest: the largest length of a row as it is kept.
        rounded: whether float16 changed numbers.
        whole, part: of an inverted index, for queries with all parts and with one of several: how
            many lists are opened, and the share of the ten nearest that this finds. None for a
            flat one.
        file, size, checksum: the index's file, its bytes and their CRC-32.
    """

    store: str
    unit: bool
    parts: int
    rows: int
    width: int
    longest: float
    rounded: bool
    whole: tuple[int, float] | None = None
    part: tuple[int, float] | None = None
    file: str = ""
    size: int = 0
    checksum: int = 0
    form: int = FORM

    @property
    def inverted(self) -> bool:
        """Whether it opens some lists only."""
        return self.whole is not None


def contents_of(store: Store) -> str:
    """The same text for the same vectors: sites may be added to a store, its rows do not change."""
    info = store.info
    parts = info.name, info.model, info.identity, str(info.sentences), str(info.rows)
    return f"{zlib.crc32(chr(0).join((*parts, *info.parts)).encode()):08x} {info.identity}"


def label_file(folder: Path, site: Site, unit: bool) -> Path:
    """Where the label of a site's index is."""
    return folder / f"{str(site).replace(':', '-')}.{'unit' if unit else 'plain'}.json"


def new_file(label: Path) -> Path:
    """A name for an index's file that nothing else has."""
    return label.with_name(f"{label.stem}.{secrets.token_hex(6)}.faiss")


def put(label: Label, where: Path) -> None:
    """Puts a label in place, at once; files of labels before are taken away."""
    before = get(where)
    fresh = where.with_name(f"{where.name}.{secrets.token_hex(6)}.part")
    try:
        fresh.write_bytes(orjson.dumps(asdict(label)))
        os.replace(fresh, where)
    finally:
        fresh.unlink(missing_ok=True)
    if before is not None and before.file != label.file:
        where.with_name(before.file).unlink(missing_ok=True)


def get(where: Path) -> Label | None:
    """Reads a label; None where there is none, or it is none."""
    try:
        values = orjson.loads(where.read_bytes())
        label = Label(**{**values, "whole": _pair(values["whole"]), "part": _pair(values["part"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return label if label.form == FORM and Path(str(label.file)).name == label.file else None


def _pair(value: Any) -> tuple[int, float] | None:
    return None if value is None else (int(value[0]), float(value[1]))


def checksum(file: Path) -> int:
    """The CRC-32 of a file, read piece by piece."""
    found = 0
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            found = zlib.crc32(piece, found)
    return found
