"""From the vectors of a corpus to a dictionary on disk; goes on where it was stopped.

1. The model reads the corpus, once, into a store of contexts (`FOLDER/learning/vectors`).
2. A learner takes one batch after the other (`pool.py`, `learner.py`). Every `SAVED_EVERY` seconds
   all that further steps depend on is kept (`checkpoint.py`). A step depends on that and its number
   alone: a training that was killed and run again gives the same dictionary, to the bit, where
   sums are done in the same order (the same machine and number of threads).
3. The dictionary is measured on held-out vectors, and written with its card; what was only needed
   for learning is deleted.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from flowviz.contexts.corpus.types import Corpus
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader, Tokens
from flowviz.contexts.kinds import Site
from flowviz.errors import RequestError
from flowviz.factors.dictionary.files import CARD, save_dictionary
from flowviz.factors.dictionary.loaded import LoadedDictionary
from flowviz.factors.learn.checkpoint import Checkpoint, broken, load_checkpoint, save_checkpoint
from flowviz.factors.learn.learner import Learned, Learner, begin_learner
from flowviz.factors.learn.measuring import measure
from flowviz.factors.learn.pool import Pool
from flowviz.factors.learn.settings import LearnSettings
from flowviz.factors.splice import Model, splice
from flowviz.factors.types import About, Measured
from flowviz.jobs import Progress

LEARNING, VECTORS = "learning", "vectors"
SAVED_EVERY = 30.0  # seconds
UNEVEN = 5.0  # between the lengths of two sites: what is told
MOST_SPLICED = 300  # held-out sentences on which the loss is measured


@dataclass(frozen=True, eq=False)
class Training:
    """What a dictionary is learned from, how, and where it goes.

    Args:
        sites: whose vectors are pooled.
        folder: of the dictionary; its name is the dictionary's.
        store: a store of contexts that is there already, or is to be kept; None for one that is
            made and deleted again.
        device: on which is learned.
    """

    corpus: Corpus
    model: Model
    sites: tuple[Site, ...]
    settings: LearnSettings
    folder: Path
    store: Path | None = None
    device: str = "cpu"

    @property
    def reader(self) -> Reader:
        """Of the model."""
        return open_reader(self.model)

    @property
    def asked(self) -> dict[str, str]:
        """What a resumed training must have been asked for as well."""
        return {
            "settings": self.settings.as_text(),
            "sites": ", ".join(map(str, self.sites)),
            "model": self.reader.identity,
            "corpus": self.corpus.fingerprint(),
        }


def train(
    training: Training,
    progress: Progress = lambda _stage, _fraction: None,
    *,
    fresh: bool = False,
    saved_every: float = SAVED_EVERY,
) -> LoadedDictionary:
    """Learns, measures and writes a dictionary.

    Args:
        progress: told at every step; what it raises stops the training, which can go on later.
        fresh: whether what is there of this training is deleted first.
        saved_every: seconds between two checkpoints.

    Raises:
        RequestError: the folder holds a dictionary, or a training that is another one, or what
            `build`, `Pool.of` and `begin_learner` raise.
    """
    learning = training.folder / LEARNING
    if (training.folder / CARD).exists() and not fresh:
        raise RequestError(
            f"{training.folder} holds a dictionary already. Name another folder, or begin anew "
            "(--fresh)."
        )
    if fresh:
        shutil.rmtree(learning, ignore_errors=True)
    kept = load_checkpoint(learning, training.asked)
    pool = _pool(training, progress)
    learner = _learner(training, pool, kept)
    done = 0 if kept is None else kept.step
    _learn(training, pool, learner, done, _Told(progress, training.settings), saved_every)
    dictionary = _measured(training, pool, learner, progress)
    save_dictionary(dictionary, training.folder)
    shutil.rmtree(learning, ignore_errors=True)
    return dictionary


def _pool(training: Training, progress: Progress) -> Pool:
    from flowviz.contexts.store import build

    place = training.store or training.folder / LEARNING / VECTORS
    store = build(training.corpus, training.reader, place, training.sites, progress=progress)
    return Pool.of(store, training.sites, training.settings.held, training.settings.seed)


def _learner(training: Training, pool: Pool, kept: Checkpoint | None) -> Learner:
    def begin(count: int) -> Tensor:
        return next(pool.batches(min(count, pool.size)))

    learner = begin_learner(training.settings, pool.width, training.device, begin)
    if kept is not None:
        try:
            learner.restore(kept.state)
        except (KeyError, ValueError, RuntimeError) as error:
            raise broken(training.folder / LEARNING, f"it lacks {error}") from None
    return learner


def _learn(
    training: Training, pool: Pool, learner: Learner, done: int,
    tell: Callable[[Measured, int], None], saved_every: float,
) -> None:  # fmt: skip
    steps, folder, asked = training.settings.steps, training.folder / LEARNING, training.asked
    saved = time.monotonic()
    batches: Iterator[Tensor] = pool.batches(training.settings.batch, done)
    for step, vectors in enumerate(islice(batches, steps - done), done + 1):
        told = learner.learn(vectors)
        if not told.loss < float("inf"):
            raise RequestError(
                f"Learning went astray at step {step:,}: the loss is {told.loss}. Lower --rate, or "
                "raise --penalty, and begin anew (--fresh)."
            )
        if time.monotonic() - saved >= saved_every or step == steps:
            save_checkpoint(Checkpoint(asked, step, learner.state()), folder)
            saved = time.monotonic()
        try:
            tell(told, step)
        except BaseException:  # stopped between two steps: nothing of them is lost
            save_checkpoint(Checkpoint(asked, step, learner.state()), folder)
            raise


def _measured(
    training: Training, pool: Pool, learner: Learner, progress: Progress
) -> LoadedDictionary:
    dictionary = _unmeasured(training, pool, learner.learned(pool.offset, pool.scale))
    told = measure(dictionary, pool.held_out(), progress)
    texts = _texts(pool)
    kept = splice(training.model, dictionary, texts, progress=progress).recovered_in_all
    notes = (
        f"Explained variance, factors a vector and dead factors are over {told.vectors:,} vectors "
        f"of sentences that were held out ({training.settings.held:.0%} of the corpus).",
        f"Loss recovered is over {len(texts):,} of these sentences: each site on its own replaced "
        "by its reconstruction, against its mean, over all sites."
        if kept is not None
        else "Loss recovered says nothing here: the mean in a site's place costs no loss.",
    )
    notes += _uneven(pool)
    about = replace(
        dictionary.about, explained=told.explained, l0=told.l0, dead=told.dead, recovered=kept,
        notes=notes,
    )  # fmt: skip
    return replace(dictionary, about=about)


def _unmeasured(training: Training, pool: Pool, found: Learned) -> LoadedDictionary:
    settings, reader = training.settings, training.reader
    about = About(
        name=training.folder.resolve().name,
        model=reader.shape.name,
        identity=reader.identity,
        method=settings.method,
        sites=training.sites,
        factors=settings.factors,
        width=pool.width,
        corpus=training.corpus.name,
        tokens=len(pool.train),
        steps=settings.steps,
        seed=settings.seed,
    )
    return LoadedDictionary(about, found.encoder, found.atoms, found.offset)


def _uneven(pool: Pool) -> tuple[str, ...]:
    """What is to be said where some of the sites outweigh the others."""
    lengths = pool.lengths()
    least, most = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    times = lengths[most] / max(lengths[least], 1e-30)
    if times < UNEVEN:
        return ()
    return (
        f"Vectors at {most} lie {times:,.0f} times as far from their mean as those at {least}: "
        "where such sites are pooled, factors are mostly those of the first.",
    )


def _texts(pool: Pool) -> list[Tokens]:
    """Some held-out sentences, drawn with the seed, of which something can be predicted."""
    sentences = np.unique(pool.store.sentence_of[pool.held])
    drawn = np.random.default_rng([pool.seed, 5]).permutation(sentences)[:MOST_SPLICED]
    return [stored.tokens for stored in pool.store.stored(np.sort(drawn).tolist())]


class _Told:
    """Says where learning stands, with running means, and how fast it goes."""

    SMOOTH = 0.05

    def __init__(self, progress: Progress, settings: LearnSettings) -> None:
        self._progress, self._settings = progress, settings
        self._start, self._first = time.monotonic(), 0
        self._means: Tensor | None = None

    def __call__(self, told: Measured, step: int) -> None:
        now = torch.tensor([told.loss, told.l0, told.explained])
        self._means = now if self._means is None else self._means.lerp(now, self.SMOOTH)
        self._first = self._first or step
        spent = time.monotonic() - self._start
        rate = (step - self._first + 1) * self._settings.batch / max(spent, 1e-9)
        left = (self._settings.steps - step) * self._settings.batch / max(rate, 1e-9)
        loss, l0, explained = self._means.tolist()
        self._progress(
            f"Step {step:,}: loss {loss:.4f}, L0 {l0:.1f}, explained {explained:.3f}, dead "
            f"{told.dead:,}; {rate:,.0f} vectors/s, {left:,.0f} s left",
            step / self._settings.steps,
        )
