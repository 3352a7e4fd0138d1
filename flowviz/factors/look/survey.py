"""A dictionary over a corpus: one pass that gathers what is shown of every factor at every site.

1. The corpus is read in shards, the model gives the vectors of a batch of sentences at all of the
   dictionary's sites, and the dictionary says which factors are active.
2. Of all factors and sites at once (`gathered.py`): how often and how strongly they are active, a
   histogram, the strongest contexts (one a sentence), contexts of every strength drawn at random,
   and at words of which annotation they are active.
3. Which tokens each direction raises, through the lens (`directions.py`), and how far back each
   factor's activation depends on the context (`levels.py`).

Importance is the mean of a factor's strongest activations at a site (Yun et al. 2021, "importance
score"; over sites the importance curve); where a factor is active at fewer tokens than that, those
that it lacks count as zero. Tokens that stand for no text ([CLS], <s>) are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.corpus.types import Corpus, Fault
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Site, SiteKind
from flowviz.contexts.store.reading import pieces_of
from flowviz.contexts.store.types import Stored
from flowviz.contexts.together import together
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.factors.look.bands import few_of_each
from flowviz.factors.look.directions import directions_of, mean_scale
from flowviz.factors.look.gathered import Active, Amounts, Drawn, Pairs, Strongest, active_words
from flowviz.factors.look.levels import with_levels
from flowviz.factors.look.ranks import bounds_of
from flowviz.factors.look.sentences import Kept
from flowviz.factors.look.surveyed import Annotated, Places, Survey, hash_of
from flowviz.factors.look.types import SurveyInfo
from flowviz.factors.look.words import FORM, MOST_VALUES, Words
from flowviz.factors.types import Dictionary
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

STRONGEST = 20  # activations, of which importance is the mean
CONTEXTS = 20  # the strongest, one a sentence
DRAWN = 3  # contexts of each band of activations
MOST_TOKENS = 256  # longer sentences are read in pieces
SHARD_TOKENS = 2**15
BATCH_TOKENS = 2**12
READING = 0.75  # of the progress
WIDTH = MOST_VALUES + 1


@dataclass(frozen=True)
class Options:
    """How much is kept.

    Args:
        strongest: activations of which importance is the mean.
        contexts: the strongest that are kept; drawn: those of each band that are.
        levels: whether it is measured how far back factors look.
    """

    strongest: int = STRONGEST
    contexts: int = CONTEXTS
    drawn: int = DRAWN
    seed: int = 0
    levels: bool = True


def silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody wants to see."""


def survey(
    dictionary: Dictionary,
    model: LoadedModel | LoadedEncoder,
    corpus: Corpus,
    options: Options = Options(),
    progress: Progress = silent,
) -> Survey:
    """Surveys a dictionary over a corpus.

    Args:
        progress: told before each batch; what it raises stops the work.

    Raises:
        RequestError: the dictionary is another model's, or the corpus has no sentence.
    """
    reader = open_reader(model)
    check_dictionary(dictionary, reader)
    gathering = _Gathering(dictionary, reader, options)
    before = 0.0
    for shard, share in _shards(corpus, reader):
        gathering.read(shard, progress, (before, share))
        before = share
    if not gathering.tokens:
        raise RequestError(f"The corpus {corpus.name} has no sentence. Choose another.")
    progress("Reading directions", READING)
    found = gathering.found(corpus, model)
    if not options.levels:
        return found
    told = partial(_behind, progress)
    return with_levels(found, dictionary, model, told)


def _behind(progress: Progress, stage: str, fraction: float) -> None:
    progress(stage, READING + (1 - READING) * fraction)


def check_dictionary(dictionary: Dictionary, reader: Reader) -> None:
    """Raises RequestError where a dictionary cannot be that of a model."""
    about, sites = dictionary.about, reader.sites
    if about.identity and about.identity != reader.identity:
        raise RequestError(
            f"The dictionary {about.name} was learned on {about.model or 'another model'}, whose "
            f"weights or tokenizer are not those of {reader.shape.name}. Choose its own model."
        )
    for site in about.sites:
        if sites.get(site) != about.width:
            has = f"{sites[site]:,} numbers" if site in sites else "no vectors"
            raise RequestError(
                f"The dictionary {about.name} is of vectors with {about.width:,} numbers at "
                f"{site}, where {reader.shape.name} has {has}. Choose its own model."
            )


