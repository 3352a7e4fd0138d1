"""Plain texts, cut into sentences, with annotations where a pipeline of spaCy's gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flowviz.contexts.corpus.files import Source, fingerprint
from flowviz.contexts.corpus.lines import lines
from flowviz.contexts.corpus.pipeline import Pipeline
from flowviz.contexts.corpus.reported import Read, bounded, one_after_the_other
from flowviz.contexts.corpus.sentences import Splitter
from flowviz.contexts.corpus.types import Sentence
from flowviz.contexts.corpus.words import words_of
from flowviz.contexts.kinds import Feature

READ_AS = "plain text 1"  # a higher number where the same file gives other sentences than before
BARE = (
    "Plain text without annotations: words and offsets are counted, parts of speech, relations and "
    "entities are not known. Give a CoNLL-U treebank, or name an installed spaCy pipeline."
)
TAGGED = (
    "Annotated by spaCy's pipeline {}, with its own names of relations and entities, and errors."
)


@dataclass(frozen=True)
class PlainText:
    """A `Corpus` of one or several plain texts. A part is a file."""

    name: str
    files: Sequence[Source]
    pipeline: Pipeline | None = None

    @property
    def bytes(self) -> int:
        """The sizes of its files."""
        return sum(source.size for source in self.files)

    @property
    def annotations(self) -> tuple[Feature, ...]:
        """Those of the pipeline."""
        return self.pipeline.annotations if self.pipeline else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the annotations come from, or that there are none."""
        return (TAGGED.format(self.pipeline.label) if self.pipeline else BARE,)

    def fingerprint(self) -> str:
        """As `files.fingerprint`; another pipeline makes another."""
        return fingerprint(self.files, f"{READ_AS} {self.pipeline.label if self.pipeline else ''}")

    def read(self) -> Iterator[Read]:
        """Its sentences and faults, a sentence and a line in memory at a time."""
        read = ((each, self._file(each)) for each in self.files)
        yield from bounded(one_after_the_other(read), self.name, self.bytes)

    def _file(self, source: Source) -> Iterator[Read]:
        splitter = Splitter()
        for line in lines(source):
            ended = splitter.end() if line.text is None else splitter.line(line.number, line.text)
            yield from ((s, line.read) for s in self._sentences(ended, source))
            if line.fault:
                yield line.fault, line.read
        yield from ((s, source.size) for s in self._sentences(splitter.end(), source))

    def _sentences(self, ended: Iterator[tuple[int, str]], source: Source) -> Iterator[Sentence]:
        for number, text in ended:
            words = self.pipeline.words(text) if self.pipeline else words_of(text)
            if words:
                yield Sentence(text, words, source.name, f"{source.name}:{number}")
