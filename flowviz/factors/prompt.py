"""A prompt's factors: which are active where, how much they explain, and what is lost without them.

The vectors of all positions at all of the dictionary's sites are encoded as one batch. The factors
that are shown are those whose activations have the largest sum over sites and over the positions
that stand for text (the vectors of special tokens are often longer than all others, and no
dictionary learns them); what else is active at a place is counted there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Asked
from flowviz.contexts.kinds import Site
from flowviz.errors import RequestError
from flowviz.factors.fits import check_fits
from flowviz.factors.look.types import PromptFactors
from flowviz.factors.passes.instead import Vectors
from flowviz.factors.passes.losses import Model
from flowviz.factors.request import FactorsRequest
from flowviz.factors.splice import splice_prompt, summed
from flowviz.factors.types import Dictionary, Sparse
from flowviz.jobs import Progress

MOST = 40  # factors that are shown
Words = Callable[[Sequence[int]], Sequence[str]]


def prompt_factors(
    model: Model,
    dictionary: Dictionary,
    request: FactorsRequest,
    *,
    words: Words = lambda factors: [""] * len(factors),
    most: int = MOST,
    progress: Progress = lambda _stage, _fraction: None,
) -> PromptFactors:
    """The factors of the request's prompt.

    Args:
        words: one for each of some factors, by which a person knows it (`Survey`).
        most: how many factors are shown.

    Raises:
        RequestError: the prompt cannot be read, or the dictionary is another model's.
    """
    reader, sites = open_reader(model), dictionary.about.sites
    notes = check_fits(reader, dictionary.about)
    progress("Reading the prompt", 0.0)
    asked = reader.ask(request.prompt)
    found = reader.vectors([asked.ids], sites, [asked.types])
    vectors = np.concatenate([found[site] for site in sites])
    progress("Finding factors", 0.2)
    sparse = dictionary.encode(vectors)
    made = summed(dictionary, sparse)
    factors = _strongest(sparse, _of_text(asked, len(sites)), len(dictionary.atoms), most)
    activations = _of_shown(sparse, factors, len(dictionary.atoms))
    shape = (len(sites), len(asked.ids))
    others = np.diff(sparse.starts) - (activations > 0).sum(0)
    progress("Running on reconstructions", 0.5)
    known = dict(zip(sites, made.reshape(*shape, -1), strict=True))
    loss, spliced, more = _loss(
        model, dictionary, asked, known,
        lambda share: progress("Running on reconstructions", 0.5 + share / 2),
    )  # fmt: skip
    return PromptFactors(
        request=request,
        tokens=asked.column.tokens,
        sites=sites,
        factors=tuple(factors.tolist()),
        words=tuple(words(factors.tolist())),
        activations=activations.reshape(-1, *shape),
        others=others.reshape(shape).astype(np.int32),
        explained=_explained(vectors, made, dictionary.offset).reshape(shape),
        loss=loss,
        spliced=spliced,
        notes=notes + more,
    )


def _of_text(asked: Asked, sites: int) -> NDArray[np.bool_]:
    """For each row, [site * position], whether it stands for text; for all where none does."""
    text = np.ones(len(asked.ids), bool)
    text[list(asked.column.special)] = False
    return np.tile(text if text.any() else ~text, sites)


def _strongest(
    sparse: Sparse, counted: NDArray[np.bool_], factors: int, most: int
) -> NDArray[np.int64]:
    """The factors with the largest sums over the rows that count, the strongest first."""
    weights = sparse.activations * np.repeat(counted, np.diff(sparse.starts))
    sums = np.bincount(sparse.factors, weights, minlength=factors)
    order = np.lexsort((np.arange(factors), -sums))[:most]
    return order[sums[order] > 0]


def _of_shown(sparse: Sparse, shown: NDArray[np.int64], factors: int) -> NDArray[np.float32]:
    """The activations of some factors in every row: [factor, row]."""
    place = np.full(factors, -1)
    place[shown] = np.arange(len(shown))
    places = place[sparse.factors]
    rows = np.repeat(np.arange(sparse.rows), np.diff(sparse.starts))
    found = np.zeros((len(shown), sparse.rows), np.float32)
    found[places[places >= 0], rows[places >= 0]] = sparse.activations[places >= 0]
    return found


def _explained(vectors: Vectors, made: Vectors, offset: Vectors) -> Vectors:
    """1 - |error|² / |vector - offset|², row by row."""
    errors, sizes = (np.square(part).sum(1) for part in (vectors - made, vectors - offset))
    return 1 - errors / np.maximum(sizes, 1e-30)


def _loss(
    model: Model,
    dictionary: Dictionary,
    asked: Asked,
    known: dict[Site, Vectors],
    progress: Callable[[float], None],
) -> tuple[float | None, tuple[float, ...], tuple[str, ...]]:
    """Clean, spliced, and why there is none."""
    try:
        loss, spliced = splice_prompt(
            model, dictionary, asked.ids, asked.column.special, asked.types, known,
            progress=progress,
        )  # fmt: skip
    except RequestError as error:
        return None, (), (f"There is no loss to compare. {error}",)
    return loss, spliced, ()
