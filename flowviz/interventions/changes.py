"""Interventions on one pass as arrays: what every hook adds to or multiplies what it shows with.

Each place of the pass is changed affinely, so that the changed pass, frozen, still splits without
loss:

    head      z' = f * z + c          neuron    a' = f * a + c
    state     x' = f * x + c          bias      b' = f * b

A factor is counted where the flow goes: f scales a row of the pattern, or a neuron's gate. What is
put in, c, is a source of its own (`set_heads`, ... in `BIAS_NAMES`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel


class Affine(NamedTuple):
    """What vectors at each position are multiplied with, and what is then added."""

    factor: Float[Tensor, "pos 1"]
    put: Float[Tensor, "pos d_model"]

    def __call__(self, vectors: Float[Tensor, "... pos d_model"]) -> Tensor:
        """What becomes of vectors."""
        return vectors * self.factor.to(vectors) + self.put.to(vectors)


@dataclass(frozen=True, eq=False)
class PartsChanged:
    """What was done to factors and error of one vector.

    Args:
        dictionary: whose factors.
        factors: by number, the activation that each has now.
        change: by how much the vector changed.
    """

    dictionary: str
    factors: dict[int, float]
    change: Float[Tensor, " d_model"]


@dataclass(frozen=True, eq=False)
class Changes:
    """All changes of one pass; a place that is not in a table stays as it is.

    Args:
        model: the model.
        positions: how many tokens the pass has.
        vectors: of embeddings (layer 0) and of hidden states, by kind and layer.
        heads: by layer, the factor of each head at each position.
        sources: by layer, the factor of what each head reads from where.
        read_z: by layer, what the z of heads gains by that; not a source of its own.
        add_z: by layer, what is put in place of, or added to, each head's z.
        neurons, add_post: the same for neurons.
        biases: by name and layer, the factor of a bias that is written into the stream.
        parts: by node, what was done to its factors; it is in `vectors` already.
    """

    model: LoadedModel
    positions: int
    vectors: dict[tuple[NodeKind, int], Affine] = field(default_factory=dict)
    heads: dict[int, Float[Tensor, "pos head"]] = field(default_factory=dict)
    sources: dict[int, Float[Tensor, "head pos pos"]] = field(default_factory=dict)
    read_z: dict[int, Float[Tensor, "pos head d_head"]] = field(default_factory=dict)
    add_z: dict[int, Float[Tensor, "pos head d_head"]] = field(default_factory=dict)
    neurons: dict[int, Float[Tensor, "pos d_mlp"]] = field(default_factory=dict)
    add_post: dict[int, Float[Tensor, "pos d_mlp"]] = field(default_factory=dict)
    biases: dict[tuple[str, int], Float[Tensor, "pos 1"]] = field(default_factory=dict)
    parts: dict[NodeKey, PartsChanged] = field(default_factory=dict)

    def vector(self, kind: NodeKind, layer: int) -> Affine:
        """The change of embeddings or states, made where there is none yet."""
        if (kind, layer) not in self.vectors:
            nothing = self._like(0.0, self.model.shape.d_model)
            self.vectors[kind, layer] = Affine(self._like(1.0, 1), nothing)
        return self.vectors[kind, layer]

    def bias(self, name: str, layer: int) -> Float[Tensor, "pos 1"]:
        """The factor of a written bias, made where there is none yet."""
        return self.biases.setdefault((name, layer), self._like(1.0, 1))

    def of_heads(self, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        """`heads`, `read_z` and `add_z` of a layer, made where there are none yet."""
        attention = self.model.blocks[layer].attention
        if layer not in self.heads:
            self.heads[layer] = self._like(1.0, attention.heads)
            for table in (self.read_z, self.add_z):
                table[layer] = self._like(0.0, attention.heads, attention.d_head)
        return self.heads[layer], self.read_z[layer], self.add_z[layer]

    def of_sources(self, layer: int) -> Float[Tensor, "head pos pos"]:
        """`sources` of a layer, made where there are none yet."""
        self.of_heads(layer)
        if layer not in self.sources:
            heads, size = self.model.blocks[layer].attention.heads, self.positions
            self.sources[layer] = torch.ones(heads, size, size, device=self.model.device)
        return self.sources[layer]

    def of_neurons(self, layer: int) -> tuple[Tensor, Tensor]:
        """`neurons` and `add_post` of a layer, made where there are none yet."""
        if layer not in self.neurons:
            count = self.model.blocks[layer].mlp.neurons
            self.neurons[layer] = self._like(1.0, count)
            self.add_post[layer] = self._like(0.0, count)
        return self.neurons[layer], self.add_post[layer]

    def until(self, positions: int) -> Changes:
        """The same changes of a pass that ends earlier, for hooks; also where autograd runs."""

        def cut(table: dict[Any, Tensor]) -> dict[Any, Tensor]:
            return {place: value[:positions].clone() for place, value in table.items()}

        vectors = {
            place: Affine(change.factor[:positions].clone(), change.put[:positions].clone())
            for place, change in self.vectors.items()
        }
        tables = ("heads", "read_z", "add_z", "neurons", "add_post", "biases")
        shorter = {name: cut(getattr(self, name)) for name in tables}
        return replace(self, positions=positions, vectors=vectors, sources={}, **shorter)

    def z(self, layer: int, z: Float[Tensor, "... pos head d_head"]) -> Tensor:
        """What heads give instead of z."""
        factor, read, added = self.of_heads(layer)
        return z * factor[..., None].to(z) + (read + added).to(z)

    def post(self, layer: int, post: Float[Tensor, "... pos d_mlp"]) -> Tensor:
        """What neurons give instead."""
        factor, added = self.of_neurons(layer)
        return post * factor.to(post) + added.to(post)

    def pattern(self, layer: int, pattern: Float[Tensor, "head pos pos"]) -> Tensor:
        """The attention that the changed heads' outputs follow from."""
        factor = self.heads[layer].T[:, :, None].to(pattern)
        sources = self.sources.get(layer)
        return pattern * factor * (1.0 if sources is None else sources.to(pattern))

    def _like(self, value: float, *sizes: int) -> Tensor:
        dtype = torch.float64 if self.model.dtype == torch.float64 else torch.float32
        size = (self.positions, *sizes)
        return torch.full(size, value, device=self.model.device, dtype=dtype)
