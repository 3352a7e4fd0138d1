"""One head from the inside: its query, its keys and their product, dimension by dimension.

Plain frozen data. A score is a sum over the head's dimensions ("neurons" of the paper),

    score_ij = scale * Σ_e q_ie k_je        then a soft cap, and a bias by position

with q and k as they are compared: with rotary positions, both rotated to their own positions.
Source: the neuron view, Vig 2019, "A Multiscale Visualization of Attention in the Transformer
Model".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.kinds import Part
from flowviz.graph.types import ModelShape, PromptToken

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class NeuronView:
    """What one head compares at one query, source by source.

    Sources are those that the query may see: in a decoder positions 0 to its own, in an encoder
    all, in cross attention the encoder's tokens.

    Args:
        tokens: those that look.
        q: the query, [d_head].
        k: the keys, [source, d_head].
        product: q * k, [source, d_head]; a row's sum times `scale` is the score before cap and
            position.
        score: what the softmax takes, [source]; minus infinity outside of the head's window.
        pattern: the model's own attention weights, [source].
        deciding: what each dimension raises the attended sources by, [d_head]: its share of the
            score, averaged over the sources by their weight, less its plain average over those
            that the query sees. The sum is how far the attended scores (before cap and position)
            stand above the average score.
        rotary: whether q and k are rotated to their positions.
        sink: the weight that the head's sink took; None without one.
        decay: how the shares of the dimensions change with distance, over all pairs of the prompt;
            None where it has no two to compare.
        pattern_error: the pattern that follows from all of the head's block against the model's.
        keys: the tokens that are looked at, where these are not `tokens`.
        part: which of the model's attentions this is.
    """

    model: ModelShape
    tokens: tuple[PromptToken, ...]
    layer: int
    head: int
    query: int
    scale: float
    q: NDArray[np.float32]
    k: NDArray[np.float32]
    product: NDArray[np.float32]
    score: NDArray[np.float32]
    pattern: NDArray[np.float32]
    deciding: NDArray[np.float32]
    cap: float | None
    window: int | None
    rotary: bool
    sink: float | None
    decay: Decay | None
    pattern_error: float
    keys: tuple[PromptToken, ...] | None = None
    part: Part = Part.DECODER
    version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """The view as versioned JSON (docs/head-json.md)."""
        from flowviz.attention.head_json import neurons_json

        return neurons_json(self)

    @property
    def sources(self) -> tuple[PromptToken, ...]:
        """The tokens of `k`, in its order."""
        return (self.tokens if self.keys is None else self.keys)[: len(self.k)]

    @property
    def strongest(self) -> tuple[int, ...]:
        """The dimensions in the order of how much they decide; ties by number."""
        return _by_size(self.deciding)


@dataclass(frozen=True, eq=False)
class Decay:
    """How the shares of a head's dimensions change with distance, over pairs of positions.

    Pairs are all (i, j) with j ≤ i within the window, without the first token as a source: many
    heads rest on it ("null" attention, Vig and Belinkov 2019), and it is always the farthest. The
    line of least squares through all pairs' scores against their distance i - j,

        slope = Σ (d - mean d) (score - mean score) / Σ (d - mean d)²

    is linear in the scores, so that the slopes of the dimensions sum to that of the score: a
    dimension with a negative slope makes the head look nearby. The sum of two holds both's pairs.

    Args:
        counts: how many pairs have each distance, [distance].
        sums: the sum of each dimension's share of the score over these, [distance, d_head].
        rotary: whether the head's queries and keys are rotated: then two dimensions of a pair
            turn together, and each alone swings with the distance.
        prompts: over how many prompts.
        model: whose head it is; None where that is not known.
    """

    layer: int
    head: int
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    rotary: bool
    prompts: int = 1
    model: ModelShape | None = None

    def to_json(self) -> str:
        """The shares by distance as versioned JSON (docs/head-json.md)."""
        from flowviz.attention.head_json import decay_json

        return decay_json(self)

    @property
    def pairs(self) -> int:
        """How many pairs of positions these are."""
        return int(self.counts.sum())

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean share of each dimension by distance, [distance, d_head]; NaN without pairs."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.sums / self.counts[:, None]

    @property
    def scores(self) -> NDArray[np.float64]:
        """The mean score (before cap and position) by distance, [distance]."""
        return self.means.sum(1)

    @cached_property
    def slopes(self) -> NDArray[np.float64]:
        """How much each dimension's share changes a token of distance, [d_head]; zero where all
        pairs have one distance."""
        spread = (self.counts * self._off**2).sum()
        if not spread:
            return np.zeros(self.sums.shape[1])
        return self._off @ self.sums / spread

    @property
    def slope(self) -> float:
        """How much the score changes a token of distance: the sum of `slopes`."""
        return float(self.slopes.sum())

    @property
    def correlations(self) -> NDArray[np.float64]:
        """Pearson's, of each dimension's mean share with distance, pairs counted; 0 where there
        is nothing to correlate, [d_head]."""
        pairs = max(self.pairs, 1)
        filled = np.where(self.counts[:, None] > 0, self.means, 0)
        middle = self.sums.sum(0) / pairs
        spread = (self.counts[:, None] * (filled - middle) ** 2).sum(0)
        far = (self.counts * self._off**2).sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self.slopes * np.sqrt(far / spread)
        return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0).clip(-1, 1)

    @property
    def strongest(self) -> tuple[int, ...]:
        """The dimensions by the size of their slopes; ties by number."""
        return _by_size(self.slopes)

    @property
    def _off(self) -> NDArray[np.float64]:
        distances = np.arange(len(self.counts), dtype=np.float64)
        return distances - (self.counts * distances).sum() / max(self.pairs, 1)

    def __add__(self, other: Decay) -> Decay:
        """Both's pairs. Raises ValueError for two different heads."""
        if (self.layer, self.head, self.rotary) != (other.layer, other.head, other.rotary):
            raise ValueError(f"{self.layer}.{self.head} and {other.layer}.{other.head} do not sum")
        longest = max(len(self.counts), len(other.counts))
        counts, sums = np.zeros(longest, np.int64), np.zeros((longest, self.sums.shape[1]))
        for each in (self, other):
            counts[: len(each.counts)] += each.counts
            sums[: len(each.sums)] += each.sums
        prompts = self.prompts + other.prompts
        return Decay(self.layer, self.head, counts, sums, self.rotary, prompts, self.model)


def _by_size(values: NDArray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argsort(-np.abs(values), kind="stable"))
