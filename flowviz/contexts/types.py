"""What a search of contexts finds: plain frozen values, for pages, files and notebooks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.types import Column
from flowviz.contexts.corpus.types import Word
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.store.types import StoreInfo
from flowviz.graph.types import ModelShape

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class Hit:
    """One context that was found.

    Args:
        row: of the store; sentence: its number there.
        part, place: of the corpus.
        tokens: the sentence as the model read it.
        word_of: for each token the index of its word in `words`, -1 for none.
        position: of the matched token.
        score: as the request's metric says, of the pass that was made again for this page.
        attended: the token that the chosen heads, in the mean, look at most from the matched one;
            special tokens are not counted, nor, unless the request says `first`, the first token
            where there are none. None where it looks at no other.
        attention: their mean pattern, float16 [query, key].
    """

    row: int
    sentence: int
    part: str
    place: str
    text: str
    tokens: Column
    words: tuple[Word, ...]
    word_of: tuple[int, ...]
    position: int
    score: float
    attended: int | None
    attention: NDArray[np.float16]

    def word(self, role: Role) -> Word | None:
        """The word in a role: NEXT is the next word, not the next piece of the same one."""
        place = self.position if role is Role.MATCHED else self.attended
        index = -1 if place is None else self.word_of[place]
        if role is Role.NEXT:
            index = self.word_of[self.position] + 1 if self.word_of[self.position] >= 0 else -1
        return self.words[index] if 0 <= index < len(self.words) else None


@dataclass(frozen=True)
class Bar:
    """How often a value stands among the hits, and how often it would anyway.

    Args:
        count: hits that have it.
        share: of those hits of which the feature is known.
        low, high: Wilson's interval of the share, 95% (Wilson 1927).
        base: its share among what the same search could have given: `Summary.base_of` says what.
        ratio: share over base; infinite where it is nowhere else.
        over: 1 where the share lies above the base, -1 where below, beyond what chance gives: an
            exact test, corrected for the number of values (`summary.py`); 0 otherwise.
    """

    value: str
    count: int
    share: float
    low: float
    high: float
    base: float
    ratio: float
    over: int


@dataclass(frozen=True)
class Summary:
    """One feature of one role, over all hits.

    Args:
        known: hits of which the feature is known; the others are `unknown`.
        bars: the most frequent first.
        others: how many hits have a value that has no bar.
        base_of: what the base rate was counted on, in words.
    """

    role: Role
    feature: Feature
    known: int
    unknown: int
    bars: tuple[Bar, ...]
    others: int
    base_of: str


@dataclass(frozen=True, eq=False)
class ContextsFound:
    """The answer to a `ContextRequest`.

    Args:
        query: the prompt's tokens; `position`, the one that was asked about.
        attention: of the prompt, as a hit's.
        attended: as a hit's.
        heads: whose attention is shown, (layer, head), those that the request meant.
        searched: how many rows passed the filters and were compared.
        exact: whether all of them were; where not, `recall` is what the index was measured to
            find of the ten nearest.
        fewer: why there are fewer hits than were asked for, in words; empty where there are not.
    """

    request: ContextRequest
    model: ModelShape
    store: StoreInfo
    query: Column
    position: int
    attention: NDArray[np.float16]
    attended: int | None
    heads: tuple[tuple[int, int], ...]
    hits: tuple[Hit, ...]
    summaries: tuple[Summary, ...]
    searched: int
    exact: bool
    recall: float | None = None
    fewer: str = ""
    notes: tuple[str, ...] = ()
    version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The answer as versioned JSON (docs/contexts-json.md)."""
        from flowviz.contexts.json import to_json

        return to_json(self)
