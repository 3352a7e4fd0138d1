"""What an answer says of itself: why there are fewer hits, and what a reader should know."""

from __future__ import annotations

from collections.abc import Sequence

from flowviz.checked import shown
from flowviz.contexts.asking import Question
from flowviz.contexts.search.types import Nearest
from flowviz.contexts.store.types import Store
from flowviz.contexts.types import Hit

MOST_VALUES = 12


def fewer_words(store: Store, question: Question, found: Nearest, looked_at: int, hits: int) -> str:
    """Why there are fewer hits than were asked for; empty where there are not.

    Args:
        looked_at: how many rows were run again.
    """
    request = question.request
    if hits >= request.count:
        return ""
    if not found.searched:
        return _nothing_passes(store, question)
    words = []
    if found.searched < store.info.rows:
        words.append(f"{found.searched:,} of {store.info.rows:,} tokens pass the filters")
    if request.least is not None:
        words.append(f"only scores of at least {request.least:g} count")
    if question.after:
        words.append(
            f"whether the most attended word passes was looked up for the {looked_at:,} nearest"
        )
    if request.one_each:
        words.append("only the best hit of each sentence is shown")
    if not found.exact:
        words.append("the index that was asked does not look everywhere")
    reasons = "; ".join(words) or f"the corpus has {store.info.rows:,} tokens"
    return f"{hits:,} of the {request.count:,} that were asked for: {reasons}."


def _nothing_passes(store: Store, question: Question) -> str:
    for each in question.before:
        values = store.codes(each.role, each.feature).values[1:]
        if not each.unlike and each.value not in values:
            some = ", ".join(values[:MOST_VALUES])
            more = ", …" if len(values) > MOST_VALUES else ""
            what = f"the {each.feature} {shown(each.value)}"
            return f"No {each.role} word has {what}; there are {some}{more}."
    return "No token passes all of the filters. Leave one out."


def notes_of(question: Question, hits: Sequence[Hit]) -> tuple[str, ...]:
    """What a reader of the answer should know, in sentences."""
    notes = []
    if question.special[question.position]:
        notes.append(
            "The token that is asked about stands for no text. Hits do stand for text, so that "
            "none can be quite alike."
        )
    first = sum(hit.attended == 0 for hit in hits)
    if question.request.first and hits and 2 * first >= len(hits):
        notes.append(
            f"In {first:,} of {len(hits):,} hits the most attended token is the first of the "
            "sentence. Heads of a GPT often rest there when they look for nothing (an attention "
            "sink), so that this says little. Leave the first token out, or choose other heads."
        )
    return tuple(notes)
