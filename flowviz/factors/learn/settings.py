"""What a dictionary is learned with: frozen, checked where it enters, the same for a resumed run.

Plain: read, and refused, before torch is imported.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from flowviz.errors import RequestError
from flowviz.factors.kinds import Method

LEARNED = (Method.CODING, Method.TOPK)
MOST_FACTORS, MOST_STEPS, MOST_BATCH, MOST_SEED = 2**20, 10**7, 2**18, 2**31 - 1


@dataclass(frozen=True)
class LearnSettings:
    """How a dictionary is learned.

    Args:
        factors: how many atoms.
        penalty: with CODING, λ as a share of the vectors' length (`Pool.scale`).
        k: with TOPK, how many factors a vector has.
        steps: batches that are learned from; batch: vectors in each.
        rate: with TOPK, Adam's; it falls to zero over the last fifth of the steps.
        held: the share of the sentences that is not learned from.
    """

    method: Method = Method.CODING
    factors: int = 1024
    penalty: float = 0.08
    k: int = 16
    steps: int = 2000
    batch: int = 1024
    seed: int = 0
    rate: float = 3e-3
    held: float = 0.1

    def __post_init__(self) -> None:
        if self.method not in LEARNED:
            raise RequestError(
                f"{self.method.value} is not learned here; {' and '.join(LEARNED)} are. "
                "Published dictionaries of other methods can be read."
            )
        _whole("factors", self.factors, 2, MOST_FACTORS)
        _whole("steps", self.steps, 1, MOST_STEPS)
        _whole("batch", self.batch, 2, MOST_BATCH)
        _whole("seed", self.seed, 0, MOST_SEED)
        _whole("k", self.k, 1, self.factors)
        _positive("penalty", self.penalty, 10.0)
        _positive("rate", self.rate, 1.0)
        _positive("held", self.held, 0.9)

    def as_text(self) -> str:
        """What a checkpoint keeps, to be compared: only what this method depends on."""
        said: dict[str, Any] = asdict(self)
        for other in ("k", "rate") if self.method is Method.CODING else ("penalty",):
            del said[other]
        return json.dumps(said, sort_keys=True)


def _whole(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RequestError(f"{name} is {value:,}; it takes a whole number from {low} to {high:,}.")


def _positive(name: str, value: float, high: float) -> None:
    if not (math.isfinite(value) and 0 < value <= high):
        raise RequestError(f"{name} is {value:g}; it takes a number above 0 and up to {high:g}.")
