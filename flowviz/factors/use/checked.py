"""Opened nodes for causal checks: how their vectors split, and what takes each part's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from flowviz.blend import blend, blend_gradients
from flowviz.causal.baselines import Baseline
from flowviz.causal.parts import OpenedPart, check_checkable
from flowviz.factors.types import Dictionary
from flowviz.factors.use.places import OpenAt
from flowviz.factors.use.replaced import put_instead, silent
from flowviz.factors.use.split import Named
from flowviz.graph.opened import Opened, OpenedNode, gradient_by
from flowviz.graph.scored import Scored
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.request import Score
from flowviz.scores import gradients_of


def parts_to_check(
    scored: Scored,
    opened: Opened,
    places: Sequence[OpenAt],
    named: Named,
    baseline: Baseline,
    told: Callable[[], None] = silent,
) -> tuple[OpenedPart, ...]:
    """What a check needs of each opened node.

    Args:
        told: told before each batch of a reference set is read; may raise to stop.

    Raises:
        RequestError: a node's vector cannot be replaced in a pass.
    """
    found = []
    for node, place in zip(opened.nodes, places, strict=True):
        dictionary = named(place.dictionary)
        check_checkable(scored.flow.model, node.key)
        found.append(_part(scored, node, dictionary, baseline, told))
    return tuple(found)


def _part(
    scored: Scored,
    node: OpenedNode,
    dictionary: Dictionary,
    baseline: Baseline,
    told: Callable[[], None],
) -> OpenedPart:
    like = node.vector
    atoms = torch.from_numpy(dictionary.atoms).to(like)
    active = torch.zeros(len(atoms), dtype=torch.bool)
    active[[key.index for key in node.keys if key.kind is NodeKind.FACTOR]] = True

    def encode(vectors: Tensor) -> Tensor:
        return _dense(dictionary, vectors).to(like)

    offset = torch.from_numpy(dictionary.offset).to(like)
    put = put_instead(scored.flow.model, node.key, dictionary, baseline, told)
    instead, error = put.activations.to(like), put.error.to(like)
    return OpenedPart(node.key, atoms, offset, active, encode, instead, error)


def _dense(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The activations of all factors: row by factor."""
    found = dictionary.encode(vectors.detach().cpu().float().numpy())
    rows = np.repeat(np.arange(found.rows), np.diff(found.starts))
    made = np.zeros((found.rows, len(dictionary.atoms)), np.float32)
    made[rows, found.factors] = found.activations
    return torch.from_numpy(made)


def scores_of_parts(
    scored: Scored, opened: Opened, parts: Sequence[OpenedPart]
) -> dict[str, dict[NodeKey, float]]:
    """What every score says of replacing each active factor and each error alone."""
    if not opened:
        return {}
    flow = scored.flow
    here = gradients_of(flow)
    along = blend_gradients(flow, here)
    found: dict[str, dict[NodeKey, float]] = {score.value: {} for score in Score}
    for node, part in zip(opened.nodes, parts, strict=True):
        keys, changes = _changes(node, part)
        by_flow = changes @ node.gradient
        by_gradients = changes @ gradient_by(flow, along, node.key)
        no_way = torch.zeros_like(by_flow)
        said = {
            Score.FLOW: by_flow,
            Score.BLEND: blend(by_flow, by_gradients),
            Score.GRADIENT: changes @ gradient_by(flow, here, node.key),
            Score.DIRECT: no_way if node.direct is None else changes @ node.direct,
        }
        for score, values in said.items():
            found[score.value] |= dict(zip(keys, values.tolist(), strict=True))
    return found


def _changes(node: OpenedNode, part: OpenedPart) -> tuple[list[NodeKey], Tensor]:
    """Factors and error, and by how much the node's vector loses with each."""
    rows = [row for row, key in enumerate(node.keys) if key.kind is not NodeKind.OFFSET]
    keys = [node.keys[row] for row in rows]
    put = [
        part.instead_error
        if key.kind is NodeKind.ERROR
        else part.instead[key.index] * part.atoms[key.index]
        for key in keys
    ]
    return keys, node.vectors[rows] - torch.stack(put)
