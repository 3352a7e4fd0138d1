"""What a store holds, for whoever searches it or lists it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.corpus.types import Sentence
from flowviz.contexts.encode.types import Tokens
from flowviz.contexts.kinds import Feature, Role, Site

NOTHING = 0  # the code of a value that nobody says


@dataclass(frozen=True)
class StoreInfo:
    """What a store is about.

    Args:
        name: the corpus's.
        model: the shape's name of the model that read it; `identity` as `Reader.identity`.
        rows: tokens that stand for text; each is a possible hit and has a vector at each site.
        parts: of the corpus, in order.
        annotations: those that the corpus really has.
        notes: what a reader should know, in sentences.
        bytes: on disk.
    """

    name: str
    model: str
    identity: str
    sentences: int
    rows: int
    parts: tuple[str, ...]
    annotations: tuple[Feature, ...]
    sites: tuple[Site, ...]
    faults: int
    notes: tuple[str, ...]
    bytes: int


@dataclass(frozen=True)
class Plan:
    """What is left to do for a store.

    Args:
        sentences, tokens: of the corpus; tokens with special ones.
        bytes: that will be written; free: on the disk; seconds: that it will take.
        known: whether sentences, tokens and bytes are counted, not estimated.
        done: whether nothing is left to do.
    """

    folder: str
    sites: tuple[Site, ...]
    dtype: str
    sentences: int
    tokens: int
    bytes: int
    free: int
    seconds: float
    known: bool
    done: bool = False


@dataclass(frozen=True, eq=False)
class Codes:
    """A feature of every row as small numbers.

    Args:
        values: the text of each code; values[0] is "", for what nobody says.
        codes: for each row, int32.
    """

    values: tuple[str, ...]
    codes: NDArray[np.int32]

    def code(self, value: str) -> int | None:
        """The code of a value; None where no row has it."""
        return self.values.index(value) if value in self.values else None


@dataclass(frozen=True, eq=False)
class Stored:
    """One sentence (or, where that is too long, a piece of one) as it was read."""

    sentence: Sentence
    tokens: Tokens
    words: tuple[int, ...]  # for each token the index of its word, -1 for none


@runtime_checkable
class Vectors(Protocol):
    """The vectors of one site, one a row, as they were stored (float16 or float32)."""

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    @property
    def width(self) -> int:
        """How many numbers each has."""
        ...

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Those of some rows, [len(rows), width]."""
        ...

    def blocks(self) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """All of them in order, as memory maps: the number of the first row, [rows, width]."""
        ...


@runtime_checkable
class Store(Protocol):
    """An opened, whole store. Safe to read from many threads."""

    @property
    def info(self) -> StoreInfo:
        """What it is about."""
        ...

    @property
    def sentence_of(self) -> NDArray[np.int32]:
        """For each row the number of its sentence."""
        ...

    @property
    def position_of(self) -> NDArray[np.int32]:
        """For each row its position among the sentence's tokens, special ones counted."""
        ...

    @property
    def part_of(self) -> NDArray[np.int32]:
        """For each row the number of its part in `info.parts`."""
        ...

    def codes(self, role: Role, feature: Feature) -> Codes:
        """A feature of the row's own word (MATCHED), or of the word behind it (NEXT)."""
        ...

    def stored(self, sentences: Sequence[int]) -> list[Stored]:
        """Sentences by their numbers."""
        ...

    def vectors(self, site: Site) -> Vectors:
        """The vectors of a site. Raises RequestError where the store does not have it."""
        ...

    def folder(self) -> str:
        """Where it is; an index may be kept there beside the vectors."""
        ...
