"""Where a GPT's sites are: what its hooks must show for each, and what is made of it.

    resid_pre, resid_mid, resid_final   the residual stream, as a `Trace` has it. Parallel blocks
                have no middle.
    heads       what each head adds to the stream (`Block.onto_stream`): behind a norm that follows
                the attention (Gemma 2, OLMo 2) under the scale that this norm has at the token,
                times the residual scale (Granite). As few numbers: see `heads.py`.
    attn_out, mlp_out   what the sublayer adds to the stream in all, the biases of its matrices and
                of the norm behind it included. Where a norm stands on the stream itself (GPT,
                OPT-350m), what is added in front of that norm.
    neurons     `BlockTrace.post`, of experts those of all, one after the other; silent where they
                were not chosen.

A site that is not what it should be is not offered. Which are is found by running a few tokens:

    resid_mid = resid_pre + attn_out     resid_post = resid_mid + mlp_out   (as the block has it)
    attn.o    = Σ_h z_h W_O,h + b_O      mlp = post W_out + b_out
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from flowviz.contexts.encode.filling import Source, as_it_is
from flowviz.contexts.encode.heads import small
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.models.block import Block, Mlp
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact

Part = tuple[str, int]
MOST_NEURONS = 65_536  # of all experts: what is wider is not offered
STATES = {
    SiteKind.RESID_PRE: "resid_pre",
    SiteKind.RESID_MID: "resid_mid",
    SiteKind.RESID_FINAL: "resid_final",
}


def source_of(model: LoadedModel, site: Site, root: Callable[[int], Tensor]) -> Source:
    """How a site is read, whether or not it is offered.

    Args:
        root: of the heads of a layer, see `heads.py` and `written_by_heads`.
    """
    d_model, layer = model.shape.d_model, site.layer
    if site.kind in STATES:
        return Source(((STATES[site.kind], layer),), d_model, as_it_is)
    block = model.blocks[layer]
    if site.kind is SiteKind.HEADS:
        return _heads(block, layer, root)
    if site.kind is SiteKind.ATTN_OUT:
        return _added(block, block.attention.post, "ln1_post_scale", ("attn_out", layer), d_model)
    if site.kind is SiteKind.MLP_OUT:
        return _added(block, block.mlp.post, "ln2_post_scale", ("mlp_out", layer), d_model)
    return _neurons(block.mlp, layer, d_model)


def _heads(block: Block, layer: int, root: Callable[[int], Tensor]) -> Source:
    heads, d_head = block.attention.heads, block.attention.d_head
    scaled = has_scale(block, block.attention.post)

    def make(z: Tensor, scale: Tensor | None = None) -> Tensor:
        written = small(z.reshape(-1, heads, d_head), root(layer))
        return written if scale is None else written / rows(scale, 1)[:, None]

    more = (("ln1_post_scale", layer),) if scaled else ()
    return Source((("z", layer), *more), heads * d_head, make)


def written_by_heads(block: Block) -> Float[Tensor, "head d_head d_model"]:
    """What each number of each head's z adds to the stream, where a norm behind it has scale 1."""
    weight = exact(block.attention.W_O).double()
    one = weight.new_ones(1) if has_scale(block, block.attention.post) else None
    return block.onto_stream(block.attention.post, weight, one)


def _added(block: Block, post: Norm, scale_name: str, part: Part, d_model: int) -> Source:
    def make(out: Tensor, scale: Tensor | None = None) -> Tensor:
        frozen = None if scale is None else rows(scale, 1)
        added = block.onto_stream(post, rows(out, d_model), frozen)
        if scale is None or post.bias is None:
            return added
        return added + exact(post.bias, added) * block.residual_scale

    more = ((scale_name, part[1]),) if has_scale(block, post) else ()
    return Source((part, *more), d_model, make)


def _neurons(mlp: Mlp, layer: int, d_model: int) -> Source:
    router = mlp.router
    if router is None:
        return Source((("post", layer),), mlp.neurons, as_it_is)

    def fire(read: Tensor) -> Tensor:
        return router.fire(rows(read, d_model)).post

    return Source((("mlp_in", layer),), mlp.neurons, fire)


def has_scale(block: Block, post: Norm) -> bool:
    """Whether a norm follows a sublayer, before what it gives is added."""
    return post.eps is not None and not block.norms_stream


def rows(values: Tensor, width: int) -> Float[Tensor, "row width"]:
    """One vector a row, in whatever layout they came."""
    return exact(values).reshape(-1, width)
