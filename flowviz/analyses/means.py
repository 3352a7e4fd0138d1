"""Means and deviations of figures that come in one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.analyses.types import Series


class Means:
    """Figures at places 0, 1, …: their sum, the sum of their squares, and how many there are."""

    def __init__(self, places: int) -> None:
        self._sums = torch.zeros(3, places, dtype=torch.float64, device="cpu")

    def add(self, places: Int[Tensor, " n"], figures: Float[Tensor, " n"]) -> None:
        """Takes one figure at each of these places; a place may come several times."""
        figures = figures.cpu().double()
        added = torch.stack([torch.ones_like(figures), figures, figures**2])
        self._sums.index_add_(1, places.cpu(), added)

    @property
    def count(self) -> tuple[int, ...]:
        """How many figures there are at each place."""
        return tuple(int(count) for count in self._sums[0].tolist())

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean at each place; NaN where there is no figure."""
        return tuple((self._sums[1] / self._sums[0]).tolist())

    @property
    def deviation(self) -> tuple[float, ...]:
        """The standard deviation at each place; NaN where there is no figure."""
        count, total, squares = self._sums
        return tuple(((squares / count - (total / count) ** 2).clamp(min=0).sqrt()).tolist())

    def series(self, name: str, title: str, x: Sequence[int]) -> Series:
        """One line of a plot, from the places that have figures."""
        rows = zip(x, self.mean, self.deviation, self.count, strict=True)
        there = [row for row in rows if row[3]]
        columns = tuple(zip(*there, strict=True)) if there else ((), (), (), ())
        return Series(name, title, *columns)
