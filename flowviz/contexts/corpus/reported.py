"""What is read of the files of a corpus, and how many faults are told one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowviz.contexts.corpus.files import Source
from flowviz.contexts.corpus.types import Fault, Sentence

MOST_FAULTS = 1_000

Read = tuple[Sentence | Fault, int]


def one_after_the_other(files: Iterable[tuple[Source, Iterable[Read]]]) -> Iterator[Read]:
    """What is read of each, with the bytes of those before it counted in."""
    before = 0
    for source, read in files:
        for found, done in read:
            yield found, before + min(done, source.size)
        before += source.size


def bounded(read: Iterable[Read], name: str, size: int) -> Iterator[Read]:
    """What is read of a corpus, its first faults, and how many more there were."""
    count = 0
    for found, done in read:
        count += isinstance(found, Fault)
        if isinstance(found, Sentence) or count <= MOST_FAULTS:
            yield found, done
    if count > MOST_FAULTS:
        why = f"There are {count - MOST_FAULTS:,} more faults in it."
        yield Fault(name, 0, why, "what they name"), size
