"""The blocks of a CoNLL-U file: one sentence's lines, never more than a bounded number of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flowviz.contexts.corpus.lines import Line
from flowviz.contexts.corpus.types import Fault

MOST_LINES = 10_000
MOST_CHARACTERS = 4_000_000


@dataclass
class Block:
    """The lines between two empty ones.

    Args:
        comments, words: those that could be read, and word lines that could not.
        faults: of lines, in order.
        read: how many bytes of the file have been read by its end.
        whole: whether it is; else its sentence is larger than any is, and its lines were let go.
    """

    comments: list[Line] = field(default_factory=list)
    words: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    first: int = 0
    read: int = 0
    size: int = 0
    whole: bool = True


def blocks(read: Iterable[Line]) -> Iterator[Block]:
    """All blocks that have a line."""
    block = Block()
    for line in read:
        if line.text is not None and not line.text.strip():
            if block.first:
                block.read = line.read
                yield block
            block = Block()
        elif not line.number:
            yield Block(faults=[line.fault] if line.fault else [], read=line.read)
        else:
            _add(block, line)
    if block.first:
        yield block


def _add(block: Block, line: Line) -> None:
    block.first = block.first or line.number
    block.read = line.read
    block.size += len(line.text or "")
    lines = len(block.comments) + len(block.words) + len(block.faults)
    if not block.whole or lines >= MOST_LINES or block.size > MOST_CHARACTERS:
        block.whole = False
        block.comments, block.words = [], []
        return
    if line.fault:
        block.faults.append(line.fault)
    if line.comment and not line.fault:
        block.comments.append(line)
    elif not line.comment:
        block.words.append(line)
