"""A dictionary in memory: vectors in, sparse sums out. See `Dictionary` for the laws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.factors.dictionary.encoders import Autoencoder, Coder
from flowviz.factors.types import About, Sparse, Split

AT_ONCE = 2**22  # numbers of the matrix of activations that is held at once


@dataclass(frozen=True, eq=False)
class LoadedDictionary:
    """See `Dictionary`.

    Args:
        encoder: gives activations of unit atoms.
        directions: the atoms; base: the offset.
    """

    about: About
    encoder: Coder | Autoencoder
    directions: Float[Tensor, "factor width"]
    base: Float[Tensor, " width"]

    @property
    def atoms(self) -> NDArray[np.float32]:
        """See `Dictionary`."""
        return self.directions.numpy()

    @property
    def offset(self) -> NDArray[np.float32]:
        """See `Dictionary`."""
        return self.base.numpy()

    @property
    def bytes(self) -> int:
        """What its weights take in memory."""
        parts = [*vars(self).values(), *vars(self.encoder).values()]
        held = {id(part): part for part in parts if isinstance(part, Tensor)}
        return sum(part.numel() * part.element_size() for part in held.values())

    def encode(self, vectors: NDArray[np.float32]) -> Sparse:
        """The factors of many vectors. Raises RequestError for vectors of another width."""
        found = [_sparse(self._dense(some)) for some in self._pieces(vectors)]
        lengths = np.concatenate([[0], *(np.diff(one.starts) for one in found)])
        return Sparse(
            np.cumsum(lengths, dtype=np.int64),
            np.concatenate([np.empty(0, np.int32), *(one.factors for one in found)]),
            np.concatenate([np.empty(0, np.float32), *(one.activations for one in found)]),
        )

    def split(self, vectors: NDArray[np.float32]) -> list[Split]:
        """Each vector as a sum. Raises RequestError as `encode`."""
        found = list[Split]()
        for some in self._pieces(vectors):
            dense = self._dense(some)
            errors = some - self.base - dense @ self.directions
            sizes = (some - self.base).square().sum(1)
            explained = 1 - errors.square().sum(1) / sizes.clamp(min=1e-30)
            sparse = _sparse(dense)
            for row in range(len(some)):
                factors, activations = sparse.row(row)
                found.append(
                    Split(
                        tuple(factors.tolist()), tuple(activations.tolist()), self.offset,
                        errors[row].numpy(), float(explained[row]),
                    )
                )  # fmt: skip
        return found

    def _dense(self, vectors: Float[Tensor, "row width"]) -> Float[Tensor, "row factor"]:
        with torch.inference_mode():
            return self.encoder(vectors)

    def _pieces(self, vectors: NDArray[np.float32]) -> tuple[Tensor, ...]:
        if vectors.ndim != 2 or vectors.shape[1] != self.about.width:
            raise RequestError(
                f"The vectors have {vectors.shape[-1]:,} numbers each, and those of the dictionary "
                f"{self.about.name} {self.about.width:,}: it is another model's, or another site's."
            )
        rows = max(1, AT_ONCE // self.about.factors)
        return torch.from_numpy(np.ascontiguousarray(vectors)).split(rows) if len(vectors) else ()


def _sparse(dense: Float[Tensor, "row factor"]) -> Sparse:
    """What is above zero, row by row, the strongest first; equals by their number."""
    rows, factors = (dense > 0).nonzero(as_tuple=True)
    values = dense[rows, factors].numpy()
    order = np.lexsort((factors.numpy(), -values, rows.numpy()))
    counts = np.bincount(rows.numpy(), minlength=len(dense))
    return Sparse(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        factors.numpy()[order].astype(np.int32),
        values[order],
    )
