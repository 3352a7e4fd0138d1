"""A dictionary, and what a vector is in it: plain frozen values.

    x = offset + Σ_f a_f d_f + error

`d_f` are the rows of `atoms`, of length 1; every scale that a method has of its own (Yun et al.
leave vectors as they are; published autoencoders divide by a norm, subtract a mean) is put into the
encoder, the offset and the activations when a dictionary is made or loaded, so that nobody behind
this needs to know of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.kinds import Site
from flowviz.factors.kinds import Method


@dataclass(frozen=True)
class About:
    """What a dictionary says of itself: its card.

    Args:
        sites: on whose vectors it was learned, pooled where there are several.
        identity: of the model and tokenizer, as `Reader.identity`; "" where nobody says (of a
            published one), and then only the width can be checked.
        explained: the share of variance that reconstructions explain, on held-out vectors.
        l0: how many factors a vector has, in the mean.
        dead: how many factors were never active on them.
        recovered: (ablated - spliced) / (ablated - clean): the share of the loss that is kept when
            the model runs on the reconstruction, against the site set to its mean.
    """

    name: str
    model: str
    identity: str
    method: Method
    sites: tuple[Site, ...]
    factors: int
    width: int
    corpus: str = ""
    tokens: int = 0
    steps: int = 0
    seed: int = 0
    explained: float | None = None
    l0: float | None = None
    dead: int | None = None
    recovered: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sparse:
    """The active factors of some vectors: row by row, the strongest first.

    Args:
        starts: where each row begins in the other two, and the end of the last: [rows + 1].
        factors: int32; activations: float32, above 0.
    """

    starts: NDArray[np.int64]
    factors: NDArray[np.int32]
    activations: NDArray[np.float32]

    @property
    def rows(self) -> int:
        """How many vectors."""
        return len(self.starts) - 1

    def row(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The factors of one vector, and how strong they are."""
        own = slice(int(self.starts[number]), int(self.starts[number + 1]))
        return self.factors[own], self.activations[own]


@dataclass(frozen=True, eq=False)
class Split:
    """One vector in its factors: offset + Σ part + error = the vector, to rounding.

    Args:
        factors: the active ones, the strongest first.
        activations: a_f; the part of a factor is a_f d_f.
        error: what no factor holds, [d_model].
        explained: 1 - |error|² / |vector - offset|².
    """

    factors: tuple[int, ...]
    activations: tuple[float, ...]
    offset: NDArray[np.float32]
    error: NDArray[np.float32]
    explained: float


@runtime_checkable
class Dictionary(Protocol):
    """A dictionary in memory, whatever its method."""

    @property
    def about(self) -> About:
        """Its card."""
        ...

    @property
    def atoms(self) -> NDArray[np.float32]:
        """The directions, rows of length 1: [factors, width]."""
        ...

    @property
    def offset(self) -> NDArray[np.float32]:
        """What is there without any factor: [width]."""
        ...

    def encode(self, vectors: NDArray[np.float32]) -> Sparse:
        """The factors of many vectors at once, [rows, width]."""
        ...

    def split(self, vectors: NDArray[np.float32]) -> list[Split]:
        """Each vector as a sum; see `Split`."""
        ...


@dataclass(frozen=True)
class Measured:
    """What one step of learning, or a pass over held-out vectors, said.

    Args:
        loss: the method's objective, a vector, in units of the vectors.
    """

    step: int
    loss: float
    explained: float
    l0: float
    dead: int = 0
