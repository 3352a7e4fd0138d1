"""What a search over stored vectors is asked, and what it gives. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Metric


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is looked for.

    Args:
        vector: the one that others are compared with, [width].
        parts: of how many equally long parts a vector is made; heads, at the heads' site, else 1.
        chosen: the parts that count; none for all.
        neuron: the one number of a vector that counts; None where it is a vector of its own.
        count: how many hits at most.
        mask: for each row whether it may be a hit; None where all may.
        one_each: only the best hit of each sentence.
        least: the smallest score of a hit; of a neuron that is negative here, the smallest
            activation towards the same sign.
    """

    vector: NDArray[np.float32]
    metric: Metric = Metric.COSINE
    parts: int = 1
    chosen: tuple[int, ...] = ()
    neuron: int | None = None
    count: int = 50
    mask: NDArray[np.bool_] | None = None
    one_each: bool = False
    least: float | None = None


@dataclass(frozen=True, eq=False)
class Nearest:
    """What was found, best first; rows of equal score in their order in the store.

    Args:
        scores: of the vectors as they are stored, in float64.
        searched: how many rows passed the mask.
        exact: whether the hits are those that a comparison with all of these rows gives.
        recall: where not, the share of the ten nearest that the index finds, as it was measured.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    searched: int
    exact: bool = True
    recall: float | None = None
