"""Where else the model was as it is here: a question about contexts, answered.

1. The prompt is read once: its vector at the site, and what the heads look at.
2. Filters become a mask over the store's rows, and the nearest of those that pass are looked up.
3. The sentences that were found are run again: exact scores from float32 vectors, by which hits are
   ordered, and the attention of the heads, which a store does not keep. Filters on the most
   attended word are applied here, to the nearest rows of at most `MOST_AGAIN` sentences.
4. What the hits have in common is counted, beside what the same search could have given.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.again import Row, column_of, most_attended, resting, run_again
from flowviz.contexts.asking import Question, passing, understand, wanted_of
from flowviz.contexts.base import Base, read_sample, sampled_base, searched_base
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Role
from flowviz.contexts.reading import Reading, passes, reading
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.search.compare import Comparison
from flowviz.contexts.search.nearest import nearest
from flowviz.contexts.search.types import Wanted
from flowviz.contexts.store.types import Store
from flowviz.contexts.summary import summarise
from flowviz.contexts.told import fewer_words, notes_of
from flowviz.contexts.types import ContextsFound, Hit, Summary
from flowviz.jobs import Progress

MOST_AGAIN = 500  # sentences that are run again for one question
ROWS_EACH = 4  # rows of a sentence, in the mean, that filters on the attended word may look at
SLACK = 0.02  # how far a stored vector's score may be from that of a fresh pass, relative


def find_contexts(
    reader: Reader, store: Store, request: ContextRequest, progress: Progress
) -> ContextsFound:
    """The contexts that are asked for.

    Args:
        progress: told of each stage; what it raises stops the work.

    Raises:
        RequestError: something cannot be asked so, or the store is another model's.
    """
    progress("Reading the prompt", 0.0)
    question = understand(reader, store, request)
    vector, pattern = _read_prompt(reader, question)
    mask = passing(store, question)
    wanted = _wanted(reader, question, vector, mask)
    found = nearest(store, question.site, wanted, partial(_share, progress, 0.05, 0.4))
    looked_at = _of_sentences(store, found.rows, MOST_AGAIN)
    told = partial(_share, progress, 0.4, 0.7)
    scored = _read_hits(reader, store, question, wanted, looked_at, told)
    rows = [row for _, row in scored]
    summaries = _summaries(reader, store, question, mask, rows, partial(_share, progress, 0.7, 1.0))
    hits = tuple(_hit(store, row, score) for score, row in scored)
    uncounted = resting(question.special, request.first)
    return ContextsFound(
        request=request,
        model=reader.shape,
        store=store.info,
        query=question.asked.column,
        position=question.position,
        attention=pattern.astype(np.float16),
        attended=most_attended(pattern[question.position], uncounted),
        heads=question.heads,
        hits=hits,
        summaries=summaries,
        searched=found.searched,
        exact=found.exact,
        recall=found.recall,
        fewer=fewer_words(store, question, found, len(looked_at), len(hits)),
        notes=notes_of(question, hits),
    )


def _read_prompt(
    reader: Reader, question: Question
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    asked = question.asked
    vectors = reader.vectors([asked.ids], [question.site], [asked.types])[question.site]
    [pattern] = reader.attention([asked.ids], question.heads, [asked.types])
    return vectors[question.position], pattern


def _wanted(
    reader: Reader,
    question: Question,
    vector: NDArray[np.float32],
    mask: NDArray[np.bool_] | None,
) -> Wanted:
    """What the store is asked: more than the hits, where some will be filtered afterwards."""
    count = MOST_AGAIN * ROWS_EACH if question.after else question.request.count
    one_each = question.request.one_each and not question.after
    return wanted_of(reader, question, vector, mask, count, one_each, SLACK)


def _read_hits(
    reader: Reader,
    store: Store,
    question: Question,
    wanted: Wanted,
    rows: list[int],
    progress: Progress,
) -> list[tuple[float, Row]]:
    """The hits among some rows with their scores, best first; ties by row."""
    if not rows:
        return []
    asked = question.heads, question.site, progress
    again = run_again(reader, store, rows, *asked, first=question.request.first)
    comparison = Comparison.of(wanted)
    vectors = np.stack([row.vector for row in again if row.vector is not None])
    products = comparison.exact(vectors)
    kept, sentences = list[tuple[float, Row]](), set[int]()
    least = -np.inf if question.request.least is None else question.request.least
    for place in np.lexsort((np.array(rows), -products)):
        row = again[place]
        if products[place] < least or not passes(reading(row), question.after):
            continue
        if question.request.one_each and row.sentence in sentences:
            continue
        sentences.add(row.sentence)
        kept.append((float(products[place] * comparison.sign), row))
    return kept[: question.request.count]


def _of_sentences(store: Store, rows: NDArray[np.int64], most: int) -> list[int]:
    """The first rows that stand in so many sentences at most."""
    seen, kept = set[int](), list[int]()
    for row in rows.tolist():
        seen.add(int(store.sentence_of[row]))
        if len(seen) > most:
            break
        kept.append(row)
    return kept


def _hit(store: Store, row: Row, score: float) -> Hit:
    sentence = row.stored.sentence
    return Hit(
        row.row, row.sentence, sentence.part, sentence.place, sentence.text,
        column_of(row.stored.tokens), sentence.words, row.stored.words, row.position, score,
        row.attended, row.attention,
    )  # fmt: skip


def _summaries(
    reader: Reader,
    store: Store,
    question: Question,
    mask: NDArray[np.bool_] | None,
    rows: list[Row],
    progress: Progress,
) -> tuple[Summary, ...]:
    if not rows:
        return ()
    hits, found = list(map(reading, rows)), {row.row for row in rows}
    asked = question.heads, mask, progress
    drawn = read_sample(reader, store, *asked, first=question.request.first)
    sample = [one for one in drawn if one.row not in found and passes(one, question.after)]
    progress("Counting", 1.0)

    def base(role: Role, feature: Feature) -> Base:
        if role is Role.ATTENDED or question.after:
            return sampled_base(sample, role, feature, bool(question.after))
        return searched_base(store, role, feature, mask)

    return tuple(
        _summary(role, feature, hits, base(role, feature)) for role, feature in _counted(store)
    )


def _summary(role: Role, feature: Feature, hits: list[Reading], base: Base) -> Summary:
    return summarise(role, feature, [hit.value(role, feature) for hit in hits], base)


def _counted(store: Store) -> list[tuple[Role, Feature]]:
    """What is counted: all that the corpus says of words, and how far away heads look."""
    said = [each for each in ANNOTATIONS if each in store.info.annotations]
    features = [Feature.FORM, *said]
    counted = [(role, feature) for role in Role for feature in features]
    return [*counted, (Role.ATTENDED, Feature.OFFSET)]


def _share(progress: Progress, low: float, high: float, stage: str, fraction: float) -> None:
    progress(stage, low + (high - low) * fraction)
