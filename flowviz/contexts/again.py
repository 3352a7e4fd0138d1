"""What was found, run again: exact vectors, and the attention that a store does not keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.types import Column
from flowviz.contexts.encode.types import Reader, Tokens
from flowviz.contexts.kinds import Site
from flowviz.contexts.store.types import Store, Stored
from flowviz.contexts.together import together
from flowviz.graph.types import PromptToken
from flowviz.jobs import Progress

TOKENS_AT_ONCE = 4096  # of a batch, padding among them
TEXTS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the store as its sentence was run again.

    Args:
        vector: at the site that is asked about, float32; None where it was not asked for.
        attention: the heads' mean pattern of the whole sentence, float16 [query, key].
    """

    row: int
    sentence: int
    position: int
    stored: Stored
    attended: int | None
    attention: NDArray[np.float16]
    vector: NDArray[np.float32] | None


def run_again(
    reader: Reader,
    store: Store,
    rows: Sequence[int],
    heads: tuple[tuple[int, int], ...],
    site: Site | None,
    progress: Progress,
    *,
    first: bool = False,
) -> list[Row]:
    """Rows with what their sentences give in fresh passes, in the order of `rows`.

    Each sentence is run once, however many of its rows there are. `first` as in `ContextRequest`.
    """
    numbers = sorted({int(store.sentence_of[row]) for row in rows})
    stored = dict(zip(numbers, store.stored(numbers), strict=True))
    in_sentence: dict[int, list[int]] = {number: [] for number in numbers}
    for row in rows:
        in_sentence[int(store.sentence_of[row])].append(row)
    seen: dict[int, Row] = {}
    numbers = sorted(stored)
    lengths = [len(stored[number].tokens) for number in numbers]
    for some in together(lengths, TOKENS_AT_ONCE, TEXTS_AT_ONCE):
        batch = [numbers[i] for i in some]
        progress("Reading what was found", len(seen) / len(rows))
        texts = [stored[number].tokens.ids for number in batch]
        patterns = reader.attention(texts, heads)
        vectors = _vectors(reader, texts, site)
        for number, pattern, own in zip(batch, patterns, vectors, strict=True):
            for row in in_sentence[number]:
                at = int(store.position_of[row])
                uncounted = resting(stored[number].tokens.special, first)
                seen[row] = Row(
                    row, number, at, stored[number], most_attended(pattern[at], uncounted),
                    pattern.astype(np.float16), None if own is None else own[at],
                )  # fmt: skip
    return [seen[row] for row in rows]


def _vectors(
    reader: Reader, texts: list[tuple[int, ...]], site: Site | None
) -> list[NDArray[np.float32]] | list[None]:
    """For each text the vectors of its tokens."""
    if site is None:
        return [None] * len(texts)
    vectors = reader.vectors(texts, [site])[site]
    return np.split(vectors, np.cumsum([len(text) for text in texts])[:-1])


def resting(special: Sequence[bool], first: bool) -> NDArray[np.bool_]:
    """Where heads rest when they look for nothing: tokens that stand for no text; and, where there
    are none, the first token, unless `first` says that it counts.
    """
    found = np.array(special, bool)
    if not first and not found.any():
        found[:1] = True
    return found


def most_attended(weights: NDArray[np.floating], uncounted: NDArray[np.bool_]) -> int | None:
    """The token with the most attention, the first of equals; None where all is on `uncounted`."""
    own = np.where(uncounted, -1.0, weights)
    place = int(own.argmax())
    return place if own[place] > 0 else None


def column_of(tokens: Tokens) -> Column:
    """A stored sentence's tokens as one side of a picture of attention."""
    each = enumerate(zip(tokens.ids, tokens.texts, strict=True))
    return Column(
        tuple(PromptToken(place, token, text) for place, (token, text) in each),
        special=tuple(place for place, special in enumerate(tokens.special) if special),
    )
