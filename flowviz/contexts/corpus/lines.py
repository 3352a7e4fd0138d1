"""A file's lines, one at a time, whatever the file holds.

Nothing longer than `MOST_LINE` bytes is ever in memory: a longer line is a fault and is passed over
in pieces. Lines with NUL bytes and lines that are no UTF-8 are faults, and so are whole files that
are no text.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from flowviz.contexts.corpus.files import Source, open_source
from flowviz.contexts.corpus.types import Fault

MOST_LINE = 1_000_000
PROBE = 4096
WIDE = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_CONTROL = bytes(code for code in (*range(9), *range(14, 32), 127) if code != 27)


@dataclass(frozen=True)
class Line:
    """One line without its end, or what kept it from being read, with its number from 1.

    Args:
        text: None where there is a fault.
        read: how many bytes of the file have been read by then.
        comment: whether it begins with "#", also where it could not be read.
    """

    number: int
    read: int
    text: str | None
    fault: Fault | None = None
    comment: bool = False


def lines(source: Source) -> Iterator[Line]:
    """All lines of a file; where the whole of it cannot be read, one with the fault, number 0."""
    try:
        with open_source(source) as file:
            wrong = _no_text(file.read(PROBE))
            if wrong:
                yield _lost(source, 0, source.size, wrong, "the file")
                return
            file.seek(0)
            yield from _read(source, file)
    except OSError as error:
        why = f"It cannot be read: {error.strerror or error}."
        yield _lost(source, 0, source.size, why, "the file, or the rest of it")


def _read(source: Source, file: BinaryIO) -> Iterator[Line]:
    number, read = 0, 0
    while raw := file.readline(MOST_LINE + 2):
        number, read = number + 1, read + len(raw)
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        first = raw[:1]
        wrong = ""
        if len(raw.rstrip(b"\r\n")) > MOST_LINE:
            read += 0 if raw.endswith(b"\n") else _pass_over(file)
            wrong = f"The line is longer than {MOST_LINE:,} bytes."
        elif b"\0" in raw:
            wrong = "There is a NUL byte in the line."
        yield _decoded(source, number, read, raw, wrong, first == b"#")


def _pass_over(file: BinaryIO) -> int:
    """Reads to the end of the line in pieces; how many bytes that were."""
    read = 0
    while piece := file.readline(MOST_LINE):
        read += len(piece)
        if piece.endswith(b"\n"):
            break
    return read


def _decoded(source: Source, number: int, read: int, raw: bytes, wrong: str, comment: bool) -> Line:
    text = None
    if not wrong:
        try:
            text = raw.rstrip(b"\r\n").decode()
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            wrong = f"Byte {error.start + 1} of the line, 0x{byte:02x}, is no UTF-8."
    if text is not None:
        return Line(number, read, text, None, comment)
    return _lost(source, number, read, wrong, "the line", comment)


def _lost(
    source: Source, number: int, read: int, why: str, lost: str, comment: bool = False
) -> Line:
    return Line(number, read, None, Fault(source.name, number, why, lost), comment)


def _no_text(head: bytes) -> str:
    """Why a file that begins like this is no text to be read; empty where it may be one."""
    name = next((name for mark, name in WIDE.items() if head.startswith(mark)), "")
    if name:
        return f"It is {name}. Save it as UTF-8."
    control = len(head) - len(head.translate(None, _CONTROL))
    if control > max(8, len(head) // 20):
        return (
            f"It is no text: {control:,} of its first {len(head):,} bytes are control characters."
        )
    return ""
