"""Attention averaged over prompts: position by position, each prompt where it has the position."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flowviz.attention.average import mean_maps
from flowviz.attention.types import AttentionMaps, Column, Part, Weighting
from flowviz.errors import RequestError

LONG = np.array([[[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]]])
SHORT = np.array([[[1, 0], [0, 1]]])


def maps(array: np.ndarray, *tokens: str) -> AttentionMaps:
    return AttentionMaps.of([array], tokens)


def test_a_row_is_the_mean_over_the_prompts_that_reach_it() -> None:
    found = mean_maps([maps(LONG, "The", " cat", " sat"), maps(SHORT, "The", " dog")])
    np.testing.assert_array_equal(
        found.weights[0, 0], [[1, 0, 0], [0.25, 0.75, 0], [0.25, 0.25, 0.5]]
    )
    assert [token.text for token in found.tokens] == ["The", "pos 1", " sat"]
    assert "over 2 prompts" in found.notes[-1]
    assert "1 of them reach" in found.notes[-1]


def test_positions_that_less_than_half_of_the_prompts_reach_are_left_out() -> None:
    short = maps(SHORT, "The", " dog")
    found = mean_maps([short, maps(LONG, "The", " cat", " sat"), short])
    np.testing.assert_allclose(found.weights[0, 0], [[1, 0], [1 / 6, 5 / 6]], atol=1e-3)
    assert found.positions == len(found.keys) == 2


def test_the_finder_still_counts_every_position() -> None:
    one, two = maps(LONG, "The", " cat", " sat"), maps(SHORT, "The", " dog")
    found, both = mean_maps([one, two]).kinds, one.kinds + two.kinds
    np.testing.assert_array_equal(found.mass, both.mass)
    np.testing.assert_array_equal(found.queries, both.queries)


def test_a_position_is_special_where_it_is_so_in_every_prompt() -> None:
    first, second = maps(LONG, "[CLS]", " a", "[SEP]"), maps(SHORT, "[CLS]", "[SEP]")
    first = replace(first, queries=replace(first.queries, special=(0, 2)))
    second = replace(second, queries=replace(second.queries, special=(0, 1)))
    assert mean_maps([first, second]).queries.special == (0, 2)


def test_sources_of_their_own_are_averaged_beside_the_queries() -> None:
    own = Column(maps(SHORT, "x", "y").tokens)
    cross = replace(maps(SHORT, "a", "b"), sources=own, part=Part.CROSS)
    found = mean_maps([cross])
    assert found.sources is not None
    assert [token.text for token in found.keys.tokens] == ["x", "y"]
    assert found.part is Part.CROSS


def test_flows_and_nothing_have_no_mean() -> None:
    flow = replace(maps(SHORT, "a", "b"), weighting=Weighting.FLOW)
    with pytest.raises(RequestError, match="Choose pattern or norm"):
        mean_maps([flow])
    with pytest.raises(RequestError, match="no prompts to average"):
        mean_maps([])
