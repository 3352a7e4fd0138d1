"""Which texts are read together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowviz.contexts.together import together


@given(
    st.lists(st.integers(0, 50), max_size=60), st.integers(0, 200), st.none() | st.integers(1, 9)
)
def test_every_text_is_read_once_within_the_budget(lengths, budget, most):
    found = list(together(lengths, budget, most))
    assert sorted(i for batch in found for i in batch) == [
        i for i, length in enumerate(lengths) if length
    ]
    for batch in found:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
        assert most is None or len(batch) <= most
    inward = [lengths[i] for batch in found for i in batch]
    assert inward == sorted(inward)


@pytest.mark.parametrize("kind", [list, np.array])
def test_like_lengths_stand_together_in_their_order(kind):
    assert list(together(kind([5, 2, 0, 2, 5, 9]), 10)) == [[1, 3], [0, 4], [5]]
    assert list(together(kind([3, 3, 3]), 100, 2)) == [[0, 1], [2]]
    assert list(together([], 100)) == []