def _shards(corpus: Corpus, reader: Reader) -> Iterator[tuple[list[Stored], float]]:
    """Sentences, as the model reads them, and how much of the corpus is read with them."""
    most, whole = min(reader.context or MOST_TOKENS, MOST_TOKENS), max(corpus.bytes, 1)
    shard, tokens, share = list[Stored](), 0, 0.0
    for item, done in corpus.read():
        share = min(done / whole, 1.0)
        if isinstance(item, Fault):
            continue
        try:
            pieces, _ = pieces_of(item, reader, most)
        except RequestError:  # as a store leaves them out
            continue
        shard += pieces
        tokens += sum(len(piece.tokens) for piece in pieces)
        if tokens >= SHARD_TOKENS:
            yield shard, share
            shard, tokens = [], 0
    if shard:
        yield shard, share


class _Gathering:
    """All that is gathered while the corpus is read."""

    def __init__(self, dictionary: Dictionary, reader: Reader, options: Options) -> None:
        self._dictionary, self._reader, self._options = dictionary, reader, options
        self._sites: tuple[Site, ...] = dictionary.about.sites
        self._words = Words()
        self._amounts: list[Amounts] = []
        self._drawn: list[Drawn] = []
        factors = dictionary.about.factors
        self._top = [Strongest(factors, options.contexts) for _ in self._sites]
        self._pairs = [Pairs() for _ in self._sites]
        self._active_words = np.zeros((len(self._sites), factors), np.int64)
        self._sentences: dict[int, Kept] = {}
        self._next, self._room = 0, 4096
        self._said = set[Feature]()
        self._scale = 1.0
        self.tokens = 0

    def read(self, shard: list[Stored], progress: Progress, share: tuple[float, float]) -> None:
        """Gathers what a shard holds; `share` of the corpus is read before it, and with it."""
        first, done = self._next, 0
        self._next += len(shard)
        lengths = [len(one.tokens) if not all(one.tokens.special) else 0 for one in shard]
        for batch in together(lengths, BATCH_TOKENS):
            read = share[0] + (share[1] - share[0]) * done / max(sum(lengths), 1)
            progress(f"Reading the corpus: {self.tokens:,} tokens", READING * read)
            self._read_batch([(first + number, shard[number]) for number in batch])
            done += sum(lengths[number] for number in batch)
        self._forget()

    def _read_batch(self, stored: list[tuple[int, Stored]]) -> None:
        where, codes = _where(stored, self._words)
        self._note_annotations(stored)
        self.tokens += len(where.rows)
        texts = [one.tokens.ids for _, one in stored]
        vectors = self._reader.vectors(texts, self._asked())
        if not self._amounts:
            self._begin(vectors)
        for index, site in enumerate(self._sites):
            self._gather(index, vectors[site][where.rows], where, codes)
        self._sentences |= {number: Kept.of(one) for number, one in stored}

    def _asked(self) -> list[Site]:
        final = Site(SiteKind.RESID_FINAL)
        more = (
            []
            if self._amounts or final in self._sites or final not in self._reader.sites
            else [final]
        )
        return [*self._sites, *more]

    def _begin(self, vectors: dict[Site, NDArray[np.float32]]) -> None:
        """Once the first batch is read, it is known how large vectors are."""
        about, options = self._dictionary.about, self._options
        for site in self._sites:
            norms = np.linalg.norm(vectors[site] - self._dictionary.offset, axis=1)
            top = 2.0 ** (1 + np.ceil(np.log2(max(float(norms.max()), 1e-30))))
            self._amounts.append(Amounts(about.factors, options.strongest, float(top)))
            self._drawn.append(
                Drawn(about.factors, options.drawn, self._amounts[-1].edges, options.seed)
            )
        self._final = vectors.get(Site(SiteKind.RESID_FINAL))

    def _gather(
        self, index: int, vectors: NDArray[np.float32], where: _Where, codes: NDArray[np.int64]
    ) -> None:
        sparse = self._dictionary.encode(vectors)
        rows = np.repeat(np.arange(sparse.rows), np.diff(sparse.starts))
        word = where.word[rows]
        forms = np.where(word >= 0, codes[word, FORM], 0) if len(codes) else np.zeros_like(word)
        active = Active(
            sparse.factors.astype(np.int64), sparse.activations,
            where.sentence[rows], where.position[rows], forms,
        )  # fmt: skip
        self._amounts[index].add(active)
        self._top[index].add(active)
        self._drawn[index].add(active)
        factors, words = active_words(active, word)
        self._active_words[index] += np.bincount(factors, minlength=self._active_words.shape[1])
        for column in codes.T:
            said = column[words] > 0
            self._pairs[index].add(factors[said], column[words][said], WIDTH)

    def _note_annotations(self, stored: list[tuple[int, Stored]]) -> None:
        for feature in ANNOTATIONS:
            if feature not in self._said:
                words = (word for _, one in stored for word in one.sentence.words)
                self._said |= {feature} if any(word.value(feature) for word in words) else set()

    def _forget(self) -> None:
        """Lets go of the sentences that no context is in, once they are many."""
        if len(self._sentences) > self._room:
            named = self._named()
            self._sentences = {n: one for n, one in self._sentences.items() if n in named}
            self._room = 2 * len(self._sentences) + 4096

    def _named(self) -> set[int]:
        kept = [one.kept.sentence for one in (*self._top, *self._drawn)]
        return set(np.unique(np.concatenate(kept)).tolist())

    def found(self, corpus: Corpus, model: LoadedModel | LoadedEncoder) -> Survey:
        """The survey, without levels."""
        about, named = self._dictionary.about, self._named()
        info = SurveyInfo(
            about.name, corpus.name, self._reader.identity, self._sites, self._next, self.tokens,
            tuple(each for each in ANNOTATIONS if each in self._said), self._options.strongest,
        )  # fmt: skip
        scale = None if self._final is None else mean_scale(model, self._final)
        directions, notes = directions_of(model, self._dictionary.atoms, about.sites, scale)
        amounts, top, drawn = self._amounts, self._top, self._drawn
        importance = np.stack([one.importance for one in amounts])
        return Survey(
            info=info,
            atoms=hash_of(self._dictionary),
            corpus=corpus.fingerprint(),
            counts=np.stack([one.counts for one in amounts]),
            largest=np.stack([one.largest for one in amounts]),
            importance=importance,
            edges=np.stack([one.edges for one in amounts]),
            histogram=np.stack([one.histogram for one in amounts]),
            top=_places([(one.kept, one.kept.form) for one in top], about.factors),
            drawn=_places(
                [
                    few_of_each(one, own.largest, own.edges, self._options.drawn)
                    for one, own in zip(drawn, amounts, strict=True)
                ],
                about.factors,
            ),
            annotated=self._annotated(importance.argmax(0)),
            values=tuple(self._words.values),
            sentences={n: self._sentences[n] for n in sorted(named)},
            directions=directions,
            notes=notes,
        )

    def _annotated(self, best: NDArray[np.int64]) -> Annotated:
        """What goes with each factor at one site, its strongest."""
        keys, counts = [], []
        for index, pairs in enumerate(self._pairs):
            own, times = pairs.found()
            here = best[own // WIDTH] == index
            keys.append(own[here])
            counts.append(times[here])
        order = np.argsort(np.concatenate(keys))
        key, count = np.concatenate(keys)[order], np.concatenate(counts)[order]
        return Annotated(
            bounds_of(key // WIDTH, len(best)),
            key % WIDTH,
            count,
            self._active_words[best, np.arange(len(best))],
            self._words.counts.copy(),
            self._words.total,
        )


@dataclass(frozen=True, eq=False)
class _Where:
    """The tokens of a batch that stand for text.

    Args:
        rows: which of all of its tokens they are.
        word: a number for each word of the batch, -1 for none.
    """

    rows: NDArray[np.int64]
    sentence: NDArray[np.int64]
    position: NDArray[np.int64]
    word: NDArray[np.int64]


def _where(stored: list[tuple[int, Stored]], words: Words) -> tuple[_Where, NDArray[np.int64]]:
    """Where the tokens of a batch stand, and the codes of its words."""
    lengths = [len(one.tokens) for _, one in stored]
    codes = [words.add(one.sentence.words) for _, one in stored]
    before = np.cumsum([0, *map(len, codes)])[:-1]
    word = [
        np.where(np.array(one.words) >= 0, np.array(one.words) + base, -1)
        for (_, one), base in zip(stored, before, strict=True)
    ]
    rows = np.flatnonzero(~np.concatenate([np.array(one.tokens.special) for _, one in stored]))
    found = _Where(
        rows,
        np.repeat([number for number, _ in stored], lengths)[rows],
        np.concatenate([np.arange(length) for length in lengths])[rows],
        np.concatenate(word)[rows],
    )
    return found, np.concatenate(codes)


def _places(kept: list[tuple[Active, NDArray[np.int64]]], factors: int) -> Places:
    """Contexts of all sites with their tags, one site behind the other, sorted by factor."""
    rows = np.concatenate([index * factors + one.factor for index, (one, _) in enumerate(kept)])
    return Places(
        bounds_of(rows, len(kept) * factors),
        *(
            np.concatenate([getattr(one, name) for one, _ in kept])
            for name in ("sentence", "position")
        ),
        tag=np.concatenate([tags for _, tags in kept]),
    )
