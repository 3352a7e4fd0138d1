"""What the parts of an attention write, as vectors at one position of a recorded pass."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.models.block import Block
from flowviz.models.parts import Norm, exact
from flowviz.trace import BlockTrace


def head_outputs(block: Block, part: BlockTrace, at: int) -> Float[Tensor, "head d_model"]:
    """Each head's output through W_O, as the stream receives it."""
    z = part.z[at]
    written = torch.einsum("hd,hdm->hm", z, exact(block.attention.W_O, z))
    return block.onto_stream(block.attention.post, written, _scale(part, at))


def attention_output(
    block: Block, part: BlockTrace, at: int, heads: Float[Tensor, "head d_model"]
) -> Float[Tensor, "1 d_model"]:
    """What attention adds to the stream: all heads, b_O, and the bias of a norm behind it."""
    whole = heads.sum(0, keepdim=True)
    attention = block.attention
    if attention.b_O is not None:
        bias = exact(attention.b_O, whole)[None]
        whole = whole + block.onto_stream(attention.post, bias, _scale(part, at))
    if attention.post.bias is not None and not block.norms_stream:
        whole = whole + exact(attention.post.bias, whole) * block.residual_scale
    return whole


def values(
    block: Block, part: BlockTrace, at: int, sources: Int[Tensor, "head n"]
) -> Float[Tensor, "head n d_model"]:
    """The values that each head reads from these positions, through W_O, not yet weighed."""
    attention = block.attention
    heads = torch.arange(attention.heads, device=sources.device)[:, None]
    read = part.v[sources, heads // attention.queries_per_value]
    written = torch.einsum("hnd,hdm->hnm", read, exact(attention.W_O, read))
    return block.onto_stream(attention.post, written, _scale(part, at))


def unprojected(block: Block, part: BlockTrace, at: int) -> Float[Tensor, "head d_model"] | None:
    """Each head's z in its own slots of the concatenated heads, the others' empty; no W_O.

    None where the concatenated heads are not as wide as the stream: they are no vector of it.
    """
    heads, d_head = block.attention.heads, block.attention.d_head
    if heads * d_head != part.resid_pre.shape[1]:
        return None
    each = torch.eye(heads, dtype=part.z.dtype, device=part.z.device)
    return (each[:, :, None] * part.z[at]).flatten(1)


def through(block: Block, post: Norm, vectors: Float[Tensor, "... d_model"]) -> Tensor:
    """Written vectors as the stream receives them, with the scale of a norm behind set aside."""
    scale = None if post.eps is None else torch.ones_like(vectors[..., :1])
    return block.onto_stream(post, vectors, scale)


def _scale(part: BlockTrace, at: int) -> Float[Tensor, " 1"] | None:
    return None if part.ln1_post_scale is None else part.ln1_post_scale[at]
