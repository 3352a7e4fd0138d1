"""A search without a trick, row by row in float64, and vectors to search in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Metric, Site, SiteKind
from flowviz.contexts.search.types import Nearest, Wanted

SITE = Site(SiteKind.RESID_PRE, 1)


def scores_by_hand(array: NDArray[Any], wanted: Wanted) -> dict[int, float]:
    """The score of each row that may be found, row by row in float64."""
    parts = wanted.chosen or range(wanted.parts)
    each = array.shape[1] // wanted.parts
    scored = dict[int, float]()
    for row, values in enumerate(array.astype(np.float64)):
        total = 0.0
        for part in parts:
            one = wanted.vector[part * each : (part + 1) * each].astype(np.float64)
            other = values[part * each : (part + 1) * each]
            product = float((one * other).sum())
            if wanted.metric is Metric.COSINE:
                lengths = np.linalg.norm(one) * np.linalg.norm(other)
                product = product / lengths / len(parts) if lengths else 0.0
            total += product
        if wanted.neuron is not None:
            total = float(values[wanted.neuron]) * (-1 if wanted.vector[wanted.neuron] < 0 else 1)
        if wanted.mask is None or wanted.mask[row]:
            scored[row] = total
    return scored


def by_hand(
    array: NDArray[Any], wanted: Wanted, sentences: NDArray[Any]
) -> list[tuple[int, float]]:
    """Rows and scores, the best first."""
    scored = scores_by_hand(array, wanted)
    seen, kept_rows = set[int](), []
    for row, total in sorted(scored.items(), key=lambda each: (-each[1], each[0])):
        if not wanted.one_each or sentences[row] not in seen:
            kept_rows.append((row, total))
            seen.add(int(sentences[row]))
    best = kept_rows[: wanted.count]
    return [one for one in best if wanted.least is None or one[1] >= wanted.least]


def check(found: Nearest, array: NDArray[Any], wanted: Wanted, sentences: NDArray[Any]) -> None:
    expected = by_hand(array, wanted, sentences)
    sign = -1 if wanted.neuron is not None and wanted.vector[wanted.neuron] < 0 else 1
    np.testing.assert_allclose(
        found.scores * sign, [score for _, score in expected], rtol=1e-9, atol=1e-12
    )
    assert found.exact
    assert found.recall is None
    scored = scores_by_hand(array, wanted)
    for row, (_, score) in zip(found.rows.tolist(), expected, strict=True):
        assert abs(scored[row] - score) <= 1e-12 * (1 + abs(score)), row  # equal ones in any order
    assert len(set(found.rows.tolist())) == len(expected)
    if wanted.one_each:
        assert len(set(sentences[found.rows].tolist())) == len(expected)


def planted(rows: int = 4000, width: int = 32) -> NDArray[np.float16]:
    """Vectors around centres, as hidden states are."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((80, width))
    spread = random.standard_normal((rows, width)) * 0.3
    return (centres[random.integers(0, 80, rows)] + spread).astype(np.float16)


def wanted_of(array: NDArray[Any], row: int = 17, **choices: Any) -> Wanted:
    return Wanted(array[row].astype(np.float32), **{"count": 10, **choices})
