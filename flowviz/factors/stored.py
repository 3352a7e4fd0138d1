"""A store of contexts as a corpus: its sentences once more, for a survey."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from flowviz.contexts.corpus.types import Sentence
from flowviz.contexts.kinds import Feature
from flowviz.contexts.store.types import Store

AT_ONCE = 1000  # sentences


@dataclass(frozen=True, eq=False)
class StoredCorpus:
    """A `Corpus` of what a store holds; long sentences are there in the store's pieces.

    Args:
        name: by which it is offered.
    """

    name: str
    store: Store

    @property
    def annotations(self) -> tuple[Feature, ...]:
        """Those of the store."""
        return self.store.info.annotations

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the store."""
        return self.store.info.notes

    @property
    def bytes(self) -> int:
        """How many sentences there are: what `read` counts."""
        return self.store.info.sentences

    def fingerprint(self) -> str:
        """A hash of all sentences."""
        digest = hashlib.blake2b(digest_size=16)
        for sentence, _ in self.read():
            digest.update(f"{sentence!r}\n".encode())
        return digest.hexdigest()

    def read(self) -> Iterator[tuple[Sentence, int]]:
        """Its sentences, each with how many have been read by then."""
        count = self.store.info.sentences
        for first in range(0, count, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, count))
            for number, stored in zip(numbers, self.store.stored(numbers), strict=True):
                yield stored.sentence, number + 1
