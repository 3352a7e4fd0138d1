"""How well a dictionary does on vectors that it was not learned from.

explained = 1 - Σ‖x - x̂‖² / Σ‖x - mean‖²        L0 = mean number of active factors
dead = factors that are active nowhere among them
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowviz.factors.types import Dictionary
from flowviz.jobs import Progress

AT_ONCE = 4096  # vectors


@dataclass(frozen=True)
class HeldOut:
    """The figures at the head of this module, over so many vectors."""

    explained: float
    l0: float
    dead: int
    vectors: int


def measure(
    dictionary: Dictionary,
    vectors: NDArray[np.float32],
    progress: Progress = lambda _stage, _fraction: None,
) -> HeldOut:
    """Encodes the vectors, a few thousand at a time."""
    atoms, offset = dictionary.atoms, dictionary.offset
    mean = vectors.mean(0, dtype=np.float64)
    used = np.zeros(len(atoms), bool)
    error, spread, active = 0.0, 0.0, 0
    for start in range(0, len(vectors), AT_ONCE):
        progress("Measuring on held-out vectors", start / len(vectors))
        some = vectors[start : start + AT_ONCE]
        codes = dictionary.encode(some)
        used[codes.factors] = True
        active += len(codes.factors)
        dense = np.zeros((len(some), len(atoms)), np.float32)
        dense[np.repeat(np.arange(len(some)), np.diff(codes.starts)), codes.factors] = (
            codes.activations
        )
        error += float(np.square(some - offset - dense @ atoms, dtype=np.float64).sum())
        spread += float(np.square(some - mean).sum())
    return HeldOut(
        1 - error / max(spread, 1e-30), active / len(vectors), int((~used).sum()), len(vectors)
    )
