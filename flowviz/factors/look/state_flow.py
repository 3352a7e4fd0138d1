"""A linear functional of one vector of a pass, split exactly over embeddings and biases.

With patterns, gates and norms' scales frozen, a vector x at a site and position is affine in the
token embeddings, so that u · x is carried back as the flow carries a logit (`flowviz/flow.py`):

    u · x = Σ token embeddings + Σ position embeddings + Σ biases

What is carried starts at the site: at a state with u there; at what a sublayer adds to the stream
with u at its output and nothing at the stream beside it; at neurons with u at what they give.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.flow import (
    BlockFlow,
    Flow,
    FlowTarget,
    add_biases,
    block_flow,
    through_attention,
    through_mlp,
)
from flowviz.graph.types import BIAS_NAMES
from flowviz.models.block import Block
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact
from flowviz.trace import BlockTrace, Trace

SPLIT = tuple(kind for kind in SiteKind if kind is not SiteKind.HEADS)
"""The sites of which a functional can be split; that of heads holds square roots (`heads.py`)."""


@dataclass(frozen=True, eq=False)
class StateFlow:
    """Where u · x comes from; the three sum to it.

    Args:
        tokens: from each token's embedding, [pos], up to the position that is asked about.
        positions: from the embeddings of all positions; biases: from all biases of the model.
    """

    tokens: Float[Tensor, " pos"]
    positions: float
    biases: float


@torch.inference_mode()
def state_flow(
    model: LoadedModel, trace: Trace, site: Site, at: int, direction: Float[Tensor, " width"]
) -> StateFlow:
    """Splits the product of a direction with the vector at a site, one of `SPLIT`."""
    p = at + 1
    start = direction.new_zeros(p, len(direction))
    start[at] = direction
    layers = len(model.blocks) if site.kind is SiteKind.RESID_FINAL else site.layer
    r, blocks = start, list[BlockFlow]()
    if site.kind not in (SiteKind.RESID_PRE, SiteKind.RESID_FINAL):
        blocks.append(_first_block(site.kind, model.blocks[layers], trace.blocks[layers], start))
        r = blocks[-1].r_pre
    for layer in reversed(range(layers)):
        blocks.append(block_flow(model.blocks[layer], trace.blocks[layer], r))
        r = blocks[-1].r_pre
    biases = _biases(model, trace, at, tuple(reversed(blocks)))
    if model.embed_bias is not None:
        biases += float((r @ exact(model.embed_bias, r)).sum())
    places = 0.0 if trace.pos_embed is None else float((trace.pos_embed[:p] * r).sum())
    return StateFlow((trace.embed[:p] * r).sum(-1), places, biases)


def _biases(model: LoadedModel, trace: Trace, at: int, blocks: tuple[BlockFlow, ...]) -> float:
    nothing = trace.resid_final.new_zeros(model.shape.d_model)
    flow = Flow(model, trace, FlowTarget(at, 0), nothing, blocks)
    rows = nothing.new_zeros(len(BIAS_NAMES), len(model.blocks) + 1, at + 1)
    for layer in range(len(blocks)):
        add_biases(flow, layer, rows)
    return float(rows.double().sum())


def _first_block(kind: SiteKind, block: Block, part: BlockTrace, start: Tensor) -> BlockFlow:
    """The gradient in the block that the site is in, from that at the site alone."""
    p, d_model = len(start), part.resid_pre.shape[1]
    none = start.new_zeros(p, d_model)
    if kind is SiteKind.RESID_MID:
        return _attention(block, part, none, mid=start)
    if kind is SiteKind.ATTN_OUT:
        return _attention(block, part, none, added=start)
    if kind is SiteKind.MLP_OUT:
        scale = None if part.ln2_post_scale is None else part.ln2_post_scale[:p]
        output = block.to_output(block.mlp.post, start, scale)
        neurons, into = through_mlp(block.mlp, part, output)
        return _mlp(block, part, into, into_post=start, output=output, neurons=neurons)
    mlp = block.mlp
    into = mlp.norm.back(mlp.to_input(part.gate[:p] * start), part.ln2_scale[:p])
    return _mlp(block, part, into, into_post=none, output=none, neurons=start)


def _mlp(
    block: Block, part: BlockTrace, into: Tensor, *, into_post: Tensor, output: Tensor,
    neurons: Tensor,
) -> BlockFlow:  # fmt: skip
    """What goes through the MLP, from the gradient at the state that it reads."""
    none = torch.zeros_like(into)
    below = _attention(block, part, none, mid=None if block.parallel else into)
    return BlockFlow(
        r_pre=into if block.parallel else below.r_pre,
        r_mid=below.r_mid,
        r_post=none,
        into_mid=below.into_mid,
        into_post=into_post,
        attention=below.attention,
        mlp=output,
        heads=below.heads,
        neurons=neurons,
    )


def _attention(
    block: Block, part: BlockTrace, none: Tensor, *, mid: Tensor | None = None,
    added: Tensor | None = None,
) -> BlockFlow:  # fmt: skip
    """What goes through the attention.

    Args:
        mid: the gradient at the state behind it; added: or that at what it adds.
    """
    scale = None if part.ln1_post_scale is None else part.ln1_post_scale[: len(none)]
    into_mid = none if mid is None else block.before_norm(block.attention.post, mid, scale)
    reached = into_mid if added is None else added
    output = block.to_output(block.attention.post, reached, scale)
    heads, into = through_attention(block.attention, part, output)
    return BlockFlow(
        r_pre=into_mid + into,
        r_mid=None if block.parallel else none if mid is None else mid,
        r_post=none,
        into_mid=reached,
        into_post=none,
        attention=output,
        mlp=none,
        heads=heads,
        neurons=none.new_zeros(len(none), part.post.shape[1]),
    )
