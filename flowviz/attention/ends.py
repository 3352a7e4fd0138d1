"""One end of a score, query or key, as a sum of what was written there and of biases.

With the scales of the norms frozen, what an end reads becomes a part of its query (or key) by a
linear map: through ln1, W_Q, the norm on queries, and the rotation. Two ways through it are taken:

    backwards   the other end's vector becomes one direction in the stream; every component's share
                is its product with that direction, by one matrix product a sublayer
    forwards    the vectors of a few components become parts in the head's own dimensions

Biases enter inside: that of ln1, of W_Q, and of the norm behind it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.attention.head import Head, UpTo
from flowviz.attention.queries_keys import Reading
from flowviz.attention.why_types import Inside
from flowviz.graph import circuit
from flowviz.graph.types import NodeKey
from flowviz.graph.vectors import component_vectors
from flowviz.models.block import Block
from flowviz.models.parts import Norm, exact
from flowviz.values import NodeValues


@dataclass(frozen=True, eq=False)
class End:
    """The query of a head at a position, or the key that it reads at one.

    Args:
        reading: all queries, or all keys, of the block.
        index: which head of these.
        at: the position.
        positions: how many positions of the pass the query sees, at most.
    """

    head: Head
    reading: Reading
    index: int
    at: int
    positions: int

    @classmethod
    def query(cls, head: Head, at: int) -> End:
        """The end that looks."""
        return cls(head, head.attention.queries, head.head, at, at + 1)

    @classmethod
    def key(cls, head: Head, at: int, query: int) -> End:
        """The end that is looked at, from a query's position."""
        return cls(head, head.attention.keys, head.key_head, at, query + 1)

    @cached_property
    def whole(self) -> Float[Tensor, " d_head"]:
        """The query, or the key, as it is compared."""
        return self.reading.some(*self._indices)[0]

    @torch.inference_mode()
    def shares(
        self, other: Float[Tensor, " d_head"], at: Int[Tensor, " n"] | None = None
    ) -> NodeValues:
        """What every component of the pass gives to the product with another vector.

        Args:
            at: the positions where it is asked, each as if this end stood there; None for its own.
        """
        own, _, _ = self._indices
        at = own if at is None else at
        part = self.head.trace.blocks[self.head.layer]
        heads = torch.full_like(at, self.index)
        pulled = self.reading.pull(other.expand(len(at), -1), at, heads, at)
        direction = torch.zeros_like(part.resid_pre[: self.positions])
        direction[at] = self._block.attention.norm.pull(pulled)
        share = torch.zeros_like(part.ln1_scale[: self.positions, 0])
        share[at] = 1 / part.ln1_scale[at, 0]
        how = circuit.Reading(direction, share, part.resid_pre[: self.positions])
        return circuit.read_values(self._pass, how, 2 * self.head.layer)

    @torch.inference_mode()
    def parts(self, keys: list[NodeKey]) -> Float[Tensor, "part d_head"]:
        """The parts of some components, and behind them that of all others together."""
        vectors = self._carried(keys)
        rest = self.head.trace.blocks[self.head.layer].resid_pre[self.at] - vectors.sum(0)
        return self._made(torch.cat([vectors, rest[None]]))

    @property
    def biases(self) -> dict[Inside, Float[Tensor, " d_head"]]:
        """The parts of the biases inside that there are."""
        return {what: parts[0] for what, parts in self.biases_at(self._indices[0]).items()}

    def biases_at(self, at: Int[Tensor, " n"]) -> dict[Inside, Float[Tensor, "n d_head"]]:
        """The same at some positions, as if this end stood there."""
        side, found = self.reading.side, {}
        nothing = self.whole.new_zeros(len(at), len(self.whole))
        bias = self._block.attention.norm.bias
        if bias is not None:
            made = self._project(exact(bias, nothing)[None])
            found[Inside.LN1] = self._compared(nothing + made, at)
        if side.bias is not None:
            made = exact(side.bias[self.index], nothing)
            found[Inside.PROJECTION] = self._compared(nothing + made, at)
        if side.norm.bias is not None:
            found[Inside.NORM] = self._compared(nothing, at, with_bias=True)
        return found

    def _carried(self, keys: list[NodeKey]) -> Float[Tensor, "n d_model"]:
        """What some components wrote, behind the norms on the stream that follow them."""
        vectors = component_vectors(self._pass, keys)
        by_step: dict[int, list[int]] = defaultdict(list)
        for row, key in enumerate(keys):
            by_step[circuit.first_step(self._pass, key)].append(row)
        for step, rows in by_step.items():
            last = 4 * self.head.layer
            vectors[rows] = circuit.sent_on(self._pass, vectors[rows], self.at, step, last)
        return vectors

    def _made(self, vectors: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_head"]:
        scale = self.head.trace.blocks[self.head.layer].ln1_scale[self.at]
        read = self._block.attention.norm.apply(vectors, scale)
        at, _, _ = self._indices
        return self._compared(self._project(read), at.expand(len(read)))

    def _project(self, read: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_head"]:
        return read @ exact(self.reading.side.read()[self.index], read)

    def _compared(
        self, made: Float[Tensor, "n d_head"], at: Int[Tensor, " n"], with_bias: bool = False
    ) -> Float[Tensor, "n d_head"]:
        """Parts of what W_Q made at some positions, as compared; without the norm's bias."""
        reading, rows = self.reading, torch.arange(len(made), device=made.device)
        norm = reading.side.of(self._indices[1])
        norm = norm if with_bias else Norm(norm.weight, None, norm.centred, norm.eps)
        alone = Reading(
            replace(reading.side, norm=norm),
            made[:, None],
            reading.scale[at, self.index][:, None],
            reading.rotation,
            reading.norm_last,
        )
        parts = alone.some(rows, torch.zeros_like(rows), at)
        return parts if reading.stretch is None else parts * reading.stretch[at, None]

    @property
    def _block(self) -> Block:
        return self.head.model.blocks[self.head.layer]

    @property
    def _pass(self) -> UpTo:
        return UpTo(self.head.model, self.head.trace, self.positions)

    @property
    def _indices(self) -> tuple[Int[Tensor, "1"], Int[Tensor, "1"], Int[Tensor, "1"]]:
        """Whose vector, which head's, and where it stands."""
        device = self.reading.made.device
        at, head = (torch.tensor([i], device=device) for i in (self.at, self.index))
        return at, head, at
