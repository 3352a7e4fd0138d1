"""One factor told whole: its contexts, how strong it is where, what it goes with, what it is like.

The survey says where the factor is active; the sentences that are shown are read by the model once
more, so that the activations at every token of them are this model's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.base import Base
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site
from flowviz.contexts.summary import summarise
from flowviz.contexts.together import together
from flowviz.contexts.types import Summary
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.factors.kinds import Level
from flowviz.factors.look.bands import bins_of_bands
from flowviz.factors.look.gathered import IN_A_CELL
from flowviz.factors.look.listing import list_factors
from flowviz.factors.look.sentences import Read, sentence_of
from flowviz.factors.look.surveyed import Directions, Places, Survey
from flowviz.factors.look.types import Band, FactorContext, FactorTold, Near, Reach, Reading
from flowviz.factors.look.words import COUNTED
from flowviz.factors.request import FactorsRequest
from flowviz.factors.types import Dictionary
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

AROUND = 10  # tokens on either side
NEAREST = 10
TOKENS_AT_ONCE = 2**12
Place = tuple[int, int]  # a sentence, and a token of it


def silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody wants to see."""


def tell(
    survey: Survey,
    dictionary: Dictionary,
    model: LoadedModel | LoadedEncoder,
    request: FactorsRequest,
    progress: Progress = silent,
) -> FactorTold:
    """All that is shown of one factor; where the request names none, of the first of its list.

    Raises:
        RequestError: there is no such factor or site.
    """
    factor = chosen_factor(survey, dictionary, request)
    site = int(survey.best[factor]) if request.site is None else survey.site_index(request.site)
    row = survey.row(site, factor)
    top, bands = _places(survey.top, row), _bands(survey, site, factor)
    wanted = [*top, *(place for _, places in bands for place in places)]
    progress("Reading its contexts", 0.1)
    shown = _contexts(survey, dictionary, open_reader(model), (site, factor), wanted, progress)
    edges, counts = _histogram(survey, site, factor)
    directions = survey.directions
    return FactorTold(
        request=request,
        about=dictionary.about,
        survey=survey.info,
        factor=factor,
        site=survey.info.sites[site],
        importance=tuple(survey.importance[:, factor].tolist()),
        density=tuple(survey.density[:, factor].tolist()),
        edges=edges,
        counts=counts,
        top=tuple(shown[place] for place in top),
        bands=tuple(
            replace(band, contexts=tuple(shown[place] for place in places))
            for band, places in bands
        ),
        summaries=_summaries(survey, factor),
        promoted=_readings(directions, factor, raised=True),
        suppressed=_readings(directions, factor, raised=False),
        near=_nearest(survey, dictionary, factor),
        reach=reach_of(survey, factor),
        notes=(*survey.notes, *_notes(survey, factor, site)),
    )


def chosen_factor(survey: Survey, dictionary: Dictionary, request: FactorsRequest) -> int:
    """The factor that is asked for. Raises RequestError where there is none."""
    if request.factor is None:
        rows = list_factors(survey, dictionary, request).rows
        if rows:
            return rows[0].factor
        raise RequestError("No factor fits the search. Search for something else.")
    if request.factor < survey.factors:
        return request.factor
    raise RequestError(
        f"There is no factor {request.factor:,}; {survey.info.dictionary} has {survey.factors:,}, "
        f"from 0 to {survey.factors - 1:,}."
    )


def _places(places: Places, row: int) -> list[Place]:
    own = places.of(row)
    return list(zip(places.sentence[own].tolist(), places.position[own].tolist(), strict=True))


