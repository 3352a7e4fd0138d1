"""Dictionaries of every method: sums are the vectors, activations are what the method says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from flowviz.errors import RequestError
from flowviz.factors.dictionary import loaded
from flowviz.factors.dictionary.encoders import Autoencoder
from flowviz.factors.kinds import Method
from flowviz.factors.types import Dictionary
from tests.factors.dictionary.made import FACTORS, WIDTH, made


def vectors(rows: int = 7, seed: int = 3) -> NDArray[np.float32]:
    return 2 * np.random.default_rng(seed).standard_normal((rows, WIDTH), np.float32)


@pytest.mark.parametrize("method", Method)
def test_factors_and_error_are_the_vector(method: Method) -> None:
    dictionary, given = made(method), vectors()
    assert isinstance(dictionary, Dictionary)
    np.testing.assert_allclose(np.linalg.norm(dictionary.atoms, axis=1), 1, rtol=1e-6)
    for vector, split in zip(given, dictionary.split(given), strict=True):
        parts = np.array(split.activations)[:, None] * dictionary.atoms[list(split.factors)]
        np.testing.assert_allclose(split.offset + parts.sum(0) + split.error, vector, atol=1e-5)
        assert list(split.activations) == sorted(split.activations, reverse=True)
        assert min(split.activations, default=1.0) > 0
        size = np.square(vector - split.offset).sum()
        assert split.explained == pytest.approx(1 - np.square(split.error).sum() / size, abs=1e-5)


@pytest.mark.parametrize("method", [Method.RELU, Method.JUMPRELU, Method.TOPK])
def test_an_autoencoders_activations_by_hand(method: Method) -> None:
    dictionary, given = made(method), vectors()
    encoder = dictionary.encoder
    assert isinstance(encoder, Autoencoder)
    sparse = dictionary.encode(given)
    for row, vector in enumerate(given):
        before = (vector - encoder.centre.numpy()) @ encoder.weights.numpy() + encoder.bias.numpy()
        if method is Method.JUMPRELU:
            expected = np.where(before > 0.7, before, 0)
        else:
            expected = np.maximum(before, 0)
        if method is Method.TOPK:
            expected[np.argsort(-expected)[5:]] = 0
        found = np.zeros(FACTORS)
        factors, activations = sparse.row(row)
        found[factors] = activations
        np.testing.assert_allclose(found, expected * encoder.lengths.numpy(), atol=1e-5)


def test_the_k_largest_may_be_by_what_they_add() -> None:
    dictionary = made(Method.TOPK, k=1)
    encoder = dictionary.encoder
    assert isinstance(encoder, Autoencoder)
    before = torch.zeros(1, FACTORS)
    before[0, 3], before[0, 9] = 1.0, 0.9
    lengths = torch.ones(FACTORS)
    lengths[9] = 2.0
    for by_length, kept in ((False, 3), (True, 9)):
        one = Autoencoder(Method.TOPK, encoder.weights, encoder.bias, lengths, encoder.centre,
                          k=1, by_length=by_length)  # fmt: skip
        assert one._active(before).nonzero().tolist() == [[0, kept]]


@pytest.mark.parametrize("method", Method)
def test_pieces_give_what_the_whole_gives(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    dictionary, given = made(method), vectors(9)
    whole = dictionary.encode(given)
    monkeypatch.setattr(loaded, "AT_ONCE", 2 * FACTORS)
    pieces = dictionary.encode(given)
    assert pieces.rows == 9
    np.testing.assert_array_equal(pieces.starts, whole.starts)
    np.testing.assert_array_equal(pieces.factors, whole.factors)
    np.testing.assert_allclose(pieces.activations, whole.activations, atol=1e-3)


def test_no_vectors_have_no_factors() -> None:
    assert made(Method.TOPK).encode(vectors(0)).rows == 0
    assert made(Method.CODING).split(vectors(0)) == []


def test_vectors_of_another_width_are_refused() -> None:
    with pytest.raises(RequestError, match="16"):
        made(Method.RELU).encode(np.zeros((2, 8), np.float32))
