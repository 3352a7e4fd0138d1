"""How a block's queries and keys are made and compared.

For a query at position i and a key at position j of one head, reading x (the stream behind ln1):

    q_i = N_q(x_i W_Q + b_Q)        k_j = N_k(x_j W_K + b_K)        N: a norm, where there is one
    score_ij = cap(scale * (R_i q_i) · (R_j k_j)) + bias_j          R: rotary positions
    pattern_i = softmax(score_i over j ≤ i within the window, and the sink)

HunYuan rotates before it normalises (`norm_last`). Sources: rotary positions, Su et al. 2021;
ALiBi, Press et al. 2021; sinks, Xiao et al. 2023; norms on queries and keys, Henry et al. 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.models.parts import Norm, exact
from flowviz.models.rotary import Layout


@dataclass(frozen=True, eq=False)
class Side:
    """What makes the queries, or the keys.

    Args:
        read: the weight, [head d_model d_head].
        norm: behind it; its weight and bias are [head d_head].
        together: whether one scale serves all heads (OLMo 2), or each has its own.
    """

    read: Callable[[], Tensor]
    bias: Float[Tensor, "head d_head"] | None
    norm: Norm
    together: bool = False

    def project(self, read: Float[Tensor, "pos d_model"]) -> Float[Tensor, "pos head d_head"]:
        """x W + b."""
        weight = exact(self.read(), read)
        made = torch.einsum("pm,hmd->phd", read, weight)
        return made if self.bias is None else made + exact(self.bias, made)

    def scale_of(self, made: Float[Tensor, "pos head d_head"]) -> Float[Tensor, "pos head 1"]:
        """What the norm divides by."""
        if not self.together:
            return self.norm.scale_of(made)
        return self.norm.scale_of(made.flatten(1))[:, None].expand(-1, made.shape[1], 1)

    def of(self, heads: Int[Tensor, " n"]) -> Norm:
        """The norm of some heads, its weight and bias [n d_head]."""
        norm = self.norm
        weight, bias = (
            None if each is None else each[heads.to(each.device)]
            for each in (norm.weight, norm.bias)
        )
        return Norm(weight, bias, norm.centred, norm.eps)

    def pull(
        self, gradients: Float[Tensor, "n d_head"], heads: Int[Tensor, " n"]
    ) -> Float[Tensor, "n d_model"]:
        """Gradients at what some heads make, carried to what is read."""
        weight = self.read()
        pulled = gradients.new_zeros(len(heads), weight.shape[1])
        for head in heads.unique().tolist():
            own = heads == head
            pulled[own] = gradients[own] @ exact(weight[head], gradients).T
        return pulled


@dataclass(frozen=True, eq=False)
class Scoring:
    """Queries against keys; see the head of this module.

    Args:
        scale: what the product of query and key is multiplied with.
        cap: scores are cap * tanh(score / cap); None where they are not capped.
        window: how many positions are seen, its own included; None for all before.
        bias: from a number of positions to what is added to the scores of each source (ALiBi).
        sinks: a further logit of each head in the softmax, which nothing is read from.
        adjacent: which dimensions are rotated together: 2d with 2d + 1, or d with d + half.
        layout: how pairs stand in the tables of cosines and sines that the block is given.
        table: sine and cosine of each position, side by side, where the block holds them itself.
        stretch: (beta, length): queries at i grow by 1 + beta log(1 + floor(i / length)).
        norm_last: the norms stand behind the rotation.
    """

    queries: Side
    keys: Side
    scale: float
    cap: float | None = None
    window: int | None = None
    bias: Callable[[int], Float[Tensor, "head pos"]] | None = None
    sinks: Float[Tensor, " head"] | None = None
    adjacent: bool = False
    layout: Layout = Layout.HALVES
    table: Float[Tensor, "pos d_rotary"] | None = None
    stretch: tuple[float, int] | None = None
    norm_last: bool = False

    def seen(self, at: Int[Tensor, " n"], positions: int) -> Tensor:
        """Which sources a query sees: bool, [n, positions]."""
        source = torch.arange(positions, device=at.device)
        back = at[:, None] - source
        seen = back >= 0
        return seen if self.window is None else seen & (back < self.window)

    def finish(
        self, products: Float[Tensor, "n pos"], head: int, at: Int[Tensor, " n"]
    ) -> Float[Tensor, "n pos"]:
        """Scores of one head from its products of query and key; minus infinity where none is."""
        scores = products * self.scale
        if self.cap is not None:
            scores = torch.tanh(scores / self.cap) * self.cap
        if self.bias is not None:
            scores = scores + self.bias(scores.shape[1])[head].to(scores)
        return scores.masked_fill(~self.seen(at, scores.shape[1]), -torch.inf)

    def pattern(self, scores: Float[Tensor, "n pos"], head: int) -> Float[Tensor, "n pos"]:
        """The attention of one head by its scores."""
        if self.sinks is None:
            return scores.softmax(-1)
        sink = exact(self.sinks, scores)[head].expand(len(scores), 1)
        return torch.cat([scores, sink], -1).softmax(-1)[:, :-1]
