"""The attention of all heads in one pass: plain frozen arrays, for pages, files and notebooks.

`AttentionMaps` holds every layer and head at once, so that whoever looks can go from head to head
without asking again. A cell [layer, head, i, j] says how much the head takes, at query i, from the
source j. What a cell measures is the weighting:

    pattern   A_ij, what the softmax gave. A row sums to 1, or to less where the head has a sink.
    norm      ‖A_ij · v_j W_O‖ over the sum of the row: an attended token whose value is short
              writes little. v_j holds its biases; b_O, which no source owns, is left out. Source:
              Kobayashi et al. 2020, "Attention is Not Only a Weight".
    flow      the signed share of the target that the head draws at i from the state at j, patterns
              and norms frozen (`Flow.head_sources`). Rows behind the target's position are zero.

Arrays are float16; `unit` is what a cell's 1 stands for: cell * unit is a weight, or part of a
logit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.kinds import (
    KIND_WORDS,
    OFFSETS,
    ROWS,
    SYNONYMS,
    Part,
    Weighting,
    check_kind,
)
from flowviz.graph.types import Checks, ModelShape, Prediction, PromptToken, Target

__all__ = [
    "KIND_WORDS", "OFFSETS", "ROWS", "AttentionMaps", "Column", "HeadScore", "HeadsFound",
    "KindScores", "Part", "Weighting", "check_kind",
]  # fmt: skip
SCHEMA_VERSION = 1
NO_TOKEN = -1  # the id of a position whose token differs from prompt to prompt


@dataclass(frozen=True)
class Column:
    """Tokens in a row, as one side of a picture of attention.

    Args:
        special: the positions of tokens that stand for no text: [CLS], [SEP], <s>, an end of text.
        second: where the second of two texts begins; None where there is one.
        masked: the positions whose token was hidden from the model; `tokens` has it all the same.
    """

    tokens: tuple[PromptToken, ...]
    special: tuple[int, ...] = ()
    second: int | None = None
    masked: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class HeadScore:
    """One head, and how much it does of what was looked for, 0 to 1."""

    layer: int
    head: int
    score: float


@dataclass(frozen=True, eq=False)
class KindScores:
    """How much each head does of each kind; the sum of two is the score over both prompts.

    A score is the mean attention on the places of the kind, over the queries that have such a
    place (`finder.py` has the formulas). Where no query has one, it is not a number (NaN).

    Args:
        mass: attention on such places, summed over queries, float64 [row, layer, head]; the rows
            are `ROWS`.
        queries: how many queries have such a place, [row].
        uniform: the mass of a head that attends alike to all that it may see, [row].
    """

    mass: NDArray[np.float64]
    queries: NDArray[np.int64]
    uniform: NDArray[np.float64]

    def scores(self, kind: str) -> NDArray[np.float64]:
        """The scores of all heads, [layer, head]; NaN where no query has such a place."""
        row = _row(kind)
        return self.mass[row] / (self.queries[row] or np.nan)

    def queries_of(self, kind: str) -> int:
        """How many queries the scores are means over."""
        return int(self.queries[_row(kind)])

    def chance(self, kind: str) -> float:
        """The score of a head that attends alike to all that it may see; NaN as `scores`."""
        row = _row(kind)
        return float(self.uniform[row] / (self.queries[row] or np.nan))

    def strongest(self, kind: str, most: int | None = None) -> tuple[HeadScore, ...]:
        """The heads with the highest scores first, ties by place; none where no query counts."""
        scores = self.scores(kind)
        if not self.queries_of(kind):
            return ()
        order = np.argsort(-scores, axis=None, kind="stable")[:most]
        places = zip(*np.unravel_index(order, scores.shape), strict=True)
        return tuple(HeadScore(int(a), int(b), float(scores[a, b])) for a, b in places)

    def __add__(self, other: KindScores) -> KindScores:
        return KindScores(
            self.mass + other.mass, self.queries + other.queries, self.uniform + other.uniform
        )


@dataclass(frozen=True, eq=False)
class HeadsFound:
    """What the finder says of all heads of a model over a set of prompts.

    Each prompt counts by its number of places (`KindScores`), so that the scores are means over
    all queries of the set.
    """

    model: ModelShape
    prompts: int
    kinds: KindScores


def _row(kind: str) -> int:
    kind = check_kind(kind)
    return ROWS.index(SYNONYMS.get(kind, kind))


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """What all heads attend to in one pass; see the head of this module.

    Args:
        queries: the tokens that look.
        sources: the tokens that they look at, where these are others (cross attention); None where
            they are the queries themselves.
        weights: float16 [layer, head, query, key]; see `unit`.
        kinds: what the finder says of each head, always by the pattern (of arrays of one's own: by
            those), whatever the weighting.
        unit: what 1 in `weights` stands for: for the flow the largest absolute share, in logits;
            else 1.
        totals: with the weighting norm, what a row was divided by: the sum of its norms, float32
            [layer, head, query].
        model, target, checks: None for arrays of one's own.
        predictions: the model's own, at the target's position; none without a target.
        part: which of the model's attentions this is, and `parts` which ones it has.
        readings: for each query the strongest tokens that the model predicts there: of an encoder
            the token itself, of a decoder the next one. Empty where nothing is predicted.
        notes: what cannot be shown and why, in sentences.
    """

    queries: Column
    weights: NDArray[np.float16]
    kinds: KindScores
    weighting: Weighting = Weighting.PATTERN
    unit: float = 1.0
    totals: NDArray[np.float32] | None = None
    model: ModelShape | None = None
    target: Target | None = None
    predictions: tuple[Prediction, ...] = ()
    checks: Checks | None = None
    notes: tuple[str, ...] = ()
    sources: Column | None = None
    part: Part = Part.DECODER
    parts: tuple[Part, ...] = (Part.DECODER,)
    readings: tuple[tuple[Prediction, ...], ...] = ()
    version: int = SCHEMA_VERSION

    @classmethod
    def of(
        cls,
        arrays: Any,
        tokens: Sequence[object],
        sources: Sequence[object] | None = None,
        second: int | None = None,
    ) -> AttentionMaps:
        """Maps of attention that was computed elsewhere, as BertViz takes it.

        Args:
            arrays: weights [layer, head, query, key], or a list with an array of a layer each,
                [head, query, key] or [1, head, query, key]; of NumPy or of torch.
            tokens: the text of each position that looks.
            sources: those that they look at, where these are others (cross attention).
            second: the position at which the second of two texts begins, among those that are
                looked at.

        Raises:
            RequestError: the shapes do not fit together, or a weight is not from 0 to 1.
        """
        from flowviz.attention.own import own_maps

        return own_maps(arrays, tokens, sources, second)

    def to_json(self) -> str:
        """The maps as versioned JSON (docs/attention-json.md)."""
        from flowviz.attention.json import attention_json

        return attention_json(self)

    @property
    def tokens(self) -> tuple[PromptToken, ...]:
        """The tokens that look."""
        return self.queries.tokens

    @property
    def keys(self) -> Column:
        """The tokens that are looked at."""
        return self.sources or self.queries

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return self.weights.shape[0]

    @property
    def heads(self) -> int:
        """How many heads a layer has."""
        return self.weights.shape[1]

    @property
    def positions(self) -> int:
        """How many tokens look."""
        return self.weights.shape[2]

    @property
    def signed(self) -> bool:
        """Whether weights may be negative."""
        return self.weighting is Weighting.FLOW

    @property
    def bytes(self) -> int:
        """The memory of its arrays."""
        totals = 0 if self.totals is None else self.totals.nbytes
        return self.weights.nbytes + totals + self.kinds.mass.nbytes

    def layer(self, layer: int) -> NDArray[np.float16]:
        """The maps of one layer, [head, query, key], as they are held: times `unit`."""
        return self.weights[layer]

    def row(self, layer: int, head: int, query: int) -> NDArray[np.float32]:
        """What one head takes from each source at one query, `unit` applied, [key]."""
        return self.weights[layer, head, query].astype(np.float32) * np.float32(self.unit)
