"""A corpus of drawn sentences, and what a tiny model makes of it."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.contexts.store import build
from flowviz.contexts.store.opening import OpenedStore
from tests.models import WORDS, random_model

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.RESID_MID, 1))


def write_text(file: Path, sentences: int = 80, seed: int = 0) -> Path:
    """Sentences of known words in any order."""
    drawn = random.Random(seed)
    words = [word for word in WORDS.split() if word.isalpha()]
    lines = [" ".join(drawn.choices(words, k=drawn.randint(3, 9))) + "." for _ in range(sentences)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@lru_cache(maxsize=1)
def small_store() -> OpenedStore:
    """The vectors of a tiny GPT at two sites, in several shards."""
    folder = Path(mkdtemp())
    corpus = open_corpus(write_text(folder / "text.txt"))
    reader = open_reader(random_model("gpt2"))
    return build(corpus, reader, folder / "store", SITES, dtype="float32", shard_tokens=200)
