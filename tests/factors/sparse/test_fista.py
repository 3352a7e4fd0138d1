"""Sparse codes: against another algorithm, the optimality conditions, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from flowviz.errors import RequestError
from flowviz.factors.sparse.fista import sparse_codes
from tests.factors.planted import Planted


def by_coordinates(vector: Tensor, atoms: Tensor, penalty: float, rounds: int = 3000) -> np.ndarray:
    """The same problem, solved one factor at a time until nothing moves (coordinate descent)."""
    gram, target = (atoms @ atoms.T).numpy(), (atoms @ vector).numpy()
    codes = np.zeros(len(target))
    for _ in range(rounds):
        before = codes.copy()
        for j in range(len(codes)):
            rest = target[j] - gram[j] @ codes + gram[j, j] * codes[j]
            codes[j] = max(0.0, (rest - penalty) / gram[j, j])
        if np.abs(codes - before).max() < 1e-14:
            break
    return codes


@pytest.mark.parametrize(("factors", "width"), [(12, 24), (24, 24), (96, 24)])
def test_codes_are_those_of_an_independent_solver(factors: int, width: int) -> None:
    planted = Planted(factors, width, 3)
    atoms = planted.atoms.double()
    vectors = planted.batch(8, noise=0.05).double()
    found = sparse_codes(vectors, atoms, 0.1, tolerance=1e-9, most_steps=20_000)
    for vector, codes in zip(vectors, found.values, strict=True):
        np.testing.assert_allclose(codes.numpy(), by_coordinates(vector, atoms, 0.1), atol=1e-6)
    assert float(found.violation.max()) <= 1e-10


def test_one_atom_by_hand() -> None:
    atoms = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    found = sparse_codes(torch.tensor([[3.0, -2.0], [0.5, 0.05]]), atoms, 0.1, tolerance=1e-6)
    torch.testing.assert_close(found.values, torch.tensor([[2.9, 0.0], [0.4, 0.0]]))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.01, 2.0))
def test_optimality_is_what_it_says(seed: int, penalty: float) -> None:
    random = torch.Generator().manual_seed(seed)
    atoms = normalize(torch.randn(30, 10, generator=random, dtype=torch.float64), dim=1)
    vectors = torch.randn(6, 10, generator=random, dtype=torch.float64)
    found = sparse_codes(vectors, atoms, penalty, tolerance=1e-6, most_steps=5000)
    gradient = (found.values @ atoms - vectors) @ atoms.T + penalty
    assert (found.values >= 0).all()
    assert (gradient >= -1e-6 * penalty - 1e-12).all()
    assert ((gradient * (found.values > 0)).abs() <= 1e-6 * penalty + 1e-12).all()


def test_a_row_alone_has_the_codes_that_it_has_in_a_batch() -> None:
    planted = Planted(64, 16, 3)
    vectors = planted.batch(20)
    together = sparse_codes(vectors, planted.atoms, 0.1, tolerance=1e-3).values
    alone = sparse_codes(vectors[7:8], planted.atoms, 0.1, tolerance=1e-3).values
    torch.testing.assert_close(together[7:8], alone, atol=1e-3, rtol=0)


def test_a_good_start_takes_fewer_steps_to_the_same_codes() -> None:
    planted = Planted(64, 16, 3)
    vectors = planted.batch(20)
    first = sparse_codes(vectors, planted.atoms, 0.1)
    again = sparse_codes(vectors, planted.atoms, 0.1, start=first.values)
    assert again.steps < first.steps
    torch.testing.assert_close(again.values, first.values, atol=1e-3, rtol=0)


def test_what_does_not_suffice_says_so() -> None:
    planted = Planted(96, 16, 8)
    found = sparse_codes(planted.batch(20), planted.atoms, 0.01, tolerance=1e-6, most_steps=10)
    assert found.steps == 10
    assert float(found.violation.max()) > 1e-8


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_none_is_refused(penalty: float) -> None:
    with pytest.raises(RequestError, match="penalty"):
        sparse_codes(torch.ones(1, 2), torch.eye(2), penalty)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(RequestError, match="NaN"):
        sparse_codes(torch.tensor([[1.0, torch.nan]]), torch.eye(2), 0.1)
