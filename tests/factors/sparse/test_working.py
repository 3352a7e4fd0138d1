"""Codes over working sets: against two other algorithms, the conditions, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from flowviz.errors import RequestError
from flowviz.factors.sparse import working
from flowviz.factors.sparse.fista import sparse_codes
from flowviz.factors.sparse.working import codes_of
from tests.factors.planted import Planted
from tests.factors.sparse.test_fista import by_coordinates


@pytest.mark.parametrize(("factors", "width"), [(12, 24), (24, 24), (96, 24)])
def test_codes_are_those_of_two_other_solvers(factors: int, width: int) -> None:
    planted = Planted(factors, width, 3)
    atoms = planted.atoms.double()
    vectors = planted.batch(8, noise=0.05).double()
    found = codes_of(vectors, atoms, 0.1, tolerance=1e-9)
    for vector, codes in zip(vectors, found.values, strict=True):
        np.testing.assert_allclose(codes.numpy(), by_coordinates(vector, atoms, 0.1), atol=1e-6)
    fista = sparse_codes(vectors, atoms, 0.1, tolerance=1e-9, most_steps=20_000)
    torch.testing.assert_close(found.values, fista.values, atol=1e-6, rtol=0)
    assert float(found.violation.max()) <= 1e-10
    assert found.steps < working.MOST_ROUNDS


def test_one_atom_by_hand() -> None:
    atoms = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    found = codes_of(torch.tensor([[3.0, -2.0], [0.5, 0.05]]), atoms, 0.1, tolerance=1e-6)
    torch.testing.assert_close(found.values, torch.tensor([[2.9, 0.0], [0.4, 0.0]]))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.01, 2.0), st.sampled_from([5, 10, 40]))
def test_optimality_is_what_it_says(seed: int, penalty: float, width: int) -> None:
    random = torch.Generator().manual_seed(seed)
    atoms = normalize(torch.randn(30, width, generator=random, dtype=torch.float64), dim=1)
    vectors = torch.randn(6, width, generator=random, dtype=torch.float64)
    found = codes_of(vectors, atoms, penalty, tolerance=1e-6)
    gradient = (found.values @ atoms - vectors) @ atoms.T + penalty
    assert (found.values >= 0).all()
    assert (gradient >= -1e-6 * penalty - 1e-12).all()
    assert ((gradient * (found.values > 0)).abs() <= 1e-6 * penalty + 1e-12).all()


def test_atoms_that_are_the_same_share_and_reconstruct_alike() -> None:
    planted = Planted(20, 16, 3)
    atoms, vectors = planted.atoms, planted.batch(50)
    twice = torch.cat([atoms, atoms, normalize(atoms + 1e-6, dim=1)])
    once = codes_of(vectors, atoms, 0.1, tolerance=1e-3)
    found = codes_of(vectors, twice, 0.1, tolerance=1e-3)
    assert float(found.violation.max()) <= 1e-3 * 0.1
    torch.testing.assert_close(found.values @ twice, once.values @ atoms, atol=1e-3, rtol=0)


def test_a_row_alone_has_the_codes_that_it_has_in_a_batch() -> None:
    planted = Planted(64, 16, 3)
    vectors = planted.batch(300)
    together = codes_of(vectors, planted.atoms, 0.1).values
    alone = codes_of(vectors[7:8], planted.atoms, 0.1).values
    torch.testing.assert_close(together[7:8], alone, atol=1e-4, rtol=0)


def test_a_good_start_takes_fewer_rounds_to_the_same_codes() -> None:
    planted = Planted(64, 16, 3)
    vectors = planted.batch(20)
    first = codes_of(vectors, planted.atoms, 0.02)
    again = codes_of(vectors, planted.atoms, 0.02, start=first.values)
    assert again.steps < first.steps
    torch.testing.assert_close(again.values, first.values, atol=1e-3, rtol=0)


def test_what_is_not_done_in_time_is_handed_to_fista(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = Planted(96, 24, 6)
    vectors = planted.batch(20)
    wanted = codes_of(vectors, planted.atoms, 0.02)
    monkeypatch.setattr(working, "MOST_ROUNDS", 1)
    found = codes_of(vectors, planted.atoms, 0.02)
    assert found.steps > 1
    assert float(found.violation.max()) <= 1e-4 * 0.02
    torch.testing.assert_close(found.values, wanted.values, atol=1e-3, rtol=0)


def test_none_is_no_row() -> None:
    assert codes_of(torch.zeros(0, 2), torch.eye(2), 0.1).values.shape == (0, 2)
    nothing = codes_of(torch.zeros(3, 2), torch.eye(2), 0.1)
    assert not nothing.values.any()


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_none_is_refused(penalty: float) -> None:
    with pytest.raises(RequestError, match="penalty"):
        codes_of(torch.ones(1, 2), torch.eye(2), penalty)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(RequestError, match="NaN"):
        codes_of(torch.tensor([[1.0, torch.nan]]), torch.eye(2), 0.1)
