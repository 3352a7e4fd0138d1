"""A reader and a store in memory, small and exact: words are tokens, vectors follow a formula."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.types import Column
from flowviz.contexts.corpus.types import Sentence, Word
from flowviz.contexts.encode.types import Asked, Tokens
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Role, Site, SiteKind
from flowviz.contexts.store.types import Codes, Store, Stored, StoreInfo, Vectors
from flowviz.errors import RequestError
from flowviz.graph.types import ModelShape, PromptToken

LAYERS, HEADS, HEAD_WIDTH, NEURONS = 2, 3, 4, 8
WIDTH = HEADS * HEAD_WIDTH
SITES = {
    **{Site(SiteKind.RESID_PRE, layer): WIDTH for layer in range(LAYERS)},
    **{Site(SiteKind.HEADS, layer): WIDTH for layer in range(LAYERS)},
    **{Site(SiteKind.NEURONS, layer): NEURONS for layer in range(LAYERS)},
    Site(SiteKind.RESID_FINAL): WIDTH,
}
BEGIN = 1
SHAPE = ModelShape("words", "None", LAYERS, HEADS, NEURONS, WIDTH, 1000)


def of_word(word: str, width: int, salt: int = 0) -> NDArray[np.float32]:
    """The same numbers for the same word, whatever its letters' case."""
    seed = zlib.crc32(word.lower().encode()) + salt
    return np.random.default_rng(seed).standard_normal(width).astype(np.float32)


@dataclass
class WordReader:
    """A model that reads words: a vector is its word's, and half of that of the word before."""

    identity: str = "words 1"
    passes: list[int] = field(default_factory=list)  # how many texts each batch had
    shape: ModelShape = SHAPE
    context: int | None = 64
    sites: dict[Site, int] = field(default_factory=lambda: dict(SITES))
    default_sites: tuple[Site, ...] = tuple(SITES)
    known: dict[int, str] = field(default_factory=lambda: {BEGIN: "<s>"})

    def head_width(self, layer: int) -> int:
        assert 0 <= layer < LAYERS
        return HEAD_WIDTH

    def tokens(self, text: str) -> Tokens:
        found = list(re.finditer(r"\w+|[^\w\s]", text))
        ids = [self._id(each[0]) for each in found]
        return Tokens(
            (BEGIN, *ids), ("<s>", *(each[0] for each in found)),
            ((0, 0), *(each.span() for each in found)), (True, *(False for _ in found)),
        )  # fmt: skip

    def _id(self, word: str) -> int:
        number = 2 + zlib.crc32(word.encode()) % 10**6
        assert self.known.setdefault(number, word) == word
        return number

    def ask(self, prompt: str, second: str = "", mask: Sequence[int] = ()) -> Asked:
        first, other = self.tokens(prompt), self.tokens(second)
        ids, texts = first.ids + other.ids[1:], first.texts + other.texts[1:]
        if len(ids) > 64:
            raise RequestError("The prompt is too long.")
        tokens = tuple(PromptToken(i, *each) for i, each in enumerate(zip(ids, texts, strict=True)))
        column = Column(tokens, special=(0,), second=len(first) if second else None)
        return Asked(ids, column)

    def vectors(
        self,
        texts: Sequence[Sequence[int]],
        sites: Sequence[Site],
        types: Sequence[Sequence[int] | None] | None = None,
    ) -> dict[Site, NDArray[np.float32]]:
        self.passes.append(len(texts))
        return {site: np.concatenate([self._text(text, site) for text in texts]) for site in sites}

    def _text(self, text: Sequence[int], site: Site) -> NDArray[np.float32]:
        salt = list(SITES).index(site)
        own = np.stack([of_word(self.known[each], SITES[site], salt) for each in text])
        own[1:] += own[:-1] / 2
        return own.astype(np.float32)

    def attention(
        self,
        texts: Sequence[Sequence[int]],
        heads: Sequence[tuple[int, int]],
        types: Sequence[Sequence[int] | None] | None = None,
    ) -> list[NDArray[np.float32]]:
        return [self._pattern(len(text)) for text in texts]

    @staticmethod
    def _pattern(tokens: int) -> NDArray[np.float32]:
        """Half to the begin, the rest to the word before; the begin sees itself alone."""
        pattern = np.zeros((tokens, tokens), np.float32)
        pattern[:, 0] += 0.5
        pattern[np.arange(tokens), np.maximum(np.arange(tokens) - 1, 0)] += 0.5
        return pattern


@dataclass
class ArrayVectors:
    """Vectors of an array, given in blocks of a size."""

    array: NDArray[np.floating]
    block: int = 100
    taken: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.array)

    @property
    def width(self) -> int:
        return self.array.shape[1]

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        self.taken.append(len(rows))
        return self.array[np.asarray(rows, np.int64)].astype(np.float32)

    def blocks(self) -> Iterator[tuple[int, NDArray[np.floating]]]:
        for start in range(0, self.rows, self.block):
            yield start, self.array[start : start + self.block]


