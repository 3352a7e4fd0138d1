"""One end of a score, query or key, as a sum of what was written and of biases.

Every part is a vector in the head's own dimensions (`frozen.py` has the formula). Together they
must leave nothing over, at any position: where they do, something was written that is not among
them, and the score is not taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.attention.why_types import Inside
from flowviz.encoders.frozen import Frozen, Leaf, Wrote
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.models.parts import exact

COMPONENTS = {
    Wrote.TOKENS: NodeKind.EMBED,
    Wrote.POSITIONS: NodeKind.POS_EMBED,
    Wrote.HEADS: NodeKind.HEAD,
    Wrote.NEURONS: NodeKind.NEURON,
}
INSIDES = {
    Wrote.SENTENCES: Inside.SENTENCE,
    Wrote.NORM: Inside.NORMS,
    Wrote.ACROSS: Inside.ACROSS,
    Wrote.PROJECTION: Inside.PROJECTION,
}
OUT_BIASES = {Wrote.HEADS: BIAS_NAMES.index("b_O"), Wrote.NEURONS: BIAS_NAMES.index("b_out")}


@dataclass(frozen=True, eq=False)
class Parts:
    """All parts of one end at one position.

    Args:
        keys: the components, as the flow names them.
        vectors: one for each key.
        insides: what is no component.
        missing: what they leave over at most, at any position, relative to the largest number.
    """

    keys: tuple[NodeKey, ...]
    vectors: Float[Tensor, "part d_head"]
    insides: dict[Inside, Float[Tensor, " d_head"]]
    missing: float


@dataclass(frozen=True, eq=False)
class End:
    """The queries of one head at all positions, or its keys.

    Args:
        compared: as the score takes them, with the graph behind them.
        heads: how many heads a layer of its stream has.
        seen: how many positions means are taken over, from the first.
    """

    frozen: Frozen
    compared: Float[Tensor, "pos d_head"]
    heads: int
    seen: int

    @cached_property
    def whole(self) -> Float[Tensor, "pos d_head"]:
        """The same without the graph."""
        return exact(self.compared.detach())

    def parts(self, at: int) -> Parts:
        """The parts of the query, or key, at a position."""
        read, sums = self._read(at)
        keys: list[NodeKey] = []
        vectors: list[Tensor] = []
        insides: dict[Inside, Tensor] = {}
        for leaf, matrix in zip(self.frozen.leaves, read, strict=True):
            if matrix is None:
                continue
            if leaf.wrote in INSIDES:
                what, made = INSIDES[leaf.wrote], matrix @ leaf.values[at]
                insides[what] = insides[what] + made if what in insides else made
                continue
            for key, vector in _components(leaf, matrix, at, self.heads):
                keys.append(key)
                vectors.append(vector)
        missing = (self.whole - sums).abs().max() / self.whole.abs().max().clamp(min=1e-30)
        return Parts(tuple(keys), torch.stack(vectors), insides, float(missing))

    def _read(self, at: int) -> tuple[list[Tensor | None], Tensor]:
        """Of each leaf the matrix by which the end reads it at a position, [d_head, width]; and
        the sum of all parts at every position."""
        rows: list[list[Tensor]] = [[] for _ in self.frozen.leaves]
        sums = torch.zeros_like(self.whole)
        for one in range(self.compared.shape[-1]):
            for place, grad in self._back(self.compared[:, one].sum()):
                rows[place].append(grad[at])
                sums[:, one] += (grad * self.frozen.leaves[place].values).sum(-1)
        return [torch.stack(found) if found else None for found in rows], sums

    def shares(self, other: Float[Tensor, " d_head"]) -> Float[Tensor, " part"]:
        """The mean over the positions that are seen of every component's product with another
        vector, in the order of `Parts.keys`."""
        found: list[Tensor] = []
        for place, grad in self._back((self.compared * other).sum()):
            leaf = self.frozen.leaves[place]
            if leaf.wrote not in INSIDES:
                found.append(_products(leaf, grad, self.heads)[: self.seen].mean(0))
        return torch.cat(found)

    def inside_shares(self, other: Float[Tensor, " d_head"]) -> dict[Inside, float]:
        """The same of what is no component."""
        found: dict[Inside, float] = {}
        for place, grad in self._back((self.compared * other).sum()):
            leaf = self.frozen.leaves[place]
            if leaf.wrote in INSIDES:
                share = float((leaf.values * grad).sum(-1)[: self.seen].mean())
                found[INSIDES[leaf.wrote]] = found.get(INSIDES[leaf.wrote], 0.0) + share
        return found

    def _back(self, value: Tensor) -> Iterator[tuple[int, Tensor]]:
        cuts = [leaf.cut for leaf in self.frozen.leaves]
        grads = torch.autograd.grad(value, cuts, retain_graph=True, allow_unused=True)
        for place, grad in enumerate(grads):
            rows = None if grad is None else grad.flatten(0, -2)
            if rows is not None and len(rows) == len(self.compared):  # else it will be missing
                yield place, exact(rows)


def _components(
    leaf: Leaf, matrix: Tensor, at: int, heads: int
) -> Iterator[tuple[NodeKey, Tensor]]:
    """The components of a leaf at a position, each with its part: `matrix` times what it wrote."""
    kind = COMPONENTS[leaf.wrote]
    if leaf.out is None or leaf.inside is None:
        yield NodeKey(kind, leaf.layer, at), matrix @ leaf.values[at]
        return
    made = (matrix @ exact(leaf.out.weight)) * leaf.inside[at]  # [d_head, inside]
    parts = made.T if kind is NodeKind.NEURON else made.unflatten(1, (heads, -1)).sum(2).T
    for index, part in enumerate(parts):
        yield NodeKey(kind, leaf.layer, at, index), part
    if leaf.out.bias is not None:
        bias = matrix @ exact(leaf.out.bias)
        yield NodeKey(NodeKind.BIAS, leaf.layer, at, OUT_BIASES[leaf.wrote]), bias


def _products(leaf: Leaf, grad: Tensor, heads: int) -> Float[Tensor, "pos part"]:
    """The products of a leaf's components with a direction, in the order of `_components`."""
    if leaf.out is None or leaf.inside is None:
        return (leaf.values * grad).sum(-1, keepdim=True)
    made = leaf.inside * (grad @ exact(leaf.out.weight))
    if leaf.wrote is Wrote.HEADS:
        made = made.unflatten(1, (heads, -1)).sum(2)
    if leaf.out.bias is None:
        return made
    return torch.cat([made, grad @ exact(leaf.out.bias)[:, None]], 1)
