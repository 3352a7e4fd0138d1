"""Sets of components as masks, so that thousands of them are replaced in one operation.

A component is what writes into the residual stream and depends on the prompt: token embedding,
position embedding, head, neuron, each at a position. Hidden states are sums of components; biases
are constants, the same on every prompt. Neither is ever replaced here. Of a state that is opened,
its factors and its error are components too; its offset is a constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields

import torch
from jaxtyping import Bool
from torch import Tensor

from flowviz.causal.parts import OpenedPart
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.values import NodeValues

COMPONENTS = (NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.HEAD, NodeKind.NEURON)


@dataclass(frozen=True, eq=False)
class Places:
    """A set of components of one pass, at the positions up to the target's.

    Args:
        parts: of each opened node, its factors and, last, its error; nothing where none is opened.
    """

    embed: Bool[Tensor, " pos"]
    pos_embed: Bool[Tensor, " pos"]
    heads: Bool[Tensor, "layer pos head"]
    neurons: Bool[Tensor, "layer pos d_mlp"]
    parts: Bool[Tensor, "opened part"] = field(
        default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool)
    )

    @classmethod
    def none(cls, model: LoadedModel, positions: int, opened: Sequence[OpenedPart] = ()) -> Places:
        """The empty set.

        Args:
            opened: the nodes whose parts are components as well.
        """
        shape = model.shape

        def no(*sizes: int) -> Tensor:
            return torch.zeros(sizes, dtype=torch.bool, device=model.device)

        return cls(
            no(positions),
            no(positions),
            no(shape.layers, positions, shape.heads),
            no(shape.layers, positions, shape.neurons),
            no(len(opened), 1 + max((len(each.atoms) for each in opened), default=-1)),
        )

    @classmethod
    def all(cls, model: LoadedModel, positions: int, opened: Sequence[OpenedPart] = ()) -> Places:
        """Every component that the pass has."""
        places = cls.none(model, positions, opened)
        for row, each in enumerate(opened):
            places.parts[row, : len(each.atoms)] = True
            places.parts[row, -1] = True
        places.embed[:] = True
        places.pos_embed[:] = ("pos_embed", -1) in model.hooks.values()
        for layer, block in enumerate(model.blocks):
            places.heads[layer, :, : block.attention.heads] = True
            places.neurons[layer, :, : block.mlp.neurons] = True
        return places

    @classmethod
    def of(
        cls,
        model: LoadedModel,
        positions: int,
        keys: Iterable[NodeKey],
        opened: Sequence[OpenedPart] = (),
    ) -> Places:
        """The components among some nodes; states, biases, rest and target are passed over."""
        places, rows = cls.none(model, positions, opened), {}
        rows = {each.key: row for row, each in enumerate(opened)}
        for key in keys:
            if key.kind in COMPONENTS:
                places._mask(key.kind)[key.layer, key.position, key.index] = True
            elif key.kind in (NodeKind.FACTOR, NodeKind.ERROR) and key.whole() in rows:
                column = key.index if key.kind is NodeKind.FACTOR else -1
                places.parts[rows[key.whole()], column] = True
        return places

    def _mask(self, kind: NodeKind) -> Bool[Tensor, "layer pos index"]:
        """The mask of a kind, as a view with dimensions layer, position and index."""
        mask = {
            NodeKind.EMBED: self.embed,
            NodeKind.POS_EMBED: self.pos_embed,
            NodeKind.HEAD: self.heads,
            NodeKind.NEURON: self.neurons,
        }[kind]
        return mask if mask.dim() == 3 else mask[None, :, None]

    def __invert__(self) -> Places:
        """What is not in the set; it may name neurons that a small block does not have."""
        return Places(*(~mask for mask in self._masks()))

    def __and__(self, other: Places) -> Places:
        return Places(*(a & b for a, b in zip(self._masks(), other._masks(), strict=True)))

    def __len__(self) -> int:
        return sum(int(mask.sum()) for mask in self._masks())

    def _masks(self) -> Iterator[Tensor]:
        return (getattr(self, each.name) for each in fields(self))

    def named(self) -> list[NodeKey]:
        """The components by name, in order."""
        masks = ((kind, self._mask(kind)) for kind in COMPONENTS)
        return [NodeKey(kind, *place) for kind, mask in masks for place in mask.nonzero().tolist()]

    def count(self, kind: NodeKind) -> int:
        """How many of one kind are in it."""
        return int(self._mask(kind).sum())

    def random_like(self, every: Places, generator: torch.Generator) -> Places:
        """A random set of the same size, kind by kind, drawn from `every`."""
        drawn = {kind: self._draw(kind, every, generator) for kind in COMPONENTS}
        return Places(
            drawn[NodeKind.EMBED][0, :, 0],
            drawn[NodeKind.POS_EMBED][0, :, 0],
            drawn[NodeKind.HEAD],
            drawn[NodeKind.NEURON],
            _drawn(self.parts, every.parts, generator),
        )

    def _draw(self, kind: NodeKind, every: Places, generator: torch.Generator) -> Tensor:
        return _drawn(self._mask(kind), every._mask(kind), generator)


def _drawn(own: Tensor, there: Tensor, generator: torch.Generator) -> Tensor:
    """As many as one's own, at random from what is there."""
    flat = there.flatten().nonzero()[:, 0]
    chosen = flat[torch.randperm(len(flat), generator=generator)[: int(own.sum())]]
    mask = torch.zeros_like(there).flatten()
    mask[chosen] = True
    return mask.view_as(there)


class Ranked:
    """Components in the order of a score's values, the highest first; ties go by kind and place.

    Args:
        values: one number for each node.
        every: the components that are ranked.
    """

    def __init__(self, values: NodeValues, every: Places) -> None:
        self._every = [(kind, every._mask(kind)) for kind in COMPONENTS]
        numbers = torch.cat([values.of_kind(kind)[mask] for kind, mask in self._every])
        self._order = numbers.argsort(descending=True, stable=True)

    def __len__(self) -> int:
        return len(self._order)

    def first(self, size: int) -> Places:
        """So many of them."""
        picked = torch.zeros(len(self), dtype=torch.bool, device=self._order.device)
        picked[self._order[:size]] = True
        masks, start = {}, 0
        for kind, there in self._every:
            mask, count = torch.zeros_like(there), int(there.sum())
            mask[there] = picked[start : start + count]
            masks[kind], start = mask, start + count
        return Places(
            masks[NodeKind.EMBED][0, :, 0],
            masks[NodeKind.POS_EMBED][0, :, 0],
            masks[NodeKind.HEAD],
            masks[NodeKind.NEURON],
        )
