"""One number for every node of a pass, with typed identity instead of offsets.

Flow, influence, gradient and direct attribution are each a `NodeValues`; only this module knows
how a `NodeKey` and an array's indices belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import BIAS_NAMES, ModelShape, NodeKey, NodeKind


@dataclass(frozen=True, eq=False)
class NodeValues:
    """Values by node. Positions run up to the target's position, which is the last.

    `biases` has a row for each of `BIAS_NAMES`; what stands after the last block (the final
    norm's bias and the unembedding's) is at the layer behind the last.
    """

    embed: Float[Tensor, " pos"]
    pos_embed: Float[Tensor, " pos"]
    resid_pre: Float[Tensor, "layer pos"]
    resid_mid: Float[Tensor, "layer pos"]
    resid_final: Float[Tensor, " pos"]
    heads: Float[Tensor, "layer pos head"]
    neurons: Float[Tensor, "layer pos d_mlp"]
    biases: Float[Tensor, "name layer_and_final pos"]

    @classmethod
    def of(cls, shape: ModelShape, positions: int, like: Tensor) -> NodeValues:
        """Zero everywhere, on the device and in the precision of a tensor."""

        def zeros(*sizes: int) -> Tensor:
            return torch.zeros(*sizes, dtype=like.dtype, device=like.device)

        layers = shape.layers
        return cls(
            embed=zeros(positions),
            pos_embed=zeros(positions),
            resid_pre=zeros(layers, positions),
            resid_mid=zeros(layers, positions),
            resid_final=zeros(positions),
            heads=zeros(layers, positions, shape.heads),
            neurons=zeros(layers, positions, shape.neurons),
            biases=zeros(len(BIAS_NAMES), layers + 1, positions),
        )

    def each(self, change: Callable[[Tensor], Tensor]) -> NodeValues:
        """The same change made to all values."""
        return NodeValues(
            **{field.name: change(getattr(self, field.name)) for field in fields(self)}
        )

    def at_one(self, change: Callable[[Tensor], Tensor]) -> NodeValues:
        """Values at one position, made of those at all: keys of what comes back stand at 0.

        Args:
            change: takes the values of a kind with positions first, gives them for one.
        """
        made = {}
        for field in fields(self):
            values = getattr(self, field.name)
            axis = 0 if values.dim() == 1 else 2 if field.name == "biases" else 1
            made[field.name] = change(values.movedim(axis, 0)).unsqueeze(axis).contiguous()
        return NodeValues(**made)

    def parts(self) -> tuple[Tensor, ...]:
        """The values of all kinds, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @property
    def layers(self) -> int:
        """How many blocks there are."""
        return self.heads.shape[0]

    @property
    def positions(self) -> int:
        """How many positions there are, the target's included."""
        return self.embed.shape[0]

    def of_kind(self, kind: NodeKind) -> Float[Tensor, "layer pos index"]:
        """The values of one kind, with dimensions layer, position and index."""
        if kind is NodeKind.BIAS:
            return self.biases.permute(1, 2, 0)
        values = getattr(self, _FIELDS[kind])
        if values.dim() == 1:
            return values[None, :, None]
        return values[:, :, None] if values.dim() == 2 else values

    def __getitem__(self, key: NodeKey) -> float:
        layer = 0 if key.kind is NodeKind.RESID_FINAL else key.layer
        return float(self.of_kind(key.kind)[layer, key.position, key.index])

    def has(self, key: NodeKey) -> bool:
        """Whether the pass has that node."""
        if key.kind not in _FIELDS and key.kind is not NodeKind.BIAS:
            return False
        if key.kind is NodeKind.RESID_FINAL and key.layer != self.layers:
            return False
        layer = 0 if key.kind is NodeKind.RESID_FINAL else key.layer
        place = (layer, key.position, key.index)
        return all(i < size for i, size in zip(place, self.of_kind(key.kind).shape, strict=True))

    def key(self, kind: NodeKind, layer: int, position: int, index: int) -> NodeKey:
        """The node at an array's indices."""
        layer = self.layers if kind is NodeKind.RESID_FINAL else layer
        return NodeKey(kind, layer, position, index)

    def total(self, kinds: Iterable[NodeKind]) -> float:
        """The sum over all nodes of these kinds."""
        return sum(self._total(kind) for kind in kinds)

    def _total(self, kind: NodeKind) -> float:
        """Once for each kind: a pass of a thousand tokens has tens of millions of neurons."""
        if kind not in self._totals:
            self._totals[kind] = float(self.of_kind(kind).cpu().sum(dtype=torch.float64))
        return self._totals[kind]

    @cached_property
    def _totals(self) -> dict[NodeKind, float]:
        return {}

    def count(self, kinds: Iterable[NodeKind]) -> int:
        """How many nodes of these kinds have a value other than zero."""
        return sum(int(torch.count_nonzero(self.of_kind(kind))) for kind in kinds)

    def strongest(self, kind: NodeKind, most: int) -> list[tuple[float, NodeKey]]:
        """The nodes of a kind with the largest values above zero; ties go by key.

        All that tie with the last are in, so that a cut made afterwards depends on keys alone.
        """
        values = self.of_kind(kind)
        if not values.numel() or most < 1:
            return []
        high = values >= _at_most(values.amax(-1), most)  # as many rows have a value as high
        last = _at_most(values[high], most)
        places = high.nonzero()[values[high] >= last].tolist()
        found = values[high][values[high] >= last].tolist()
        keys = [self.key(kind, *place) for place in places]
        return sorted(zip(found, keys, strict=True), key=lambda pair: (-pair[0], pair[1]))


def _at_most(values: Tensor, most: int) -> Tensor:
    """The value that so many have or exceed, of the values above zero."""
    tiny = torch.finfo(values.dtype).tiny
    if values.numel() <= most:
        return values.new_tensor(tiny)
    return values.flatten().topk(most).values[-1].clamp(min=tiny)


_FIELDS = {
    NodeKind.EMBED: "embed",
    NodeKind.POS_EMBED: "pos_embed",
    NodeKind.RESID_PRE: "resid_pre",
    NodeKind.RESID_MID: "resid_mid",
    NodeKind.RESID_FINAL: "resid_final",
    NodeKind.HEAD: "heads",
    NodeKind.NEURON: "neurons",
}
