"""A corpus of given sentences, and a reader that needs no model: both as small as they can be."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from flowviz.attention.types import Column
from flowviz.contexts.corpus.types import NO_GOVERNOR, ROOT, Fault, Sentence, Word
from flowviz.contexts.encode.types import Asked, Tokens
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Site
from flowviz.graph.types import ModelShape

PRE, HEADS, FINAL = Site.parse("resid_pre:0"), Site.parse("heads:0"), Site.parse("resid_final")
SHAPE = ModelShape("fake", "none", 1, 2, 4, 8, 1000)
TAGS = ("DET", "NOUN", "VERB")


def sentence(text: str, part: str = "a.txt", place: str = "", tagged: bool = True) -> Sentence:
    """A sentence whose words are what stands between spaces, tagged by their length."""
    words = tuple(
        Word(
            found[0], found.start(), found.end(),
            upos=TAGS[len(found[0]) % 3] if tagged else "",
            lemma=found[0].lower() if tagged else "",
            head=ROOT if number == 0 else number - 1 if tagged else NO_GOVERNOR,
        )
        for number, found in enumerate(re.finditer(r"\S+", text))
    )  # fmt: skip
    return Sentence(text, words, part, place or f"{part}:1")


def sentences(count: int, seed: int = 0) -> tuple[Sentence, ...]:
    """Random ones in three parts."""
    random = np.random.default_rng(seed)
    words = ("the", "a", "cat", "runs", "Mary", "remembered", "it", "well", "naïve", "日本")
    return tuple(
        sentence(" ".join(random.choice(words, random.integers(1, 13))), f"part {number % 3}")
        for number in range(count)
    )


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@dataclass(frozen=True)
class FakeCorpus:
    """A `Corpus` of what it is given."""

    items: tuple[Sentence | Fault, ...]
    name: str = "fake"
    annotations: tuple[Feature, ...] = ANNOTATIONS
    notes: tuple[str, ...] = ("Made for a test.",)

    @property
    def bytes(self) -> int:
        return len(self.items)

    def fingerprint(self) -> str:
        found = hashlib.sha256()
        for item in self.items:
            found.update(repr(item).encode())
        return found.hexdigest()

    def read(self) -> Iterator[tuple[Sentence | Fault, int]]:
        for number, item in enumerate(self.items, 1):
            yield item, number


@dataclass
class FakeReader:
    """A `Reader` with [CLS] and [SEP], whose vectors are made from a token and its position.

    A token is a run of at most four letters with the space before it. Texts are padded as a real
    reader pads them; `passes` says which batches were read, for which sites.
    """

    identity: str = "fake-1"
    context: int | None = 64
    scale: float = 1.0
    passes: list[tuple[list[int], tuple[Site, ...]]] = field(default_factory=list)
    shape: ModelShape = SHAPE
    width: int = 8

    @property
    def sites(self) -> dict[Site, int]:
        return {PRE: self.width, HEADS: self.width // 2, FINAL: self.width}

    @property
    def default_sites(self) -> tuple[Site, ...]:
        return (PRE, HEADS, FINAL)

    def head_width(self, layer: int) -> int:
        return self.width // 4

    def tokens(self, text: str) -> Tokens:
        found = list(re.finditer(r"\s?[^\s]{1,4}|\s", text))
        spans = ((0, 0), *((each.start(), each.end()) for each in found), (len(text), len(text)))
        texts = ("[CLS]", *(each[0] for each in found), "[SEP]")
        special = (True, *(False for _ in found), True)
        return Tokens(tuple(zlib.crc32(t.encode()) % 1000 for t in texts), texts, spans, special)

    def ask(self, prompt: str, second: str = "", mask: Sequence[int] = ()) -> Asked:
        return Asked(self.tokens(prompt).ids, Column(()))

    def vectors(
        self,
        texts: Sequence[Sequence[int]],
        sites: Sequence[Site],
        types: Sequence[Sequence[int] | None] | None = None,
    ) -> dict[Site, np.ndarray]:
        self.passes.append(([len(text) for text in texts], tuple(sites)))
        assert max(map(len, texts)) <= (self.context or 10**9)
        return {site: np.concatenate([self.vector(text, site) for text in texts]) for site in sites}

    def vector(self, ids: Sequence[int], site: Site) -> np.ndarray:
        """The vectors of one text at one site."""
        numbers = np.asarray(ids)[:, None] * 31 + np.arange(len(ids))[:, None] * 7
        angles = numbers + np.arange(self.sites[site]) + zlib.crc32(str(site).encode()) % 100
        return (self.scale * np.sin(angles)).astype(np.float32)

    def attention(
        self,
        texts: Sequence[Sequence[int]],
        heads: Sequence[tuple[int, int]],
        types: Sequence[Sequence[int] | None] | None = None,
    ) -> list[np.ndarray]:
        return [np.full((len(text), len(text)), 1 / len(text), np.float32) for text in texts]
