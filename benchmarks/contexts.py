"""Building a store against the bare forward passes of its sentences, in the same batches.

The floor is transformers' own model without its head, wrapped by nothing, on the same padded ids
with the same mask. `reader` is the model as a reader of corpora, which gives the vectors of all
default sites, too; `build` is all of it: the corpus read, tokens made and aligned with words,
vectors rounded and everything on the disk. They take turns, so that the ratios are of one run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.subject import gpt2_small, plain_gpt2_small, ratio, side_by_side
from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.corpus.types import Fault, Sentence
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import ANNOTATIONS, Feature
from flowviz.contexts.store import build
from flowviz.contexts.store.encoding import ShardTokens, batches
from flowviz.contexts.store.layout import Layout
from flowviz.contexts.store.opening import OpenedStore
from flowviz.demo import ENCODER_FOLDER, MODEL_FOLDER
from flowviz.encoders.loading import load_any

Batches = list[list[list[int]]]
EVERY = {"demo": 1, "demo-bert": 1, "GPT-2 small": 12}  # of how many sentences one is read
LIMIT = 1.3


def run(rounds: int) -> None:
    """Prints times and their ratios to the floor."""
    print("\nA store built, against bare forward passes in the same batches")
    print(
        f"{'model':12}{'tokens':>8}{'floor s':>9}{'reader':>8}{'build':>8}{'tokens a second':>17}"
    )
    for name, (reader, plain) in _subjects():
        corpus = Sample(EVERY[name])
        _one(name, corpus, reader, plain, max(1, rounds // 3))


def _one(name: str, corpus: Sample, reader: Reader, plain: Any, rounds: int) -> None:
    folder = Path(mkdtemp(prefix="flowviz-benchmark-"))
    try:
        store = build(corpus, reader, folder / "first")
        read = _batches(store)

        def made() -> None:
            shutil.rmtree(folder / "again", ignore_errors=True)
            build(corpus, reader, folder / "again")

        floor, alone, built = side_by_side(
            rounds, _bare(plain, read), lambda: _read(reader, read), made
        )
    finally:
        shutil.rmtree(folder)
    tokens = sum(len(text) for batch in read for text in batch)
    rate = tokens / sorted(built)[len(built) // 2]
    said = f"{tokens:>8,}{sorted(floor)[len(floor) // 2]:>9.2f}"
    said += f"{ratio(alone, floor):>7.2f}×{ratio(built, floor):>7.2f}×{rate:>17,.0f}"
    print(f"{name:12}{said}" + ("" if ratio(built, floor) <= LIMIT else f"  (aim {LIMIT}×)"))


def _subjects() -> Iterator[tuple[str, tuple[Reader, Any]]]:
    from transformers import AutoModel

    yield (
        "demo",
        (open_reader(load_any(str(MODEL_FOLDER))), AutoModel.from_pretrained(MODEL_FOLDER)),
    )
    bert = AutoModel.from_pretrained(ENCODER_FOLDER, add_pooling_layer=False)
    yield "demo-bert", (open_reader(load_any(str(ENCODER_FOLDER))), bert)
    yield "GPT-2 small", (open_reader(gpt2_small()), plain_gpt2_small().transformer)


def _batches(store: OpenedStore) -> Batches:
    """What the build read, in its batches."""
    made, found = store.manifest, Batches()
    for number, shard in enumerate(made.shards):
        read = ShardTokens.of(Layout(Path(store.folder())), number, shard)
        found += [each.texts(read) for each in batches(read.lengths, made.options.batch_tokens)]
    return found


def _bare(plain: Any, read: Batches) -> Callable[[], None]:
    """All batches through transformers' own model."""
    import torch

    padded = []
    for batch in read:
        width = max(map(len, batch))
        ids = torch.tensor([text + [0] * (width - len(text)) for text in batch])
        mask = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in batch])
        padded.append((ids, mask))
    options = {"use_cache": False} if hasattr(plain.config, "use_cache") else {}
    plain.eval()

    def passes() -> None:
        with torch.inference_mode():
            for ids, mask in padded:
                plain(ids, attention_mask=mask, **options)

    return passes


def _read(reader: Reader, read: Batches) -> None:
    for batch in read:
        reader.vectors(batch, reader.default_sites)


@dataclass(frozen=True)
class Sample:
    """Some sentences of the demo corpus, from all of its parts, as a corpus of their own."""

    every: int
    name: str = "demo"
    annotations: tuple[Feature, ...] = ANNOTATIONS
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return demo_corpus().bytes

    def fingerprint(self) -> str:
        """That of the demo corpus, and which sentences."""
        return f"{demo_corpus().fingerprint()}/{self.every}"

    def read(self) -> Iterator[tuple[Sentence | Fault, int]]:
        """Every so many of its sentences."""
        return islice(demo_corpus().read(), 0, None, self.every)
