"""The attention of a block at one position: what each head reads, and what it writes.

With the attention weights frozen, head h at position q writes

    z[h] W_O[h] = sum over sources j of  pattern[h, q, j] v[h, j] W_O[h]

and every value is the state of its source through the norm and W_V, plus what the norm's bias and
b_V add. So flow(value) = from its state + from the norm's bias + from b_V, flow(head) = sum of
its values, flow(all heads) = sum of heads = sum over the rows of W_O, z[h, d] W_O[h, d].
"""

from __future__ import annotations

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.inside.place import Place
from flowviz.models.parts import exact


class HeadsAt:
    """All heads of one block at one position, before any is chosen."""

    def __init__(self, place: Place) -> None:
        self.place, self.attention = place, place.block.attention
        self._gradient = place.gradient.heads[place.at]
        self.z: Float[Tensor, "head d_head"] = place.trace.z[place.at]

    @cached_property
    def weights(self) -> Float[Tensor, "head source"]:
        """How much each head attends to each position up to this one."""
        at = self.place.at
        return self.place.trace.pattern[:, at, : at + 1]

    @cached_property
    def output(self) -> Float[Tensor, "head d_head d_model"]:
        """W_O."""
        return exact(self.attention.W_O, self.z)

    @cached_property
    def biases(self) -> Float[Tensor, "2 head d_head"]:
        """What the norm's bias and b_V add to each head's values."""
        biases = self.attention.value_biases.to(self.z.device)
        return biases.repeat_interleave(self.attention.queries_per_value, dim=1)

    @cached_property
    def values(self) -> Float[Tensor, "source head d_head"]:
        """The values, each head with the one that it shares."""
        values = self.place.trace.v[: self.place.at + 1]
        return values.repeat_interleave(self.attention.queries_per_value, dim=1)

    @cached_property
    def from_states(self) -> Float[Tensor, "head source"]:
        """The flow of each value that comes from its state."""
        own = self.values - self.biases.sum(0)
        return torch.einsum("khd,hd->hk", own, self._gradient) * self.weights

    @cached_property
    def constants(self) -> Float[Tensor, "2 head"]:
        """Per unit of attention, the flow that comes from the norm's bias and from b_V."""
        return torch.einsum("nhd,hd->nh", self.biases, self._gradient)

    @cached_property
    def value_flows(self) -> Float[Tensor, "head source"]:
        """The flow of each value."""
        return self.from_states + self.weights * self.constants.sum(0)[:, None]

    @cached_property
    def row_flows(self) -> Float[Tensor, "head d_head"]:
        """The flow of each row of W_O."""
        return self.z * self._gradient

    @cached_property
    def flows(self) -> Float[Tensor, " head"]:
        """The flow of each head."""
        return self.row_flows.sum(1)

    @cached_property
    def written(self) -> Float[Tensor, "head d_model"]:
        """What each head adds to attention's output."""
        return torch.einsum("hd,hdm->hm", self.z, self.output)

    @cached_property
    def row_lengths(self) -> Float[Tensor, "head d_head"]:
        """The length of each row of W_O."""
        return self.output.norm(dim=-1)

    @cached_property
    def constant_vectors(self) -> Float[Tensor, "2 d_model"]:
        """What the norm's bias and b_V add to attention's output, through all values."""
        shares = self.biases * self.weights.sum(1)[:, None]
        return torch.einsum("nhd,hdm->nm", shares, self.output)

    def value_vectors(
        self, heads: Int[Tensor, " n"], sources: Int[Tensor, " n"]
    ) -> Float[Tensor, "4 n d_model"]:
        """What some values add to attention's output; and what of it comes from the norm's bias,
        from b_V and from the state."""
        weights = self.weights[heads, sources, None]
        values, biases = self.values[sources, heads], self.biases[:, heads]
        parts = torch.stack([values, *biases, values - biases.sum(0)]) * weights
        return torch.einsum("vnd,ndm->vnm", parts, self.output[heads])
