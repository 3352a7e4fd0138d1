"""Non-negative sparse coding of many vectors at once, by FISTA.

For a dictionary D of unit rows and a batch X, the codes A are sought that minimise, row by row,

    ½ ‖x - a D‖² + λ Σ_f a_f        over a ≥ 0

1. A step goes against the gradient g = (a D - x) D^T + λ, by 1 / L, L being the largest eigenvalue
   of D D^T, and what falls below zero is set to zero (proximal gradient).
2. The next step starts from a point beyond, in the direction of the last change (Beck and
   Teboulle 2009); where that change turns against the gradient, the momentum is dropped, row by row
   (adaptive restart, O'Donoghue and Candès 2015).
3. A row is done when its optimality conditions hold to the tolerance: g_f ≥ -ε where a_f = 0, and
   |g_f| ≤ ε where a_f > 0. Rows that are done leave the batch.

A step costs one product with D D^T, or one with D and one with D^T where these are smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.errors import RequestError

MOST_STEPS = 1000
CHECKED_EVERY = 10  # steps
POWER_STEPS = 50
ABOVE = 1.01  # how far the step's bound lies above the eigenvalue, which is found from below


@dataclass(frozen=True, eq=False)
class Codes:
    """What a batch is made of.

    Args:
        values: how much of each atom, at least 0.
        violation: how far each row's optimality conditions are from being met, in units of the
            gradient; at most the tolerance, or the steps did not suffice.
        steps: that were taken.
    """

    values: Float[Tensor, "batch factor"]
    violation: Float[Tensor, " batch"]
    steps: int


def sparse_codes(
    vectors: Float[Tensor, "batch d_model"],
    atoms: Float[Tensor, "factor d_model"],
    penalty: float,
    *,
    start: Float[Tensor, "batch factor"] | None = None,
    tolerance: float = 1e-4,
    most_steps: int = MOST_STEPS,
) -> Codes:
    """The codes that minimise the objective at the head of this module.

    Args:
        penalty: λ, in units of the vectors.
        start: codes to begin with, of the same batch with an older dictionary; zero where none are.
        tolerance: ε, as a share of λ.

    Raises:
        RequestError: the penalty is not above zero, or there is a number that is none.
    """
    if not penalty > 0:
        raise RequestError(f"The penalty is {penalty}; it takes a number above 0.")
    target, through = vectors @ atoms.T, _Gram(atoms)
    if not (torch.isfinite(atoms).all() and torch.isfinite(target).all()):
        raise RequestError("There is a number that is none (NaN, infinity) among the vectors.")
    step = 1.0 / (ABOVE * largest_eigenvalue(through))
    values = torch.zeros_like(target) if start is None else start.clamp(min=0.0)
    violation = torch.full_like(target[:, 0], torch.inf)
    rows, steps = torch.arange(len(vectors), device=vectors.device), 0
    state = _State.at(values)
    while len(rows) and steps < most_steps:
        wanted = target[rows] - penalty
        for _ in range(min(CHECKED_EVERY, most_steps - steps)):
            state.advance(through, wanted, step)
            steps += 1
        wrong = violations(state.codes, through, wanted)
        values[rows], violation[rows] = state.codes, wrong
        left = wrong > tolerance * penalty
        rows, state = rows[left], state.only(left)
    return Codes(values, violation, steps)


@dataclass(eq=False)
class _State:
    """The codes of the rows that are not done, and the point from which the next step starts."""

    codes: Float[Tensor, "row factor"]
    ahead: Float[Tensor, "row factor"]
    momentum: Float[Tensor, "row 1"]

    @classmethod
    def at(cls, codes: Tensor) -> _State:
        return cls(codes, codes, torch.ones_like(codes[:, :1]))

    def only(self, rows: Tensor) -> _State:
        return _State(self.codes[rows], self.ahead[rows], self.momentum[rows])

    def advance(self, through: _Gram, wanted: Tensor, step: float) -> None:
        """One step; wanted: X D^T - λ. Few passes over memory, which takes as long as products."""
        gradient = through(self.ahead).sub_(wanted)
        codes = torch.sub(self.ahead, gradient, alpha=step).clamp_(min=0.0)
        change = codes - self.codes
        back = torch.sub(self.ahead, codes, out=gradient).mul_(change)
        turned = back.sum(1, keepdim=True) > 0
        momentum = torch.where(turned, torch.ones_like(self.momentum), self.momentum)
        following = (1 + torch.sqrt(1 + 4 * momentum**2)) / 2
        beyond = torch.where(turned, 0.0, (momentum - 1) / following)
        self.ahead = torch.addcmul(codes, change, beyond, out=change)
        self.codes, self.momentum = codes, following


def violations(
    codes: Float[Tensor, "row factor"], through: _Gram, wanted: Float[Tensor, "row factor"]
) -> Float[Tensor, " row"]:
    """How far each row is from its optimality conditions: the largest of all its factors.

    Args:
        wanted: X D^T - λ.
    """
    gradient = through(codes).sub_(wanted)
    wrong = torch.where(codes > 0, gradient.abs(), (-gradient).clamp(min=0.0))
    return wrong.amax(1)


class _Gram:
    """Multiplies codes with D D^T, by whichever product is smaller."""

    def __init__(self, atoms: Float[Tensor, "factor d_model"]) -> None:
        self.atoms = atoms
        self.gram = atoms @ atoms.T if len(atoms) <= 2 * atoms.shape[1] else None

    def __call__(self, codes: Float[Tensor, "row factor"]) -> Float[Tensor, "row factor"]:
        return (codes @ self.atoms) @ self.atoms.T if self.gram is None else codes @ self.gram


def largest_eigenvalue(through: _Gram) -> float:
    """Of D D^T, from below, by power iteration."""
    atoms = through.atoms
    vector = torch.linspace(0.5, 1.0, len(atoms), dtype=atoms.dtype, device=atoms.device)[None]
    length = vector.norm()
    for _ in range(POWER_STEPS):
        vector = through(vector / length)
        length = vector.norm()
        if not length > 0:
            break
    return max(float(length), 1e-30)
