"""How two vectors are compared: every metric as an inner product.

    inner     Σ_p q_p · x_p                        over the chosen parts p (heads) of the vectors
    cosine    1/n Σ_p q_p · x_p / (|q_p| |x_p|)    the mean of n chosen parts' cosines; of a vector
                                                   without parts, its cosine
    neuron    ±x_j                                 in the sign that the query has there; the score
                                                   that is shown is the activation x_j itself

A part that is zero, of the query or of a row, adds 0. What does not depend on the row is put into
the query once, so that one index of rows, each part brought to length 1, serves any chosen parts:
the query is zero in the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Metric
from flowviz.contexts.search.types import Wanted
from flowviz.errors import RequestError

F = TypeVar("F", bound=np.floating)

TINY = 1e-30  # a squared length that float32 may not hold
NO_NUMBER = (
    "The store holds what is no number (NaN or infinity) at this site, so that nothing can be "
    "compared. Build it again; in float32 where the model's numbers are large."
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A query, ready to be compared with rows.

    Args:
        query: what is multiplied with a row (its parts brought to length 1 where `unit`), float64.
        spans: the numbers of a vector that count, part by part.
        unit: whether each part of a row is brought to length 1.
        sign: what a product is multiplied with to give the score that is shown; ranks are by the
            product.
    """

    query: NDArray[np.float64]
    spans: tuple[slice, ...]
    unit: bool
    sign: int = 1

    @classmethod
    def of(cls, wanted: Wanted) -> Comparison:
        """The comparison that is asked for. Raises RequestError for a query that is no number."""
        vector = wanted.vector.astype(np.float64)
        if not np.isfinite(vector).all():
            raise RequestError(
                "The model gives what is no number (NaN or infinity) for this token, so that it "
                "cannot be compared. Choose another site."
            )
        if wanted.neuron is not None:
            return _of_neuron(vector, wanted.neuron)
        spans = part_spans(len(vector), wanted.parts)
        spans = tuple(spans[part] for part in wanted.chosen) if wanted.chosen else spans
        unit = wanted.metric is Metric.COSINE
        query = np.zeros_like(vector)
        for span in spans:
            query[span] = unit_rows(vector[None, span])[0] / len(spans) if unit else vector[span]
        return cls(query, spans, unit)

    @property
    def length(self) -> float:
        """The query's, after all that was put into it."""
        return float(np.linalg.norm(self.query))

    def exact(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """The products with rows, [rows], in float64; equal rows give equal products."""
        total = np.zeros(len(rows))
        for span in self.spans:
            own = rows[:, span].astype(np.float64)
            product = (own * self.query[span]).sum(1)
            total += _per_length(product, own) if self.unit else product
        if not np.isfinite(total).all():
            raise RequestError(NO_NUMBER)
        return total

    def fast(self, rows: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
        """The products in float32, and how far they may be from the exact ones.

        The bound: a sum of n float32 products in any order is off by at most n 2^-24 |q| |x|
        (Higham 2002, section 3.1); lengths and the division add less than as much again.
        """
        total, longest = np.zeros(len(rows), np.float32), 0.0
        with np.errstate(all="ignore"):
            for span in self.spans:
                own = rows[:, span].astype(np.float32)
                product, square = own @ self.query[span].astype(np.float32), _squares(own)
                if self.unit and own[square < TINY].any():
                    return self.exact(rows).astype(np.float32), 2.0**-23
                longest += 1.0 if self.unit else float(np.sqrt(square.max(initial=0.0)))
                total += _divided(product, np.sqrt(square)) if self.unit else product
        if not np.isfinite(total).all() or not np.isfinite(longest):
            exact = self.exact(rows)
            return exact.astype(np.float32), 2.0**-23 * float(np.abs(exact).max(initial=0.0))
        return total, 4 * len(self.query) * 2.0**-24 * self.length * longest


def _of_neuron(vector: NDArray[np.float64], neuron: int) -> Comparison:
    sign = -1 if vector[neuron] < 0 else 1
    query = np.zeros_like(vector)
    query[neuron] = sign
    return Comparison(query, (slice(neuron, neuron + 1),), unit=False, sign=sign)


def part_spans(width: int, parts: int) -> tuple[slice, ...]:
    """The numbers of each of a vector's equally long parts."""
    each = width // parts
    return tuple(slice(part * each, (part + 1) * each) for part in range(parts))


def unit_rows(rows: NDArray[F], parts: int = 1) -> NDArray[F]:
    """Rows with each part brought to length 1; a part that is zero stays zero."""
    shaped = rows.reshape(len(rows), parts, -1)
    lengths = np.sqrt((shaped.astype(np.float64) ** 2).sum(-1, keepdims=True))
    return _divided(shaped, lengths.astype(rows.dtype)).reshape(rows.shape)


def _squares(rows: NDArray[F]) -> NDArray[F]:
    return np.einsum("ij,ij->i", rows, rows)


def _per_length(product: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return _divided(product, np.sqrt((rows * rows).sum(1)))


def _divided(product: NDArray[F], lengths: NDArray[F]) -> NDArray[F]:
    """Zero where the length is; what is no number stays none, so that it is seen."""
    with np.errstate(invalid="ignore"):
        return np.divide(product, lengths, out=np.zeros_like(product), where=lengths != 0)