def _histogram(
    survey: Survey, site: int, factor: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The bins from the weakest activation to the strongest; none where there is no activation."""
    edges, counts = survey.edges[site], survey.histogram[site, factor].astype(np.int64)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return np.zeros(1, np.float32), np.zeros(0, np.int64)
    first, last = int(filled[0]), int(filled[-1]) + 1
    found = edges[first : last + 1].copy()
    found[-1] = max(found[-1], survey.largest[site, factor])
    return found, counts[first:last]


def _bands(survey: Survey, site: int, factor: int) -> list[tuple[Band, list[Place]]]:
    """The bands in which there is anything, with what was drawn from each."""
    counts, edges = survey.histogram[site, factor], survey.edges[site]
    if not counts.any():
        return []
    row, found = survey.row(site, factor), list[tuple[Band, list[Place]]]()
    drawn, places = survey.drawn.tag[survey.drawn.of(row)], _places(survey.drawn, row)
    high = float(survey.largest[site, factor])
    strongest = int(np.flatnonzero(counts)[-1]) // IN_A_CELL
    for band, (begin, end) in enumerate(bins_of_bands(strongest)):
        low, count = float(edges[begin]), int(counts[begin:end].sum())
        if count:
            some = [places[i] for i in np.flatnonzero(drawn == band)]
            found.append((Band(low, high, count, ()), some))
        high = low
    return found


def _contexts(
    survey: Survey,
    dictionary: Dictionary,
    reader: Reader,
    where: tuple[int, int],
    places: Sequence[Place],
    progress: Progress,
) -> dict[Place, FactorContext]:
    """Each place with what stands around it; every sentence is read once, like lengths together."""
    site, factor = where
    numbers = sorted({number for number, _ in places})
    read = {n: sentence_of(survey.sentences, n).read(reader) for n in numbers}
    active = activations_in(dictionary, reader, survey.info.sites[site], factor, read, progress)
    largest = float(survey.largest[site, factor])
    return {
        (number, at): _context(number, at, read[number], active[number], largest)
        for number, at in places
    }


def activations_in(
    dictionary: Dictionary,
    reader: Reader,
    site: Site,
    factor: int,
    read: dict[int, Read],
    progress: Progress,
) -> dict[int, NDArray[np.float32]]:
    """For each sentence the activation of a factor at each of its tokens."""
    found, done = dict[int, NDArray[np.float32]](), 0
    numbers = sorted(read)
    for some in together([len(read[number].tokens) for number in numbers], TOKENS_AT_ONCE):
        batch = [numbers[i] for i in some]
        progress("Reading its contexts", 0.1 + 0.8 * done / len(read))
        texts = [read[number].tokens.ids for number in batch]
        vectors = reader.vectors(texts, [site])[site]
        values = values_of(dictionary, vectors, factor)
        pieces = np.split(values, np.cumsum([len(text) for text in texts])[:-1])
        found |= dict(zip(batch, pieces, strict=True))
        done += len(batch)
    return found


def values_of(
    dictionary: Dictionary, vectors: NDArray[np.float32], factor: int
) -> NDArray[np.float32]:
    """The activation of one factor in each vector; 0 where it is not active."""
    sparse = dictionary.encode(vectors)
    rows = np.repeat(np.arange(sparse.rows), np.diff(sparse.starts))
    own = sparse.factors == factor
    values = np.zeros(sparse.rows, np.float32)
    values[rows[own]] = sparse.activations[own]
    return values


def _context(
    number: int, at: int, read: Read, active: NDArray[np.float32], largest: float
) -> FactorContext:
    if at >= len(read.tokens):
        raise RequestError(
            f"Sentence {number:,} has {len(read.tokens):,} tokens, and the survey names its token "
            f"{at:,}. It was made with another tokenizer, or is broken. Survey again."
        )
    first, last = max(0, at - AROUND), min(len(read.tokens), at + AROUND + 1)
    activation = float(active[at])
    return FactorContext(
        sentence=number,
        part=read.kept.part,
        place=read.kept.place,
        tokens=read.tokens.texts[first:last],
        position=at - first,
        at=at,
        activations=tuple(active[first:last].tolist()),
        before=first > 0,
        behind=last < len(read.tokens),
        word=read.form(at),
        activation=activation,
        share=activation / largest if largest else 0.0,
    )


def _summaries(survey: Survey, factor: int) -> tuple[Summary, ...]:
    """What is said of the words at which it is active, at the site where it is strongest."""
    found, site = survey.annotated, survey.info.sites[int(survey.best[factor])]
    own = slice(int(found.starts[factor]), int(found.starts[factor + 1]))
    times = dict(zip(found.value[own].tolist(), found.count[own].tolist(), strict=True))
    words = int(found.words[factor])
    of = f"all {found.total:,} words of the corpus; words at which it is active are those at {site}"
    summaries = []
    for column, (role, feature) in enumerate(COUNTED):
        named = {text: code for code, (at, text) in enumerate(survey.values) if at == column}
        named.pop("", None)
        base = Base({text: int(found.base[code]) for text, code in named.items()}, False, of)
        values = [text for text, code in named.items() for _ in range(times.get(code, 0))]
        unknown = [""] * (words - len(values))
        if base.counts:
            summaries.append(summarise(role, feature, [*values, *unknown], base))
    return tuple(summaries)


def _readings(directions: Directions | None, factor: int, raised: bool) -> tuple[Reading, ...]:
    if directions is None:
        return ()
    ids, scores = (
        (directions.top, directions.top_scores)
        if raised
        else (directions.bottom, directions.bottom_scores)
    )
    return tuple(
        Reading(directions.tokens[i], i, score)
        for i, score in zip(ids[factor].tolist(), scores[factor].tolist(), strict=True)
    )


def _nearest(survey: Survey, dictionary: Dictionary, factor: int) -> tuple[Near, ...]:
    """The factors whose directions are most like this one's."""
    cosines = dictionary.atoms @ dictionary.atoms[factor]
    cosines[factor] = -np.inf
    nearest = np.lexsort((np.arange(len(cosines)), -cosines))[: min(NEAREST, len(cosines) - 1)]
    forms, _ = survey.words
    return tuple(
        Near(i, float(cosines[i]), survey.values[int(forms[survey.row(int(survey.best[i]), i)])][1])
        for i in nearest.tolist()
    )


def reach_of(survey: Survey, factor: int) -> Reach | None:
    """How far back one factor looks; None where it is not known."""
    level, found = int(survey.level[factor]), survey.reached
    if level < 0 or found is None:
        return None
    return Reach(
        tuple(found.windows.tolist()),
        tuple(found.kept[factor].tolist()),
        list(Level)[level],
        float(survey.reach[factor]),
        int(found.words[factor]),
    )


def _notes(survey: Survey, factor: int, site: int) -> tuple[str, ...]:
    if not survey.counts[:, factor].any():
        return ("This factor is active nowhere in the corpus.",)
    if not survey.counts[site, factor]:
        best = survey.info.sites[int(survey.best[factor])]
        return (f"This factor is not active at {survey.info.sites[site]}; look at {best}.",)
    return ()
