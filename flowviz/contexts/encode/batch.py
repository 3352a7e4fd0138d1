"""Texts of different lengths as one batch: padded behind and masked, and taken apart again.

A token's vector is that of its text alone: what stands behind it is hidden by the mask, in a GPT
by the order of its attention as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from flowviz.errors import RequestError


class Enough(Exception):
    """Ends a pass once everything that is asked for has been seen."""


@dataclass(frozen=True, eq=False)
class Batch:
    """A few texts in one tensor.

    Args:
        ids: padded behind.
        mask: 1 where a token stands.
        lengths: of the texts.
        rows: which rows of [text * pos] are tokens; None where all are.
    """

    ids: Int[Tensor, "text pos"]
    mask: Int[Tensor, "text pos"]
    lengths: tuple[int, ...]
    rows: Int[Tensor, " token"] | None

    @classmethod
    def of(cls, texts: Sequence[Sequence[int]], pad: int, device: torch.device) -> Batch:
        """One batch of texts that are ids."""
        lengths = tuple(len(text) for text in texts)
        ids = padded(texts, pad)
        mask = torch.arange(ids.shape[1])[None] < torch.tensor(lengths)[:, None]
        full = bool(mask.all())
        rows = None if full else mask.flatten().nonzero().flatten().to(device)
        return cls(ids.to(device), mask.long().to(device), lengths, rows)

    def hiding(self, seen: Sequence[Sequence[bool]]) -> Batch:
        """The same, with a mask that hides tokens of the texts as well.

        Args:
            seen: for each text which of its tokens others may attend to.
        """
        return replace(self, mask=padded(seen, 0).to(self.mask))

    @property
    def tokens(self) -> int:
        """How many tokens all texts have."""
        return sum(self.lengths)

    def put(self, values: Tensor, into: NDArray[np.float32]) -> None:
        """Writes one vector a position, in whatever layout, as one row a token."""
        flat = values.reshape(self.ids.numel(), -1)
        out = torch.from_numpy(into)
        if self.rows is None:
            out.copy_(flat)
        elif flat.dtype == out.dtype and flat.device == out.device:
            torch.index_select(flat, 0, self.rows, out=out)
        else:
            out.copy_(flat.index_select(0, self.rows.to(flat.device)))

    def apart(self, patterns: Float[Tensor, "text pos pos"]) -> list[NDArray[np.float32]]:
        """One pattern a text, without its padding."""
        found = patterns.float().cpu().numpy()
        return [found[i, :n, :n].copy() for i, n in enumerate(self.lengths)]


def padded(texts: Sequence[Sequence[int]], pad: int) -> Int[Tensor, "text pos"]:
    """Rows of numbers, filled up behind."""
    longest = max(map(len, texts), default=0)
    rows = np.full((len(texts), longest), pad, np.int64)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = text
    return torch.from_numpy(rows)


def check_texts(name: str, texts: Sequence[Sequence[int]], most: int | None, rows: int) -> None:
    """Raises RequestError where a text is longer than the model takes, or is of another model.

    Args:
        rows: how many tokens the model has.
    """
    longest = max(map(len, texts), default=0)
    if most and longest > most:
        raise RequestError(
            f"A text has {longest:,} tokens; {name} takes at most {most:,}. Cut it into pieces."
        )
    wrong = next((i for text in texts for i in text if not 0 <= i < rows), None)
    if wrong is not None:
        raise RequestError(
            f"A text has a token with id {wrong:,}; {name} has the ids 0 to {rows - 1:,}. Read the "
            "text with this model's own tokenizer."
        )
