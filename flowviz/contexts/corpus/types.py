"""What every corpus gives: sentences of annotated words, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from flowviz.contexts.kinds import Feature

ROOT = -1  # the governor of a sentence's root
NO_GOVERNOR = -2  # nobody says


@dataclass(frozen=True)
class Word:
    """One word as it is written, with what is said of it; empty where nothing is said.

    A multi-word token (German "zum", French "du") is one word: its tags are those of the words that
    it stands for, joined with "+".

    Args:
        start, end: its characters in the sentence's text; they are `form`, white space and all.
        head: the index of its governor in the sentence; ROOT, or NO_GOVERNOR.
        entity: the type of the named entity that it is part of, such as PERSON.
    """

    form: str
    start: int
    end: int
    lemma: str = ""
    upos: str = ""
    xpos: str = ""
    feats: str = ""
    deprel: str = ""
    head: int = NO_GOVERNOR
    entity: str = ""

    def value(self, feature: Feature) -> str:
        """What is said of it: "" where nothing is, and for an offset, which a word has none of."""
        return "" if feature is Feature.OFFSET else str(getattr(self, feature.value))


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Args:
        text: as it was written, white space and all; words' characters count in it.
        part: the file, document or section that it belongs to.
        place: where it stands, for people: `file.conllu:120`, or a sentence's own name.
    """

    text: str
    words: tuple[Word, ...]
    part: str = ""
    place: str = ""


@dataclass(frozen=True)
class Fault:
    """What could not be read, and was left out.

    Args:
        line: of the file, from 1; 0 where it is about the whole file.
        lost: what was left out because of it, in a word: "the line", "the sentence", "the file".
    """

    file: str
    line: int
    reason: str
    lost: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.reason} Left out: {self.lost}."


@runtime_checkable
class Corpus(Protocol):
    """Sentences that can be read again and again, always in the same order, one at a time.

    Nothing but the sentence at hand is held in memory.
    """

    @property
    def name(self) -> str:
        """A short name: of its file or folder."""
        ...

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        ...

    @property
    def annotations(self) -> tuple[Feature, ...]:
        """Which of `ANNOTATIONS` it may have."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of it, in sentences: that it is not annotated, and why."""
        ...

    def fingerprint(self) -> str:
        """The same text for the same contents, another for others."""
        ...

    def read(self) -> Iterator[tuple[Sentence | Fault, int]]:
        """Its sentences and faults, each with how many bytes have been read by then."""
        ...
