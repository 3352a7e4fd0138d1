"""Non-negative sparse coding, ten times faster: exact solutions over few atoms at a time.

The problem is that of `fista.py`. A vector needs few of the atoms, so it is solved over those:

1. The working set of a vector is the atoms that it has, and the `ADDED` others whose gradient most
   says that they should be among them.
2. Over these the problem is solved exactly: G_S a = D_S x - λ, by Cholesky's factors. Where that
   would make some a negative, either they are set to zero, or the way there ends where the first of
   them is zero: whichever lowers the objective more. Those leave the set, and it is solved anew.
3. With the codes found, the gradient over all atoms is formed. A vector whose optimality conditions
   hold is done; the others begin again at 1.

The objective never rises. What is not done after `MOST_ROUNDS` rounds (atoms that are nearly the
same) is handed to FISTA, which goes on from there.

Source: the active sets of Lawson and Hanson 1974 and of Lee et al. 2007 ("Efficient sparse coding
algorithms", feature-sign search), many vectors at once.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.factors.sparse.fista import Codes, sparse_codes

ADDED = 12  # atoms that a working set gains in a round
MOST_ROUNDS = 30
TURNS = 4  # solutions within a round, each over fewer atoms
MOST_ROWS = 128  # vectors that are solved together: those with as many atoms
MOST_NUMBERS = 2**24  # of the atoms that these gather
RIDGE = {torch.float64: 1e-12}  # added to G_S, so that there is a solution; the rounds take it out


def codes_of(
    vectors: Float[Tensor, "batch d_model"],
    atoms: Float[Tensor, "factor d_model"],
    penalty: float,
    *,
    start: Float[Tensor, "batch factor"] | None = None,
    tolerance: float = 1e-4,
) -> Codes:
    """The codes that minimise the objective at the head of `fista.py`.

    Args:
        penalty, start, tolerance: as `sparse_codes` takes them.

    Raises:
        RequestError: as `sparse_codes`.
    """
    if not penalty > 0:
        raise RequestError(f"The penalty is {penalty}; it takes a number above 0.")
    target = vectors @ atoms.T
    if not (torch.isfinite(atoms).all() and torch.isfinite(target).all()):
        raise RequestError("There is a number that is none (NaN, infinity) among the vectors.")
    values = torch.zeros_like(target) if start is None else start.clamp(min=0.0)
    violation = torch.full_like(target[:, 0], torch.inf)
    rows, codes, rounds = torch.arange(len(vectors), device=vectors.device), values, 0
    gradient = _gradient(codes, atoms, target, penalty)
    while len(rows) and rounds < MOST_ROUNDS:
        codes = _round(codes, gradient, atoms, target[rows] - penalty, tolerance * penalty)
        gradient = _gradient(codes, atoms, target[rows], penalty)
        wrong = torch.where(codes > 0, gradient.abs(), (-gradient).clamp(min=0.0)).amax(1)
        values, violation = values.index_copy(0, rows, codes), violation.index_copy(0, rows, wrong)
        left = wrong > tolerance * penalty
        rows, codes, gradient = rows[left], codes[left], gradient[left]
        rounds += 1
    if not len(rows):
        return Codes(values, violation, rounds)
    rest = sparse_codes(vectors[rows], atoms, penalty, start=codes, tolerance=tolerance)
    return Codes(
        values.index_copy(0, rows, rest.values),
        violation.index_copy(0, rows, rest.violation),
        rounds + rest.steps,
    )


def _gradient(codes: Tensor, atoms: Tensor, target: Tensor, penalty: float) -> Tensor:
    return (codes @ atoms) @ atoms.T - target + penalty


def _round(
    codes: Float[Tensor, "row factor"],
    gradient: Float[Tensor, "row factor"],
    atoms: Float[Tensor, "factor d_model"],
    target: Float[Tensor, "row factor"],
    small: float,
) -> Float[Tensor, "row factor"]:
    """Steps 1 and 2 for all rows.

    Args:
        target: D x - λ.
        small: atoms whose gradient is above minus half of this are not added.
    """
    found, counts = torch.zeros_like(codes), (codes > 0).sum(1)
    for rows in _alike(counts, atoms.shape[1]):
        own = codes[rows]
        size = min(int(counts[rows].max()) + ADDED, len(atoms))
        wish = (-gradient[rows]).masked_fill(own > 0, torch.inf)
        best, chosen = wish.topk(size, dim=1)
        over, most = atoms[chosen], counts[rows, None] + ADDED
        used = (best > small / 2) & (torch.arange(size, device=best.device) < most)
        solved = _solve(over @ over.mT, target[rows].gather(1, chosen), own.gather(1, chosen), used)
        found[rows] = torch.zeros_like(own).scatter(1, chosen, solved)
    return found


def _alike(counts: Int[Tensor, " row"], width: int) -> tuple[Int[Tensor, " some"], ...]:
    """Rows that have about as many atoms, a few together."""
    widest = (int(counts.max()) + ADDED) * width
    return counts.argsort(stable=True).split(max(1, min(MOST_ROWS, MOST_NUMBERS // widest)))


def _solve(
    gram: Float[Tensor, "row own own"],
    target: Float[Tensor, "row own"],
    codes: Float[Tensor, "row own"],
    used: Bool[Tensor, "row own"],
) -> Float[Tensor, "row own"]:
    """Step 2: lowers ½ a G a - t a over a ≥ 0 and the atoms that are used, mostly to the least."""
    for _ in range(TURNS):
        change = _towards(gram, target, codes, used)
        best = codes + change
        share = torch.where((change < 0) & (codes > 0), codes / -change, torch.inf)
        stuck = used & (codes <= 0) & (change < 0)
        way = share.amin(1, keepdim=True).clamp(max=1.0).masked_fill(stuck.any(1, keepdim=True), 0)
        ends = (share <= way) & (way < 1)
        cut, full = (codes + way * change).masked_fill(ends, 0.0).clamp(min=0.0), best.clamp(min=0)
        better = (_objective(gram, target, full) < _objective(gram, target, cut))[:, None]
        negative = used & (best < 0)
        used = used & torch.where(better, best > 0, ~(stuck | ends))
        codes = torch.where(better, full, cut) * used
        if not negative.any():
            break
    return codes


def _towards(gram: Tensor, target: Tensor, codes: Tensor, used: Tensor) -> Tensor:
    """What is added to the codes to solve G a = t over the atoms that are used; zero elsewhere."""
    among = used.to(gram.dtype)
    matrix = gram * among[:, :, None] * among[:, None, :]
    matrix.diagonal(dim1=1, dim2=2).add_(1 - among + RIDGE.get(gram.dtype, 1e-6))
    factor, failed = torch.linalg.cholesky_ex(matrix)
    left = (target - (gram @ codes[:, :, None])[:, :, 0]) * among
    found = torch.cholesky_solve(left[:, :, None], factor)[:, :, 0] * among
    return found.masked_fill((failed != 0)[:, None], 0.0)


def _objective(gram: Tensor, target: Tensor, codes: Tensor) -> Float[Tensor, " row"]:
    return (codes * (0.5 * (gram @ codes[:, :, None])[:, :, 0] - target)).sum(1)
