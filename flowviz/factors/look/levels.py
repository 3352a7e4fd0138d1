"""How far back factors look: what is left of their activation when few tokens are left to see.

Of each factor's strongest contexts, one a sentence, at the site where it is most important, all
tokens but the last w up to the word are hidden from the others (`hiding.py`); in a model that reads
both ways, all but those less than w before the word or behind it. The word is the first of these w,
however many tokens it has, and tokens that stand for no text (<s>, [CLS]) are always seen. Then

    kept(w) = Σ activation with w tokens to see / Σ activation with all        over the contexts

is the share that is left, and `reach.py` makes one number of it. A share can lie above 1, where
the context holds a factor down.

This stands in for the hand-made split of Yun et al. 2021 into word-level, pattern and long-range
factors. All factors are measured together: the same word of the same sentence is read once for each
window, whichever factors name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.encode.encoder import EncoderReader
from flowviz.contexts.encode.gpt import GptReader
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.factors.look.hiding import hides, hiding_reader
from flowviz.factors.look.ranks import ranks_of
from flowviz.factors.look.sentences import Read
from flowviz.factors.look.surveyed import Reached, Survey
from flowviz.factors.types import Dictionary
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

CONTEXTS = 10
TOKENS_AT_ONCE = 2**12


def with_levels(
    survey: Survey,
    dictionary: Dictionary,
    model: LoadedModel | LoadedEncoder,
    progress: Progress,
) -> Survey:
    """The survey with what is left of each factor in each window; with a note where a model takes
    no mask as it is meant.
    """
    reader = hiding_reader(model)
    if not hides(reader, survey.info.sites):
        note = (
            f"How far back factors look is not known: tokens cannot be hidden from each other in "
            f"{reader.shape.name} without changing more than that."
        )
        return replace(survey, notes=(*survey.notes, note))
    return replace(survey, reached=measure(survey, dictionary, reader, progress))


@dataclass(frozen=True, eq=False)
class _Contexts:
    """The contexts of all factors: which factor, and which place of which site it is about.

    Args:
        place: of each context, its row in `places`.
        places: site, sentence and position, each once: [place, 3].
    """

    factor: NDArray[np.int64]
    place: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, survey: Survey) -> _Contexts:
        factors = np.arange(survey.factors)
        rows = survey.best * survey.factors + factors
        starts = survey.top.starts
        sizes = np.minimum(np.diff(starts)[rows], CONTEXTS)
        factor = np.repeat(factors, sizes)
        which = np.repeat(starts[rows], sizes) + ranks_of(factor)
        named = np.stack(
            [survey.best[factor], survey.top.sentence[which], survey.top.position[which]], axis=1
        )
        places, place = np.unique(named.astype(np.int64), axis=0, return_inverse=True)
        return cls(factor, place.reshape(-1), places)


@dataclass(frozen=True, eq=False)
class _Tasks:
    """What is read: places with only some tokens to see, each once.

    Args:
        rows: place, the first token that is seen, and the one behind the last: [task, 3].
        of: the task of each place in each window, [place, window].
    """

    rows: NDArray[np.int64]
    of: NDArray[np.int64]

    @classmethod
    def for_windows(cls, words: NDArray[np.int64], windows: NDArray[np.int64]) -> _Tasks:
        """All tasks of some places.

        Args:
            words: of each place its word's first token, the one behind its last, and how many
                tokens there are in all: [place, 3].
        """
        more = windows - 1
        first = np.maximum(words[:, :1] - more, 0)
        last = np.minimum(words[:, 1:2] + more, words[:, 2:])
        place = np.broadcast_to(np.arange(len(words))[:, None], first.shape)
        named = np.stack([place, first, last], axis=2).reshape(-1, 3)
        rows, of = np.unique(named, axis=0, return_inverse=True)
        return cls(rows, of.reshape(first.shape))


def measure(
    survey: Survey, dictionary: Dictionary, reader: GptReader | EncoderReader, progress: Progress
) -> Reached:
    """What is left of each factor in each window."""
    contexts = _Contexts.of(survey)
    numbers = np.unique(contexts.places[:, 1]).tolist()
    read = {number: survey.sentences[number].read(reader) for number in numbers}
    both = isinstance(reader, EncoderReader)
    words = [_word(read[number], at, both) for _, number, at in contexts.places.tolist()]
    words = np.array(words, np.int64).reshape(-1, 3)
    windows = _windows(words)
    tasks = _Tasks.for_windows(words, windows)
    keys = tasks.of[contexts.place] * survey.factors + contexts.factor[:, None]
    wanted, which = np.unique(keys, return_inverse=True)
    values, done = np.zeros(len(wanted)), 0
    for site, batch in _batches(contexts.places, words, tasks):
        progress("Measuring how far back factors look", done / len(tasks.rows))
        texts, seen, at = _texts(contexts.places, words, tasks.rows[batch], read)
        vectors = reader.vectors(texts, [survey.info.sites[site]], seen=seen)
        own = vectors[survey.info.sites[site]][at]
        _take(dictionary, own, batch, wanted, values)
        done += len(batch)
    each = values[which.reshape(keys.shape)]
    kept = np.zeros((survey.factors, len(windows)))
    np.add.at(kept, contexts.factor, each)
    kept /= np.maximum(kept[:, -1:], 1e-30)
    found = np.bincount(contexts.factor, minlength=survey.factors)
    return Reached(windows, kept.astype(np.float32), found, survey.best)


def _word(read: Read, at: int, both: bool) -> tuple[int, int, int]:
    """The first token of a word, the one behind its last, and how many tokens are read.

    Args:
        both: whether the model looks both ways; where not, nothing behind the token is read.
    """
    word = read.word_of[at]
    own = [place for place, each in enumerate(read.word_of) if each == word >= 0] or [at]
    return (min(own), max(own) + 1, len(read.tokens)) if both else (min(own), at + 1, at + 1)


def _windows(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """1, 2, 4, … as far as there is more to see; the last is all."""
    needed = 1 + np.maximum(words[:, 0], words[:, 2] - words[:, 1]).max(initial=0)
    return np.unique([*(2**i for i in range(20) if 2**i < needed), needed]).astype(np.int64)


def _batches(
    places: NDArray[np.int64], words: NDArray[np.int64], tasks: _Tasks
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Tasks of one site and like length together, with the site."""
    of_task = tasks.rows[:, 0]
    sites, lengths = places[of_task, 0], words[of_task, 2]
    order = np.lexsort((lengths, sites))
    start = 0
    for end in range(1, len(order) + 1):
        same = end < len(order) and sites[order[end]] == sites[order[start]]
        if same and (end + 1 - start) * lengths[order[end]] <= TOKENS_AT_ONCE:
            continue
        yield int(sites[order[start]]), order[start:end]
        start = end


