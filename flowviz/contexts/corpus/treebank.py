"""Treebanks in CoNLL-U, as Universal Dependencies gives them (universaldependencies.org/format).

Multi-word tokens (1-2) are one word, empty nodes (8.1) and enhanced dependencies are passed over. A
part is a file of a folder; of a single file, a document (`# newdoc id =`) where it names some.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flowviz.contexts.corpus.annotated import sentence_of
from flowviz.contexts.corpus.blocks import Block, blocks
from flowviz.contexts.corpus.columns import comments
from flowviz.contexts.corpus.files import Source, fingerprint
from flowviz.contexts.corpus.lines import lines
from flowviz.contexts.corpus.reported import Read, bounded, one_after_the_other
from flowviz.contexts.corpus.types import Fault, Sentence
from flowviz.contexts.kinds import ANNOTATIONS, Feature

READ_AS = "CoNLL-U 1"  # a higher number where the same file gives other sentences than before
MOST_PARTS = 1_000
MOST_NAME = 100
DOCUMENT, ORDER = "newdoc id", "global.Entity"


@dataclass(frozen=True)
class Treebank:
    """A `Corpus` of one or several CoNLL-U files."""

    name: str
    files: Sequence[Source]
    annotations: tuple[Feature, ...] = ANNOTATIONS
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The sizes of its files."""
        return sum(source.size for source in self.files)

    def fingerprint(self) -> str:
        """As `files.fingerprint`."""
        return fingerprint(self.files, READ_AS)

    def read(self) -> Iterator[Read]:
        """Its sentences and faults, one block of lines in memory at a time."""
        read = ((each, self._file(each)) for each in self.files)
        yield from bounded(one_after_the_other(read), self.name, self.bytes)

    def _file(self, source: Source) -> Iterator[Read]:
        parts = Parts(source.name, by_document=len(self.files) == 1)
        for block in blocks(lines(source)):
            for found in _read(block, source.name, parts):
                yield found, block.read


@dataclass
class Parts:
    """Which part the sentence at hand belongs to, and what its file said at its head.

    Documents behind the first `MOST_PARTS` have the part of the whole file.
    """

    file: str
    by_document: bool
    now: str = ""
    order: str = ""
    known: set[str] = field(default_factory=set)

    def hear(self, said: dict[str, str]) -> None:
        """What a block's comments say."""
        self.order = said.get(ORDER, self.order)
        if not self.by_document or not (DOCUMENT in said or "newdoc" in said):
            return
        name = "".join(c for c in said.get(DOCUMENT, "") if c.isprintable())[:MOST_NAME]
        if len(self.known) < MOST_PARTS:
            self.known.add(name)
        self.now = name if name in self.known else ""


def _read(block: Block, file: str, parts: Parts) -> Iterator[Sentence | Fault]:
    said = comments(block.comments)
    parts.hear(said)
    sentence, faults = sentence_of(block, said, file, parts.now or file, parts.order)
    yield from faults
    if sentence:
        yield sentence
