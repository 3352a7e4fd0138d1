"""A dictionary that is learned: planted directions come back, unused atoms are put to use."""

from __future__ import annotations

import torch

from flowviz.factors.sparse.coding import PATIENCE, Coding
from tests.factors.planted import Planted


def learned(planted: Planted, batches: int) -> Coding:
    factors, width = planted.atoms.shape
    coding = Coding.begin(factors, width, 0.1, torch.Generator().manual_seed(0))
    for _ in range(batches):
        coding.learn(planted.batch(256))
    return coding


def test_planted_directions_are_recovered() -> None:
    planted = Planted(96, 48, 4)
    coding = learned(planted, 120)
    assert float((planted.found(coding.atoms) >= 0.95).float().mean()) >= 0.95
    said = coding.learn(planted.batch(512))
    assert said.explained > 0.95
    assert 3 < said.l0 < 6


def test_atoms_keep_their_length_and_the_same_seed_gives_the_same() -> None:
    one, two = (learned(Planted(32, 16, 3), 5) for _ in range(2))
    torch.testing.assert_close(one.atoms.norm(dim=1), torch.ones(32))
    assert torch.equal(one.atoms, two.atoms)


def test_an_atom_that_nobody_uses_is_put_where_the_error_is_largest() -> None:
    planted = Planted(16, 8, 2)
    coding = learned(planted, 30)
    coding.unused[3] = PATIENCE
    error = 0.01 * planted.batch(64)
    error[40] = torch.eye(8)[5] * 7
    assert coding._move_unused(error) == 1
    torch.testing.assert_close(coding.atoms[3], torch.eye(8)[5])
    assert float(coding.unused[3]) == 0
    assert float(coding.usage[3]) > 0
    assert coding._move_unused(error) == 0
