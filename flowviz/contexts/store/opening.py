"""A store that is whole, opened: counts and codes in memory, vectors as memory maps.

Opening checks every file's size against the manifest, and that what tokens and sentences say of
each other is possible; what fails is refused with its reason. After that all is read when it is
asked for, from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from flowviz.contexts.corpus.types import Sentence, Word
from flowviz.contexts.encode.types import Tokens
from flowviz.contexts.kinds import Feature, Role, Site
from flowviz.contexts.store import tables
from flowviz.contexts.store.arrays import is_whole
from flowviz.contexts.store.layout import Layout
from flowviz.contexts.store.manifest import Manifest, load
from flowviz.contexts.store.types import NOTHING, Codes, Stored, StoreInfo
from flowviz.contexts.store.vectors import Maps, SiteVectors
from flowviz.errors import RequestError

SHARDS_KEPT = 64  # whose texts stay in memory once they were read
NO_WORD = -1


def open_store(folder: str | Path) -> OpenedStore:
    """Opens a store.

    Raises:
        RequestError: there is none, it is not whole, broken, or of another version.
    """
    layout = Layout(Path(folder))
    manifest = load(layout)
    if not manifest.read or not manifest.sites:
        raise RequestError(
            f"The store in {layout.folder} is not whole: its build was stopped. Run the same "
            "`contexts build` again; it goes on where it was."
        )
    return OpenedStore(layout, manifest)


class OpenedStore:
    """See `Store`."""

    def __init__(self, layout: Layout, manifest: Manifest) -> None:
        self._layout, self.manifest = layout, manifest
        self._lock = threading.Lock()
        self._rows = _Rows.of(layout, manifest)
        self._codes: dict[tuple[Role, Feature], Codes] = {}
        self._texts: LRUCache[int, dict[str, Any]] = LRUCache(SHARDS_KEPT)
        self._maps = Maps(layout, manifest)
        self.info = _info(layout, manifest)

    @property
    def sentence_of(self) -> NDArray[np.int32]:
        """For each row the number of its sentence."""
        return self._rows.sentence

    @property
    def position_of(self) -> NDArray[np.int32]:
        """For each row its position among the sentence's tokens, special ones counted."""
        return self._rows.position

    @property
    def part_of(self) -> NDArray[np.int32]:
        """For each row the number of its part in `info.parts`."""
        return self._rows.part

    def folder(self) -> str:
        """Where it is."""
        return str(self._layout.folder)

    def codes(self, role: Role, feature: Feature) -> Codes:
        """A feature of the row's own word, or of the word behind it in the same sentence.

        Raises:
            RequestError: the feature, or the role, is one of a pass and not of a row.
        """
        if role is Role.ATTENDED or feature is Feature.OFFSET:
            raise RequestError(f"{role.value}.{feature.value} is no row's: a pass decides on it.")
        with self._lock:
            if (role, feature) not in self._codes:
                words = self._rows.word if role is Role.MATCHED else self._rows.next_word
                self._codes[role, feature] = _codes(self._layout, self.manifest, feature, words)
            return self._codes[role, feature]

    def stored(self, sentences: Sequence[int]) -> list[Stored]:
        """Sentences by their numbers. Raises RequestError for one that is not there."""
        return [self._stored(int(number)) for number in sentences]

    def _stored(self, number: int) -> Stored:
        if not 0 <= number < self.info.sentences:
            raise RequestError(f"The store has no sentence {number:,}; they count from 0.")
        starts = self._rows.shard_sentences
        shard = int(np.searchsorted(starts, number, side="right")) - 1
        read = self._shard(shard)
        place = number - int(starts[shard])
        try:
            return _sentence(read, place)
        except (ValueError, IndexError) as error:
            raise tables.broken(self._layout.table("sentences", shard), error) from None

    def _shard(self, number: int) -> dict[str, Any]:
        with self._lock:
            if number not in self._texts:
                about = self.manifest.shards[number]
                read = {n: tables.read(self._layout, n, number, about) for n in tables.SCHEMAS}
                for name in ("words", "tokens"):
                    counts = read["sentences"][name].astype(np.int64)
                    read[f"{name} from"] = np.concatenate([[0], np.cumsum(counts)])
                self._texts[number] = read
            return self._texts[number]

    def vectors(self, site: Site) -> SiteVectors:
        """The vectors of a site. Raises RequestError where the store does not have it."""
        kept = self.manifest.sites.get(site)
        if kept is None:
            has = ", ".join(map(str, self.info.sites))
            raise RequestError(
                f"The store has no site {site}; it has {has}. Add it, or choose one."
            )
        return SiteVectors(self.manifest, site, self._maps)


@dataclass(frozen=True)
class _Rows:
    """What is known of every row.

    Args:
        word, next_word: the number of its word, and of the one behind it, among all words of the
            store; NO_WORD for none.
        shard_sentences: the number of the first sentence of each shard.
    """

    sentence: NDArray[np.int32]
    position: NDArray[np.int32]
    part: NDArray[np.int32]
    word: NDArray[np.int32]
    next_word: NDArray[np.int32]
    shard_sentences: NDArray[np.int64]

    @classmethod
    def of(cls, layout: Layout, manifest: Manifest) -> _Rows:
        starts = [0, *(np.cumsum([shard.sentences for shard in manifest.shards]).tolist())]
        words = [0, *(np.cumsum([shard.words for shard in manifest.shards]).tolist())]
        parts = {part: number for number, part in enumerate(manifest.parts)}
        found = [
            _rows_of(layout, manifest, number, starts[number], words[number], parts)
            for number in range(len(manifest.shards))
        ]
        sentence, position, part, word, behind = (
            np.concatenate(column).astype(np.int32) for column in zip(*found, strict=True)
        )
        return cls(sentence, position, part, word, behind, np.array(starts[:-1], np.int64))


