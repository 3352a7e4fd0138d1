"""What tells one model from another: its sizes, its tokenizer, and all of its weights.

Every weight is read once as whole numbers, and summed in pieces of `PIECE`: a change of any single
weight changes a sum, and so do weights that change places between pieces. The first weights of
every piece are taken as they are. That takes about the time in which memory is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from flowviz.encoders.loaded import LoadedEncoder
from flowviz.models.loaded import LoadedModel
from flowviz.models.quantised import plain_weight

PIECE = 1 << 14
HEAD = 16
WHOLE = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@torch.inference_mode()
def identity_of(model: LoadedModel | LoadedEncoder) -> str:
    """The same text for the same sizes, tokenizer and weights, whatever the model is called."""
    found = hashlib.sha256()
    shape = model.shape
    found.update(repr((shape.architecture, shape.layers, shape.heads, shape.d_model)).encode())
    found.update(_tokenizer(model.vocabulary.tokenizer).encode())
    for name, weight in sorted(_weights(model.module)):
        found.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        found.update(_digest(weight))
    return found.hexdigest()[:32]


def _tokenizer(tokenizer: Any) -> str:
    """All that a tokenizer does, or, where it does not say, its tokens."""
    if tokenizer.is_fast:
        return tokenizer.backend_tokenizer.to_str()
    return repr((type(tokenizer).__name__, sorted(tokenizer.get_vocab().items())))


def _weights(module: Any) -> Iterator[tuple[str, Tensor]]:
    for name, weight in module.named_parameters():
        yield name, plain_weight(weight).detach()


def _digest(weight: Tensor) -> bytes:
    """The sums of all pieces, and how each begins."""
    numbers = weight.reshape(-1).contiguous().view(WHOLE[weight.element_size()])
    whole = len(numbers) // PIECE * PIECE
    pieces, rest = numbers[:whole].view(-1, PIECE), numbers[whole:]
    parts = (
        pieces.sum(1, dtype=torch.int64),
        pieces[:, :HEAD].long(),
        rest.sum(dtype=torch.int64)[None],
        rest[:HEAD].long(),
    )
    return b"".join(part.cpu().contiguous().numpy().tobytes() for part in parts)
