"""Attention of one's own: taken as BertViz takes it, or refused plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from flowviz.attention.types import AttentionMaps, Weighting
from flowviz.errors import RequestError

TOKENS = ["the", " cat", " the", " cat", "the"]
N = len(TOKENS)


def heads(layers: int = 2, count: int = 3) -> np.ndarray:
    rows = np.random.default_rng(0).random((layers, count, N, N))
    return rows / rows.sum(-1, keepdims=True)


@pytest.mark.parametrize(
    "given",
    [
        heads(),
        list(heads()),
        tuple(layer[None] for layer in heads()),
        torch.tensor(heads()),
        [torch.tensor(layer[None], requires_grad=True) for layer in heads()],
        heads().tolist(),
    ],
)
def test_arrays_tensors_and_lists_give_the_same_maps(given: Any) -> None:
    maps = AttentionMaps.of(given, TOKENS)
    assert (maps.layers, maps.heads, maps.positions) == (2, 3, N)
    np.testing.assert_allclose(maps.weights, heads(), atol=5e-4)
    assert maps.weights.dtype == np.float16
    assert [token.text for token in maps.tokens] == TOKENS
    assert [token.id for token in maps.tokens] == [0, 1, 2, 1, 0]
    assert (maps.model, maps.target, maps.checks, maps.predictions) == (None, None, None, ())
    assert maps.weighting is Weighting.PATTERN
    np.testing.assert_allclose(maps.row(1, 2, 3), heads()[1, 2, 3], atol=5e-4)


def test_bfloat16_is_taken() -> None:
    maps = AttentionMaps.of(torch.tensor(heads()).bfloat16(), TOKENS)
    np.testing.assert_allclose(maps.weights, heads(), atol=4e-3)


def test_the_finder_reads_them() -> None:
    previous = np.eye(N, k=-1)
    previous[0, 0] = 1
    maps = AttentionMaps.of(previous[None, None], TOKENS)
    assert maps.kinds.scores("previous")[0, 0] == 1
    assert maps.kinds.queries_of("duplicate") == 2


@pytest.mark.parametrize(
    ("given", "tokens", "words"),
    [
        ([], TOKENS, "no layer of attention"),
        (None, TOKENS, "an array for each layer"),
        (3, TOKENS, "an array for each layer"),
        (heads()[0], TOKENS, "Layer 0 has the shape 5 × 5"),
        ([heads()[0], heads()[0, :2]], TOKENS, "Layer 1 has the shape 2 × 5 × 5"),
        (heads(), TOKENS[:4], "should be 3 × 4 × 4"),
        (heads(), "thecat", "a list with the text"),
        (heads(), [1, 2, 3, 4, 5], "a list with the text"),
        (heads() * 9, TOKENS, "behind the softmax"),
        (heads() - 1, TOKENS, "behind the softmax"),
        (np.full((1, 1, N, N), np.nan), TOKENS, "behind the softmax"),
        (np.full((1, 1, N, N), np.inf), TOKENS, "behind the softmax"),
        ([["x"]], TOKENS, "no array of numbers"),
        ([[[[1.0], [1.0, 2.0]]]], TOKENS, "no array of numbers"),
        ([object()], TOKENS, "no array of numbers"),
        (np.zeros((1, 0, N, N)), TOKENS, "no head"),
        (np.zeros((1, 1, 0, 0)), [], "no token"),
    ],
)
def test_what_is_no_attention_is_refused_with_its_shape(
    given: Any, tokens: Any, words: str
) -> None:
    with pytest.raises(RequestError) as error:
        AttentionMaps.of(given, tokens)
    assert words in str(error.value)
