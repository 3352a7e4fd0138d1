"""Queries and keys of a pass, and the QK circuit that compares them.

Both are made again from the recorded stream, by `models/scoring.py`; nothing is taken from what the
model did with them, so that the pattern that follows, held against the model's own in every run
(`pattern_error`), proves weights, norms, positions and scale together.

A score is bilinear in what the query reads at i and what the key reads at j. With the norms on
queries and keys frozen, the law that tests hold (before the cap, and before a bias by position):

    score_ij = scale * (query_directions(i, sources=j) · stream_j / σ_j + b_key)
    score_ij = scale * (key_directions(i, sources=j) · stream_i / σ_i + b_query)

where σ is ln1's scale, and b what the biases of one side give: those of ln1, of W_K or W_Q, and of
the norm behind it.
Source: the QK circuit, Elhage et al. 2021.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.models.block import Attention
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact
from flowviz.models.rotary import Rotation, rotation_of
from flowviz.models.scoring import Scoring, Side
from flowviz.trace import BlockTrace, Trace

log = logging.getLogger(__name__)
PATTERN_TOLERANCE = {
    torch.float64: 1e-5,
    torch.float32: 1e-3,
    torch.bfloat16: 0.2,
    torch.float16: 0.03,
}
"""Up to which `pattern_error` queries and keys count as the model's own. Wider than the flow's: a
weight of the pattern is exponential in its score, and models take the softmax in float32 even
where their weights are float64. Random models of 3 to 12 blocks reached 2e-7 in float64, 5e-6 in
float32, 0.15 in bfloat16 and 0.02 in float16; wrong readings 0.09 to 0.9.
"""


@dataclass(frozen=True, eq=False)
class Reading:
    """The queries, or the keys, of one block in one pass.

    Args:
        side: what makes them.
        made: behind the bias, before norm and rotation.
        scale: what the norm divided by, frozen; one where there is none.
        rotation: None where the block has no rotary positions.
        norm_last: whether the norm stands behind the rotation (HunYuan).
        stretch: what those of each position are multiplied with at last; None for nothing.
    """

    side: Side
    made: Float[Tensor, "pos head d_head"]
    scale: Float[Tensor, "pos head 1"]
    rotation: Rotation | None = None
    norm_last: bool = False
    stretch: Float[Tensor, " pos"] | None = None

    @property
    def plain(self) -> Float[Tensor, "pos head d_head"]:
        """All of them behind bias and norm, before rotation."""
        return _normed(self.side.norm, self.made, self.scale)

    @cached_property
    def compared(self) -> Float[Tensor, "pos head d_head"]:
        """All of them as they are compared, rotated to their own positions."""
        positions = torch.arange(len(self.made), device=self.made.device)
        at = positions[:, None].expand(self.made.shape[:2])
        return self._rotated(self.side.norm, self.made, self.scale, at)

    def some(
        self, of: Int[Tensor, " n"], heads: Int[Tensor, " n"], at: Int[Tensor, " n"]
    ) -> Float[Tensor, "n d_head"]:
        """Those of some positions and heads as they are compared, as if they stood at `at`."""
        return self._rotated(self.side.of(heads), self.made[of, heads], self.scale[of, heads], at)

    def pull(
        self,
        gradients: Float[Tensor, "n d_head"],
        of: Int[Tensor, " n"],
        heads: Int[Tensor, " n"],
        at: Int[Tensor, " n"],
    ) -> Float[Tensor, "n d_model"]:
        """The transpose of `some`: to what was read, from gradients at what is compared."""
        norm, scale = self.side.of(heads), self.scale[of, heads]
        if self.stretch is not None:
            gradients = gradients * self.stretch[at, None]
        if self.norm_last:
            gradients = norm.back(gradients, scale)
        if self.rotation is not None:
            gradients = self.rotation.back(gradients, at)
        return self.side.pull(gradients if self.norm_last else norm.back(gradients, scale), heads)

    def _rotated(self, norm: Norm, made: Tensor, scale: Tensor, at: Tensor) -> Tensor:
        vectors = made if self.norm_last else _normed(norm, made, scale)
        if self.rotation is not None:
            vectors = self.rotation.turn(vectors, at)
        if self.norm_last:
            vectors = _normed(norm, vectors, scale)
        return vectors if self.stretch is None else vectors * self.stretch[at].unsqueeze(-1)


def _normed(norm: Norm, vectors: Tensor, scale: Tensor) -> Tensor:
    vectors = norm.apply(vectors, scale)
    return vectors if norm.bias is None else vectors + exact(norm.bias, vectors)


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """Queries and keys of one block in one pass.

    Scores are made row by row or head by head when they are asked for: those of a block of 12 heads
    and 1,024 tokens would take 50 MB.

    Args:
        scoring: how they are compared; None where the block cannot be read: then all is zero.
        pattern_error: softmax(scores) against the pattern that the model gave, the largest
            difference; not a number where the block cannot be read.
        tolerance: up to where it counts as exact, for the precision of the weights.
    """

    queries: Reading
    keys: Reading
    scoring: Scoring | None
    pattern_error: float = float("nan")
    tolerance: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether queries and keys may be shown as those of this pass."""
        return self.pattern_error <= self.tolerance

    @property
    def q(self) -> Float[Tensor, "pos head d_head"]:
        """Queries behind bias and norm (where there is one), before rotation."""
        return self.queries.plain

    @property
    def k(self) -> Float[Tensor, "pos kv_head d_head"]:
        """Keys behind bias and norm (where there is one), before rotation."""
        return self.keys.plain

    @property
    def rotation(self) -> Rotation | None:
        """None where the block has no rotary positions."""
        return self.queries.rotation

    @property
    def heads(self) -> int:
        """How many heads ask."""
        return self.queries.made.shape[1]

    @property
    def queries_per_key(self) -> int:
        """How many heads share one key head (grouped-query attention); 1 without it."""
        return self.heads // self.keys.made.shape[1]

    def key_head(self, heads: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
        """The key head that each head shares with its group."""
        return heads // self.queries_per_key

    def scores(self, head: int, at: Int[Tensor, " n"] | None = None) -> Float[Tensor, "n pos"]:
        """Scaled, capped, with position bias and mask: what the softmax of one head takes.

        Args:
            at: the positions that ask; all of them where it is None.
        """
        device = self.queries.made.device
        at = torch.arange(len(self.queries.made), device=device) if at is None else at
        if self.scoring is None:
            return torch.full((len(at), len(self.queries.made)), torch.nan, device=device)
        keys = self.keys.compared[:, head // self.queries_per_key]
        products = self.queries.compared[at, head] @ keys.T
        return self.scoring.finish(products, head, at)

    def pattern(self, head: int, at: Int[Tensor, " n"] | None = None) -> Float[Tensor, "n pos"]:
        """The attention weights that follow from the scores."""
        scores = self.scores(head, at)
        return scores if self.scoring is None else self.scoring.pattern(scores, head)


def record_attention(
    model: LoadedModel, trace: Trace, layers: Sequence[int]
) -> dict[int, AttentionTrace]:
    """Queries and keys of some layers of a recorded pass. It runs no further pass.

    A block that cannot be read comes back as one of zeros, its `pattern_error` not a number.
    """
    with torch.inference_mode():
        return {layer: _read(model, layer, trace.blocks[layer]) for layer in layers}


@torch.inference_mode()
def outputs_of(
    model: LoadedModel,
    layer: int,
    block: BlockTrace,
    pre: Float[Tensor, "pos d_model"],
    head: int,
    at: int,
) -> Float[Tensor, " d_head"]:
    """What one head would give at one position, if the block read another state.

    Args:
        block: what the block did in the pass; positions and windows are as there.
        pre: the state that is read instead, at every position.

    Raises:
        ValueError: the block's scoring cannot be read.
    """
    attention = model.blocks[layer].attention
    if attention.scoring is None:
        raise ValueError(f"block {layer} has no scoring that can be read")
    scale = attention.norm.scale_of(pre)
    again = _attention(attention, attention.scoring, replace(block, resid_pre=pre, ln1_scale=scale))
    pattern = again.pattern(head, torch.tensor([at], device=pre.device))[0]
    read = attention.norm.apply(pre, scale)
    if attention.norm.bias is not None:
        read = read + exact(attention.norm.bias, read)
    shared = head // attention.queries_per_value
    values = read @ exact(attention.W_V[shared], read)
    if attention.b_V is not None:
        values = values + exact(attention.b_V[shared], values)
    return pattern @ values


def _read(model: LoadedModel, layer: int, block: BlockTrace) -> AttentionTrace:
    attention = model.blocks[layer].attention
    try:
        if attention.scoring is not None:
            read = _attention(attention, attention.scoring, block)
            error = _pattern_error(read, block.pattern)
            return replace(read, pattern_error=error, tolerance=PATTERN_TOLERANCE[model.dtype])
    except Exception as error:  # whatever another architecture's parts make this stumble over
        log.info("queries and keys that flowviz cannot make: %s", error)
    return _nothing(attention, block)


def _attention(attention: Attention, scoring: Scoring, block: BlockTrace) -> AttentionTrace:
    read = attention.norm.apply(block.resid_pre, block.ln1_scale)
    if attention.norm.bias is not None:
        read = read + exact(attention.norm.bias, read)
    rotation, stretch = _rotation(scoring, block), _stretch(scoring, read)
    queries, keys = scoring.queries, scoring.keys
    made_q, made_k = queries.project(read), keys.project(read)
    q_scale, k_scale = queries.scale_of(made_q), keys.scale_of(made_k)
    return AttentionTrace(
        Reading(queries, made_q, q_scale, rotation, scoring.norm_last, stretch),
        Reading(keys, made_k, k_scale, rotation, scoring.norm_last),
        scoring,
    )


def _rotation(scoring: Scoring, block: BlockTrace) -> Rotation | None:
    positions = len(block.resid_pre)
    if scoring.table is not None:
        sin, cos = exact(scoring.table, block.resid_pre)[:positions].chunk(2, dim=-1)
        return Rotation(cos, sin, scoring.adjacent)
    if block.cos is None or block.sin is None:
        return None
    return rotation_of(block.cos, block.sin, scoring.layout, scoring.adjacent)


def _stretch(scoring: Scoring, like: Tensor) -> Tensor | None:
    if scoring.stretch is None:
        return None
    beta, length = scoring.stretch
    positions = torch.arange(len(like), device=like.device)
    return 1 + beta * torch.log(1 + torch.floor(positions / length)).to(like)


def _pattern_error(attention: AttentionTrace, pattern: Float[Tensor, "head pos pos"]) -> float:
    errors = [(attention.pattern(head) - own).abs().max() for head, own in enumerate(pattern)]
    return float(torch.stack(errors).max())


def _nothing(attention: Attention, block: BlockTrace) -> AttentionTrace:
    pre = block.resid_pre
    sides = []
    for heads in (attention.heads, attention.value_heads):
        weight = pre.new_zeros(()).expand(heads, pre.shape[1], attention.d_head)
        made = pre.new_zeros(len(pre), heads, attention.d_head)
        side = Side(lambda weight=weight: weight, None, Norm())
        sides.append(Reading(side, made, torch.ones_like(made[..., :1])))
    return AttentionTrace(sides[0], sides[1], None)


def query_directions(
    model: LoadedModel,
    layer: int,
    attention: AttentionTrace,
    at: int,
    sources: Int[Tensor, " head"] | None = None,
) -> Float[Tensor, "head d_model"]:
    """What each head's query at a position looks for, as a direction in the residual stream.

    It is the gradient of query · key by the stream at the source, norms and scales frozen, without
    ln1's division: q, rotated by its position and back by the source's, through the norm on keys
    (with its scale at the source) and W_K of the key head that the head shares, then through ln1's
    weight and centring. Times the stream at the source, over ln1's scale there, it is the score's
    part that is linear in the source, over `scoring.scale`.

    Args:
        at: the position that asks.
        sources: which source each head looks at; None before rotation: as though the source stood
            where the query does, the scale of its key's norm being that of `at`.
    """
    device = attention.queries.made.device
    heads = torch.arange(attention.heads, device=device)
    here = torch.full_like(heads, at)
    sources = here if sources is None else sources.to(device)
    with torch.inference_mode():
        queries = attention.queries.some(here, heads, here)
        read = attention.keys.pull(queries, sources, attention.key_head(heads), sources)
        return model.blocks[layer].attention.norm.pull(read)


def key_directions(
    model: LoadedModel,
    layer: int,
    attention: AttentionTrace,
    at: int,
    heads: Int[Tensor, " n"],
    sources: Int[Tensor, " n"],
    rotated: bool = True,
) -> Float[Tensor, "n d_model"]:
    """What some keys are found by, as directions in the residual stream of who asks.

    It is the gradient of query · key by the stream at `at`, norms and scales frozen, without ln1's
    division: k of the source, rotated by its position and back by that of `at`, through the norm on
    queries (with its scale at `at`) and W_Q of the head, then through ln1's weight and centring.

    Args:
        at: the position that asks.
        heads: the heads that ask; each reads the key of the key head that it shares.
        sources: the positions of the keys, one for each head.
        rotated: whether keys stand at their positions; else as though they stood at `at`.
    """
    device = attention.queries.made.device
    heads, sources = heads.to(device), sources.to(device)
    here = torch.full_like(heads, at)
    with torch.inference_mode():
        places = sources if rotated else here
        keys = attention.keys.some(sources, attention.key_head(heads), places)
        read = attention.queries.pull(keys, here, heads, here)
        return model.blocks[layer].attention.norm.pull(read)
