"""Which texts are read together: those of like length, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def together(
    lengths: Sequence[int] | NDArray[np.int64], budget: int, most: int | None = None
) -> Iterator[list[int]]:
    """The numbers of texts from short to long, as many at once as stay in a budget of tokens when
    they are padded to the longest; at least one, at most `most`. Empty texts are left out."""
    batch = list[int]()
    for number in np.argsort(lengths, kind="stable").tolist():
        if not lengths[number]:
            continue
        if batch and (len(batch) == most or (len(batch) + 1) * lengths[number] > budget):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