class ArrayStore:
    """A store of one site and nothing else: rows of an array, `each` of them in a sentence."""

    def __init__(
        self, array: NDArray[np.floating], site: Site, each: int = 1, folder: str = "/nowhere"
    ) -> None:
        self.site, self.array_vectors, self._folder = site, ArrayVectors(array), folder
        rows = len(array)
        self.sentence_of = (np.arange(rows) // each).astype(np.int32)
        self.position_of = (np.arange(rows) % each).astype(np.int32)
        self.part_of = np.zeros(rows, np.int32)
        self.info = StoreInfo(
            "array", "none", f"array {array[:3].tobytes()!r}", rows // each, rows, ("",), (),
            (site,), 0, (), array.nbytes,
        )  # fmt: skip

    def codes(self, role: Role, feature: Feature) -> Codes:
        return Codes(("",), np.zeros(self.info.rows, np.int32))

    def stored(self, sentences: Sequence[int]) -> list[Stored]:
        raise AssertionError("an array has no sentences")

    def vectors(self, site: Site) -> Vectors:
        if site != self.site:
            raise RequestError(f"It has {self.site}.")
        return self.array_vectors

    def folder(self) -> str:
        return self._folder


class WordStore:
    """A corpus of a few sentences, as `WordReader` reads it; float16 as a store on disk."""

    def __init__(self, reader: WordReader, sentences: Sequence[Sentence]) -> None:
        self._stored = [_stored(reader, each) for each in sentences]
        rows = [(n, at) for n, each in enumerate(self._stored) for at in range(1, len(each.tokens))]
        self.sentence_of = np.array([n for n, _ in rows], np.int32)
        self.position_of = np.array([at for _, at in rows], np.int32)
        parts = tuple(dict.fromkeys(each.part for each in sentences))
        self.part_of = np.array([parts.index(sentences[n].part) for n, _ in rows], np.int32)
        texts = [each.tokens.ids for each in self._stored]
        every = reader.vectors(texts, list(SITES))
        keep = ~np.concatenate([each.tokens.special for each in self._stored])
        self.arrays = {site: array[keep].astype(np.float16) for site, array in every.items()}
        self.info = StoreInfo(
            "words", "words", reader.identity, len(sentences), len(rows), parts, ANNOTATIONS,
            tuple(SITES), 0, (), sum(each.nbytes for each in self.arrays.values()),
        )  # fmt: skip

    def says(self, *features: Feature) -> None:
        """From now on it has these annotations only."""
        self.info = replace(self.info, annotations=features)

    def codes(self, role: Role, feature: Feature) -> Codes:
        texts = [self._value(row, role, feature) for row in range(self.info.rows)]
        values = ("", *sorted({text for text in texts if text}))
        return Codes(values, np.array([values.index(text) for text in texts], np.int32))

    def _value(self, row: int, role: Role, feature: Feature) -> str:
        stored = self._stored[self.sentence_of[row]]
        at = stored.words[self.position_of[row]] + (role is Role.NEXT)
        return stored.sentence.words[at].value(feature) if at < len(stored.sentence.words) else ""

    def stored(self, sentences: Sequence[int]) -> list[Stored]:
        return [self._stored[number] for number in sentences]

    def vectors(self, site: Site) -> Vectors:
        if site not in self.info.sites:
            raise RequestError(f"The store has no {site}.")
        return ArrayVectors(self.arrays[site])

    def folder(self) -> str:
        return "/nowhere"


def _stored(reader: WordReader, sentence: Sentence) -> Stored:
    tokens = reader.tokens(sentence.text)
    return Stored(sentence, tokens, (-1, *range(len(tokens) - 1)))


TAGS = {"the": "DET", "a": "DET", "sees": "VERB", "eats": "VERB", "Anna": "PROPN", ".": "PUNCT"}


def sentence(text: str, part: str = "one", place: str = "") -> Sentence:
    """A sentence whose words are tagged by a small list; all else is a noun."""
    words = [
        Word(
            found[0], *found.span(), lemma=found[0].lower(), upos=TAGS.get(found[0], "NOUN"),
            deprel="dep", entity="PERSON" if found[0] == "Anna" else "",
        )
        for found in re.finditer(r"\w+|[^\w\s]", text)
    ]  # fmt: skip
    return Sentence(text, tuple(words), part, place)


def corpus() -> list[Sentence]:
    """Forty sentences of like form."""
    nouns = ["dog", "cat", "bird", "fish", "horse"]
    return [
        sentence(f"the {a} {verb} a {b} .", "one" if a < b else "two", f"{a} {verb} {b}")
        for a in nouns
        for b in nouns
        if a != b
        for verb in ("sees", "eats")
    ]


def _conforms() -> tuple[Store, Store]:
    """For the type checker: both are stores."""
    return WordStore(WordReader(), []), ArrayStore(np.zeros((1, 1)), Site(SiteKind.RESID_FINAL))
