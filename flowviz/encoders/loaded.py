"""A loaded encoder or encoder-decoder, as Hugging Face's transformers runs it.

The flow is not defined for these models here, so that none of TransformerLens's parts is needed:
attention is read from the very function that computes it (`record.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock
from typing import Any

import torch

from flowviz.attention.kinds import Part
from flowviz.graph.types import ModelShape
from flowviz.models.kind import ModelKind
from flowviz.models.tokens import Vocabulary


@dataclass(frozen=True, eq=False)
class LoadedEncoder:
    """A model that reads both ways, in memory. Take `lock` around every forward pass.

    Args:
        shape: its name and sizes; of an encoder-decoder, those of the encoder.
        weights: the model of transformers: a masked language model, or one from text to text.
        context: how many tokens it takes at most; None for no bound.
        kind: an encoder or both.
        parts: which attentions it has, in the order in which they are offered.
        shapes: sizes of each part, in the order of `parts`: of the layers that look.
        decoder_context: how many tokens its decoder writes at most; None for no bound, and for a
            model without one.
        recorded: whether its attention can be recorded where it is computed; where not, only the
            patterns are known.
        outputs: for each part, for each layer, the matrix that reads what the heads give; None
            where it is not known, so that no norm can be taken.
        predicts: whether it has a head that predicts tokens.
        precision: of the weights, in a word.
        notes: what it cannot show, in sentences.
    """

    shape: ModelShape
    weights: Any
    vocabulary: Vocabulary
    context: int | None
    kind: ModelKind
    parts: tuple[Part, ...]
    dtype: torch.dtype
    device: torch.device
    shapes: tuple[ModelShape, ...] = ()
    decoder_context: int | None = None
    recorded: bool = True
    outputs: tuple[tuple[torch.nn.Linear | None, ...], ...] = ()
    predicts: bool = True
    precision: str = "float32"
    notes: tuple[str, ...] = ()
    lock: Any = field(default_factory=RLock)

    @property
    def module(self) -> Any:
        """What holds the weights."""
        return self.weights

    def shape_of(self, part: Part) -> ModelShape:
        """The sizes of one part."""
        return self.shapes[self.parts.index(part)] if self.shapes else self.shape
