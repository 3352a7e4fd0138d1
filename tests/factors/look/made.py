"""Dictionaries of random directions at the sites of small models, and a corpus to survey."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

from flowviz.contexts.corpus.types import Fault, Sentence, Word
from flowviz.contexts.corpus.words import words_of
from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Site
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.factors.dictionary.encoders import Autoencoder, Coder
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.kinds import Method
from flowviz.factors.types import About
from flowviz.models.loaded import LoadedModel

TEXTS = (
    "the cat sat on a mat",
    "Mary and John went to the store in Japan .",
    "She said that the store sat on the mat .",
    "a cat and a cat and a cat",
    "John said that Mary went to Japan while the cat sat",
    "the the the",
    "in Japan the store said that a mat sat on John .",
)
TAGS = {"the": "DET", "a": "DET", "cat": "NOUN", "mat": "NOUN", "store": "NOUN", ".": "PUNCT",
        "Mary": "PROPN", "John": "PROPN", "Japan": "PROPN"}  # fmt: skip


@dataclass(frozen=True)
class SmallCorpus:
    """A few sentences, some of whose words have a tag."""

    name: str = "small"
    texts: tuple[str, ...] = TEXTS
    annotations: tuple[Feature, ...] = ANNOTATIONS
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(map(len, self.texts))

    def fingerprint(self) -> str:
        return "|".join(self.texts)

    def read(self) -> Iterator[tuple[Sentence | Fault, int]]:
        done = 0
        for number, text in enumerate(self.texts):
            done += len(text)
            words = tuple(
                Word(word.form, word.start, word.end, upos=TAGS.get(word.form, ""))
                for word in words_of(text)
            )
            yield Sentence(text, words, "part", f"line {number + 1}"), done


def made(
    model: LoadedModel | LoadedEncoder,
    sites: tuple[Site, ...],
    method: Method = Method.RELU,
    factors: int = 30,
    seed: int = 0,
    atoms: torch.Tensor | None = None,
    bias: float = 0.0,
) -> LoadedDictionary:
    """A dictionary of random directions, or of those that are given, for a model."""
    reader = open_reader(model)
    random = torch.Generator().manual_seed(seed)
    width = reader.sites[sites[0]]
    given = torch.randn(factors, width, generator=random) if atoms is None else atoms
    atoms = normalize(given.float(), dim=1)
    offset = 0.1 * torch.randn(width, generator=random) if bias == 0.0 else torch.zeros(width)
    if method is Method.CODING:
        encoder: Coder | Autoencoder = Coder(atoms, offset, 0.1)
    else:
        encoder = Autoencoder(
            method, atoms.T.contiguous(), torch.full((len(atoms),), bias),
            torch.ones(len(atoms)) if bias else 0.5 + torch.rand(len(atoms), generator=random),
            offset, k=6 if method is Method.TOPK else None,
        )  # fmt: skip
    about = About("made", reader.shape.name, reader.identity, method, sites, len(atoms), width)
    return LoadedDictionary(about, encoder, atoms, offset)


def every_activation(
    dictionary: LoadedDictionary,
    model: LoadedModel | LoadedEncoder,
    corpus: SmallCorpus,
    site: Site,
) -> dict[tuple[int, int], np.ndarray]:
    """Plainly: for each sentence and token that stands for text its activations, one by one."""
    reader = open_reader(model)
    found = {}
    for number, text in enumerate(corpus.texts):
        tokens = reader.tokens(text)
        vectors = reader.vectors([tokens.ids], [site])[site]
        for position, special in enumerate(tokens.special):
            if not special:
                sparse = dictionary.encode(vectors[position : position + 1])
                row = np.zeros(dictionary.about.factors)
                row[sparse.factors] = sparse.activations
                found[number, position] = row
    return found
