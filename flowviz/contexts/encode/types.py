"""What a reader of corpora gives: tokens of texts, vectors at sites, attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.types import Column
from flowviz.contexts.kinds import Site
from flowviz.graph.types import ModelShape


@dataclass(frozen=True)
class Tokens:
    """A text as the model reads it, special tokens ([CLS], <s>) among them.

    Args:
        spans: for each token its first character in the text and the one behind its last; equal
            where it stands for no text.
        special: whether it stands for no text; such a token is never a hit.
    """

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    special: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Asked:
    """The prompt of a question, as the model reads it: with a second text and masked tokens."""

    ids: tuple[int, ...]
    column: Column
    types: tuple[int, ...] | None = None  # to which text each belongs, where the model takes that


@runtime_checkable
class Reader(Protocol):
    """A model in memory as the contexts read it. Every method takes the model's lock for itself.

    The vector of the heads' site is z_h M_h for each head, with M_h M_h^T = W_O,h W_O,h^T: it has
    d_head numbers, and its inner products are exactly those of what the heads write into the
    residual stream, z_h W_O,h. A head that is chosen is a slice of `head_width`.

    What each site is in each family, and which are offered: `gpt_sites.py`, `encoder_found.py`. In
    GPTs whose attention is followed by a norm (Gemma 2, OLMo 2), what a head writes is behind that
    norm, under the scale that it has at the token, as the flow has it; a scale of the residual
    stream's additions (Granite) is in it. In encoders no norm is.
    """

    @property
    def shape(self) -> ModelShape:
        """The model's name and sizes."""
        ...

    @property
    def context(self) -> int | None:
        """How many tokens it takes at most."""
        ...

    @property
    def identity(self) -> str:
        """The same text for the same weights and tokenizer: a store of others is refused."""
        ...

    @property
    def sites(self) -> dict[Site, int]:
        """Every site that it has, and how many numbers a vector has there."""
        ...

    @property
    def default_sites(self) -> tuple[Site, ...]:
        """Which sites a store keeps where nobody says: hidden states and heads of all layers."""
        ...

    def head_width(self, layer: int) -> int:
        """How many numbers of the heads' site belong to one head."""
        ...

    def tokens(self, text: str) -> Tokens:
        """The tokens of a text, of any length."""
        ...

    def ask(self, prompt: str, second: str = "", mask: Sequence[int] = ()) -> Asked:
        """The prompt of a question. Raises RequestError where the model cannot read it."""
        ...

    def vectors(
        self,
        texts: Sequence[Sequence[int]],
        sites: Sequence[Site],
        types: Sequence[Sequence[int] | None] | None = None,
    ) -> dict[Site, NDArray[np.float32]]:
        """The vectors of all tokens of all texts, one text after the other: [tokens, width].

        One pass in one batch, padded behind and masked; no layer behind the last site is run, and
        no prediction is made.
        """
        ...

    def attention(
        self,
        texts: Sequence[Sequence[int]],
        heads: Sequence[tuple[int, int]],
        types: Sequence[Sequence[int] | None] | None = None,
    ) -> list[NDArray[np.float32]]:
        """For each text the mean pattern of these heads, [query, key].

        A row sums to 1, or to less where heads have sinks (GPT-OSS). No layer behind the last head
        is run, where the model's attention can be seen as it is computed.
        """
        ...