def _rows_of(
    layout: Layout, manifest: Manifest, number: int, first: int, first_word: int, parts: dict
) -> tuple[NDArray[Any], ...]:
    """Sentence, position, part, word and next word of each row of a shard."""
    about = manifest.shards[number]
    tables.check(layout, "words", number, about)
    read = partial(tables.read, layout, shard=number, about=about)
    of_sentences = read("sentences", only=("part", "words", "tokens"))
    of_tokens = read("tokens", only=("special", "word"))
    counts = {name: of_sentences[name].astype(np.int64) for name in ("words", "tokens")}
    for name, counted in counts.items():
        if (counted < 0).any() or counted.sum() != getattr(about, name):
            reason = f"it counts other {name} than there are"
            raise tables.broken(layout.table("sentences", number), reason)
    rows = np.flatnonzero(~of_tokens["special"])
    sentence = np.repeat(np.arange(about.sentences), counts["tokens"])[rows]
    word = of_tokens["word"][rows].astype(np.int64)
    if (
        len(rows) != about.rows
        or (word < NO_WORD).any()
        or (word >= counts["words"][sentence]).any()
    ):
        raise tables.broken(layout.table("tokens", number), "a token's word is not there")
    position = rows - (np.cumsum(counts["tokens"]) - counts["tokens"])[sentence]
    starts = first_word + np.cumsum(counts["words"]) - counts["words"]
    own = np.where(word >= 0, starts[sentence] + word, NO_WORD)
    behind = (word >= 0) & (word + 1 < counts["words"][sentence])
    part = _parts(layout, number, of_sentences["part"], parts)[sentence]
    return sentence + first, position, part, own, np.where(behind, own + 1, NO_WORD)


def _parts(
    layout: Layout, number: int, part: tables.Texts, parts: dict[str, int]
) -> NDArray[np.int64]:
    numbers = [parts.get(value, -1) for value in part.values]
    if -1 in numbers:
        raise tables.broken(layout.table("sentences", number), "a part is not in the manifest")
    return np.array(numbers, np.int64)[part.codes]


def _codes(layout: Layout, manifest: Manifest, feature: Feature, words: NDArray[np.int32]) -> Codes:
    """A feature of some words, by their numbers in the store."""
    read = [
        tables.read(layout, "words", number, about, (feature.value,))[feature.value]
        for number, about in enumerate(manifest.shards)
    ]
    found = {value for texts in read for value in texts.values}
    values = ("", *sorted(found - {""}))
    place = {value: code for code, value in enumerate(values)}
    codes = [
        np.array([place[value] for value in texts.values] or [NOTHING], np.int32)[texts.codes]
        for texts in read
    ]
    of_words = np.concatenate([*codes, [NOTHING]]).astype(np.int32)  # the last is that of NO_WORD
    return Codes(values, of_words[words])


def _sentence(read: dict[str, Any], place: int) -> Stored:
    """One sentence of a shard. Raises ValueError where its numbers are not possible."""
    about, words, tokens = read["sentences"], read["words"], read["tokens"]
    text = about["text"][place]
    own = range(*read["words from"][place : place + 2].tolist())
    its = range(*read["tokens from"][place : place + 2].tolist())
    spans = [(int(tokens["start"][each]), int(tokens["end"][each])) for each in its]
    named = [column for column in tables.SCHEMAS["words"] if column != "sentence"]
    found = tuple(Word(**{name: _plain(words[name][each]) for name in named}) for each in own)
    ends = [*spans, *((word.start, word.end) for word in found)]
    if not all(0 <= start <= end <= len(text) for start, end in ends):
        raise ValueError("a word or token lies outside of its text")
    return Stored(
        Sentence(text, found, about["part"][place], about["place"][place]),
        Tokens(
            tuple(int(tokens["id"][each]) for each in its),
            tuple(tokens["text"][each] for each in its),
            tuple(spans),
            tuple(bool(tokens["special"][each]) for each in its),
        ),
        tuple(int(tokens["word"][each]) for each in its),
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def _info(layout: Layout, manifest: Manifest) -> StoreInfo:
    return StoreInfo(
        name=manifest.corpus,
        model=manifest.model["name"],
        identity=manifest.identity,
        sentences=manifest.sentences,
        rows=manifest.rows,
        parts=manifest.parts,
        annotations=manifest.annotations,
        sites=tuple(sorted(manifest.sites)),
        faults=manifest.faults,
        notes=(*manifest.notes, *_notes(manifest)),
        bytes=_bytes(layout, manifest),
    )


def _notes(manifest: Manifest) -> Iterator[str]:
    sentences, pieces = manifest.cut
    if sentences:
        yield (
            f"{sentences:,} sentences have more than {manifest.options.most_tokens:,} tokens and "
            f"are read in {pieces:,} pieces."
        )
    wide = sorted(str(site) for site, kept in manifest.sites.items() if kept.wide)
    if wide:
        yield f"Numbers beyond float16 are kept as float32 at {', '.join(wide)}."


def _bytes(layout: Layout, manifest: Manifest) -> int:
    """What its files take; checks that the arrays are there. Raises RequestError."""
    total = layout.manifest.stat().st_size
    every = manifest.options.dtype == "float32"
    for number, shard in enumerate(manifest.shards):
        total += sum(layout.table(name, number).stat().st_size for name in tables.SCHEMAS)
        for site, kept in manifest.sites.items():
            path = layout.array(site, number)
            wide = every or number in kept.wide
            if shard.rows and is_whole(path, shard.rows, kept.width) is not wide:
                raise tables.broken(path, "it is not there, or not as long as it should be")
            total += path.stat().st_size if shard.rows else 0
    return total
