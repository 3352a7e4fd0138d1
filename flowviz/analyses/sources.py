"""Which source tokens, attended by a head, change a logit most: the OV circuit over all tokens.

    logit(s, h) = bare(e_s) · reader_h        reader_h = w_ln1 * (W_V · W_O · aim)

where bare is ln1's centring and division by the embedding's own scale. Embeddings come in pieces;
of each head only the strongest sources are kept, so that memory does not grow with the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.analyses.types import SourceToken
from flowviz.models.block import Block
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact

LISTED = 5  # source tokens of a head


@dataclass(frozen=True, eq=False)
class Reader:
    """What all heads of a block read in an embedding behind the bare norm.

    Args:
        bare: ln1 without weight and bias.
    """

    bare: Norm
    vectors: Float[Tensor, "d_model head"]


def head_readers(model: LoadedModel, aim: Float[Tensor, " d_model"]) -> list[Reader]:
    """The readers of every block, towards a direction in the stream."""
    return [_reader(block, aim) for block in model.blocks]


def _reader(block: Block, aim: Float[Tensor, " d_model"]) -> Reader:
    attention, post = block.attention, block.attention.post
    aim = block.to_output(post, aim, None if post.eps is None else torch.ones_like(aim[:1]))
    at_z = attention.to_heads(aim[None])[0]
    weight = exact(attention.W_V, at_z).repeat_interleave(attention.queries_per_value, 0)
    vectors = torch.einsum("hmd,hd->mh", weight, at_z)
    norm = attention.norm
    if norm.weight is not None:
        vectors = vectors * exact(norm.weight, vectors)[:, None]
    return Reader(Norm(centred=norm.centred, eps=norm.eps), vectors)


class Sources:
    """The strongest source tokens of every head, of either sign."""

    def __init__(self, readers: list[Reader]) -> None:
        self._readers = readers
        self._ids: dict[int, list[Tensor]] = {1: [], -1: []}
        self._logits: dict[int, list[Tensor]] = {1: [], -1: []}

    def take(self, start: int, embeddings: Float[Tensor, "n d_model"]) -> None:
        """The embeddings of tokens from `start` on."""
        logits = torch.cat(list(self._read(embeddings)), -1)
        for sign in (1, -1):
            found = logits.topk(min(LISTED, len(logits)), dim=0, largest=sign > 0)
            self._ids[sign].append(found.indices.cpu() + start)
            self._logits[sign].append(found.values.cpu())

    def _read(self, embeddings: Tensor) -> list[Float[Tensor, "n head"]]:
        """One product for all blocks whose norms are bare alike."""
        kinds = {(reader.bare.centred, reader.bare.eps) for reader in self._readers}
        if len(kinds) > 1:
            return [_bare(each.bare, embeddings) @ each.vectors for each in self._readers]
        together = torch.cat([reader.vectors for reader in self._readers], -1)
        return [_bare(self._readers[0].bare, embeddings) @ together]

    def heads(self, sign: int, text: Callable[[int], str]) -> list[tuple[SourceToken, ...]]:
        """The strongest sources of each head of the model, in order of layer and head."""
        ids, logits = torch.cat(self._ids[sign]), torch.cat(self._logits[sign])
        best = logits.topk(min(LISTED, len(logits)), dim=0, largest=sign > 0)
        ids = ids.gather(0, best.indices)
        return [
            tuple(SourceToken(i, text(i), logit) for i, logit in zip(*head, strict=True))
            for head in zip(ids.T.tolist(), best.values.T.tolist(), strict=True)
        ]


def _bare(norm: Norm, embeddings: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_model"]:
    return norm.apply(embeddings, norm.scale_of(embeddings))
