"""What training asks of a method: one step, all that the next one depends on, and what was found.

A learner sees vectors less their offset and over their scale (`Pool`); what it gives is in units of
the vectors themselves:

    coding     x ≈ offset + Σ a d        with the penalty times the scale
    topk       x ≈ offset + scale (b + Σ a w)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from flowviz.errors import RequestError
from flowviz.factors.dictionary.encoders import Autoencoder, Coder
from flowviz.factors.kinds import Method
from flowviz.factors.learn.settings import LearnSettings
from flowviz.factors.sparse.coding import PATIENCE, Coding
from flowviz.factors.types import Measured


@dataclass(frozen=True, eq=False)
class Learned:
    """The parts of a dictionary, on the CPU, in units of the vectors."""

    encoder: Coder | Autoencoder
    atoms: Float[Tensor, "factor width"]
    offset: Float[Tensor, " width"]


@runtime_checkable
class Learner(Protocol):
    """A dictionary while it is learned."""

    def learn(self, vectors: Float[Tensor, "batch width"]) -> Measured:
        """One step on one batch."""
        ...

    def state(self) -> dict[str, Tensor]:
        """All that further steps depend on, besides the settings."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from such a state. Raises KeyError or ValueError where it is none."""
        ...

    def learned(self, offset: Float[Tensor, " width"], scale: float) -> Learned:
        """What was found, where vectors were less this offset and over this scale."""
        ...


class CodingLearner:
    """Sparse coding (`coding.py`), which begins with vectors of the first batch as atoms."""

    TENSORS = ("atoms", "usage", "unused")

    def __init__(
        self, settings: LearnSettings, width: int, device: str, begin: Callable[[int], Tensor]
    ) -> None:
        first = begin(settings.factors).to(device)
        noise = torch.Generator().manual_seed(settings.seed)
        # a little apart, for equal vectors would stay equal atoms
        apart = 0.1 * normalize(torch.randn(len(first), width, generator=noise), dim=1)
        self._coding = Coding(normalize(first, dim=1) + apart.to(device), settings.penalty)
        self._device = device

    def learn(self, vectors: Float[Tensor, "batch width"]) -> Measured:
        """See `Learner`."""
        told = self._coding.learn(vectors.to(self._device))
        dead = int((self._coding.unused >= PATIENCE // 2).sum())
        return Measured(self._coding.seen, told.loss, told.explained, told.l0, dead)

    def state(self) -> dict[str, Tensor]:
        """See `Learner`."""
        tensors = {name: getattr(self._coding, name) for name in self.TENSORS}
        return tensors | {"seen": torch.tensor(self._coding.seen)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """See `Learner`."""
        for name in self.TENSORS:
            setattr(self._coding, name, fitting(name, state, getattr(self._coding, name)))
        self._coding.seen = int(state["seen"])

    def learned(self, offset: Float[Tensor, " width"], scale: float) -> Learned:
        """See `Learner`."""
        atoms = self._coding.atoms.detach().cpu()
        return Learned(Coder(atoms, offset, self._coding.penalty * scale), atoms, offset)


def fitting(name: str, state: Mapping[str, Tensor], like: Tensor) -> Tensor:
    """A tensor of a state, in the place of one. Raises KeyError or ValueError."""
    found = state[name]
    if found.shape != like.shape or found.dtype != like.dtype:
        raise ValueError(f"{name} of shape {tuple(like.shape)}")
    return found.to(like.device, copy=True)


def begin_learner(
    settings: LearnSettings, width: int, device: str, begin: Callable[[int], Tensor]
) -> Learner:
    """The learner of a method.

    Args:
        begin: gives so many vectors of the pool, for a method that begins with some.

    Raises:
        RequestError: the method's library is not installed, or cannot learn this.
    """
    if settings.method is Method.CODING:
        return CodingLearner(settings, width, device, begin)
    try:
        from flowviz.factors.learn.topk import TopKLearner
    except ImportError as error:
        raise RequestError(
            f"Autoencoders are learned with sparsify, which is not there ({error}). Install it: "
            "pip install eai-sparsify==1.3.3; or choose --method coding."
        ) from None
    return TopKLearner(settings, width, device)
