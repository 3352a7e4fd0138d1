"""Why one head looks from one position at another: the score, split into what both ends read.

Plain frozen data. The query at i and the key at j are each a sum of parts: what every component
of earlier blocks wrote at that position, and the biases on the way. The score is bilinear in the
two, so that each pair of a query's part and a key's part has a share of its own:

    score = Σ_a Σ_b pairs[a, b] + the terms that are no product (soft cap, position bias)

A softmax does not see what all scores of a query have in common. What a part does for this key
alone is its `beyond`: its share, less the mean of its shares over all sources that the query sees
(for a part of the query, with each of their keys; for one of the key, what the same head, neuron or
bias gives where each of them stands). On both ends these sum to `product - mean_product`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.kinds import Part
from flowviz.graph.types import ModelShape, NodeKey, NodeKind, PromptToken

SCHEMA_VERSION = 1


class Inside(StrEnum):
    """A part of a query or key that is no component of the stream."""

    OTHERS = "others"  # all components that have no row of their own
    LN1 = "ln1"  # the bias of the norm that attention reads through
    PROJECTION = "projection"  # b_Q, or b_K
    NORM = "norm"  # the bias of the norm on queries, or on keys
    SENTENCE = "sentence"  # of an encoder: the embedding of which sentence a token is of
    ACROSS = "across"  # of a decoder: what all cross attentions before wrote
    NORMS = "norms"  # of an encoder: the biases of all norms before, and of a projection


INSIDE_WORDS = {
    Inside.OTHERS: "all other components",
    Inside.LN1: "the bias of the norm in front of attention",
    Inside.PROJECTION: "the bias of the projection (b_Q or b_K)",
    Inside.NORM: "the bias of the norm on queries or keys",
    Inside.SENTENCE: "the embedding of which sentence the token is of",
    Inside.ACROSS: "what the cross attentions before wrote",
    Inside.NORMS: "the biases of all norms before, and of the embeddings' projection",
}


@dataclass(frozen=True)
class ScorePart:
    """A part of the query, or of the key.

    Args:
        what: the component that wrote it; or what else it is.
        share: of the score: the part times all of the other end. All shares of one end sum to
            `WhyThere.product`.
        beyond: the share less its mean over all sources that the query sees. All of one end sum
            to `WhyThere.product - WhyThere.mean_product`.
    """

    what: NodeKey | Inside
    share: float
    beyond: float


@dataclass(frozen=True)
class KindSum:
    """All components of one kind in one block together.

    Args:
        kind: None for the biases inside (`Inside`), which have no block before this one.
        share, beyond: as of a `ScorePart`; these have the same sums.
        count: how many have a share other than zero.
    """

    kind: NodeKind | None
    layer: int
    share: float
    beyond: float
    count: int


class Term(StrEnum):
    """What a score is the sum of."""

    PRODUCT = "product"  # scale * query · key
    CAP = "cap"  # what the soft cap takes off
    POSITION = "position"  # what is added by distance (ALiBi)


@dataclass(frozen=True, eq=False)
class WhyThere:
    """One score, split; see the head of this module.

    Args:
        layer, head: who looks.
        query, key: the positions from where and at what.
        scale: what the product of query and key is multiplied with; shares hold it already.
        product: scale * query · key, before a cap and a bias by position.
        terms: product, cap and position, where the head has them; their sum is `score`.
        score: what the softmax takes.
        mean_product: the mean of the products over all sources that the query sees.
        weight: the model's own attention weight.
        rank: of the key among the sources that the query sees by weight; 1 is the first.
        seen: how many these are.
        window: how many positions the head looks back, its own included; None for all.
        sink: the weight that the head's sink took, which nothing is read from; None without one.
        query_parts, key_parts: the strongest components, by the size of `beyond` or of their
            share, strongest first; then all others; then the biases that there are.
        pairs: float64 [query part, key part]; its sum is `product`, a row's the part's share.
        query_sums, key_sums: every component and bias, summed by kind and block.
        error: how far `pairs` and the shares are apart, and their sums from `product` and from
            `product - mean_product`, at most; relative where the product is beyond 1.
        tolerance: up to where it counts as exact, for the precision of the weights.
        pattern_error: the pattern that follows from all of the head's block against the model's.
        pattern: the model's own attention weights at the query, [source], from position 0 to its
            own, in an encoder to the last: the other keys that may be asked about.
        part: which of the model's attentions this is.
        keys: the tokens that are looked at, where these are not `tokens` (cross attention).
    """

    model: ModelShape
    tokens: tuple[PromptToken, ...]
    layer: int
    head: int
    query: int
    key: int
    scale: float
    product: float
    terms: tuple[tuple[Term, float], ...]
    score: float
    mean_product: float
    weight: float
    rank: int
    seen: int
    window: int | None
    sink: float | None
    query_parts: tuple[ScorePart, ...]
    key_parts: tuple[ScorePart, ...]
    pairs: NDArray[np.float64]
    query_sums: tuple[KindSum, ...]
    key_sums: tuple[KindSum, ...]
    error: float
    tolerance: float
    pattern_error: float
    pattern: NDArray[np.float32]
    part: Part = Part.DECODER
    keys: tuple[PromptToken, ...] | None = None
    version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The split as versioned JSON (docs/head-json.md)."""
        from flowviz.attention.head_json import why_json

        return why_json(self)

    @property
    def sources(self) -> tuple[PromptToken, ...]:
        """The tokens that may be looked at."""
        return (self.tokens if self.keys is None else self.keys)[: len(self.pattern)]

    @property
    def parts_sum(self) -> float:
        """The sum of all parts of the query and of what is no product: the score once more."""
        others = sum(value for term, value in self.terms if term is not Term.PRODUCT)
        return math.fsum(part.share for part in self.query_parts) + others

    @property
    def exact(self) -> bool:
        """Whether the parts sum to the score on this run; if not, they must not be shown as if."""
        return self.error <= self.tolerance