def _texts(
    places: NDArray[np.int64],
    words: NDArray[np.int64],
    rows: NDArray[np.int64],
    read: dict[int, Read],
) -> tuple[list[tuple[int, ...]], list[list[bool]], NDArray[np.int64]]:
    """The tokens of each task, which of them are seen, and which of all tokens are asked about."""
    texts, seen, asked, before = list[tuple[int, ...]](), list[list[bool]](), list[int](), 0
    for place, first, last in rows.tolist():
        _, number, at = places[place].tolist()
        tokens, length = read[number].tokens, int(words[place, 2])
        texts.append(tokens.ids[:length])
        special = tokens.special[:length]
        seen.append([first <= i < last or stands for i, stands in enumerate(special)])
        asked.append(before + at)
        before += length
    return texts, seen, np.array(asked, np.int64)


def _take(
    dictionary: Dictionary,
    vectors: NDArray[np.float32],
    batch: NDArray[np.int64],
    wanted: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Encodes the vectors of a batch, and keeps the activations that are wanted."""
    sparse = dictionary.encode(vectors)
    tasks = np.repeat(batch, np.diff(sparse.starts))
    keys = tasks * dictionary.about.factors + sparse.factors
    places = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found = wanted[places] == keys
    values[places[found]] = sparse.activations[found]
