"""Opened nodes for causal checks: how their vectors split, and what takes each part's place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from flowviz.blend import blend, blend_gradients
from flowviz.causal.baselines import Baseline
from flowviz.causal.parts import OpenedPart, check_checkable, site_rows
from flowviz.causal.types import Ablation
from flowviz.factors.types import Dictionary
from flowviz.factors.use.places import OpenAt
from flowviz.factors.use.split import Named
from flowviz.graph.opened import Opened, OpenedNode, gradient_by
from flowviz.graph.scored import Scored
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.request import Score
from flowviz.scores import gradients_of
from flowviz.trace import record

AT_ONCE = 4096  # vectors of a reference set that are encoded at once


def parts_to_check(
    scored: Scored,
    opened: Opened,
    places: Sequence[OpenAt],
    named: Named,
    baseline: Baseline,
) -> tuple[OpenedPart, ...]:
    """What a check needs of each opened node.

    Raises:
        RequestError: a node's vector cannot be replaced in a pass.
    """
    found = []
    for node, place in zip(opened.nodes, places, strict=True):
        dictionary = named(place.dictionary)
        check_checkable(scored.flow.model, node.key)
        found.append(_part(scored, node, dictionary, baseline))
    return tuple(found)


def _part(
    scored: Scored,
    node: OpenedNode,
    dictionary: Dictionary,
    baseline: Baseline,
) -> OpenedPart:
    like = node.vector
    atoms = torch.from_numpy(dictionary.atoms).to(like)
    active = torch.zeros(len(atoms), dtype=torch.bool)
    active[[key.index for key in node.keys if key.kind is NodeKind.FACTOR]] = True

    def encode(vectors: Tensor) -> Tensor:
        return dense(dictionary, vectors).to(like)

    offset = torch.from_numpy(dictionary.offset).to(like)
    nothing = torch.zeros(len(atoms)).to(like), torch.zeros_like(like)
    instead, error = nothing
    rows = _rows(scored.flow.model, node.key, baseline)
    if rows is not None:
        activations = encode(rows)
        instead = activations.mean(0)
        error = (rows - offset - activations @ atoms).mean(0)
    return OpenedPart(node.key, atoms, offset, active, encode, instead, error)


def _rows(model: LoadedModel, key: NodeKey, baseline: Baseline) -> Tensor | None:
    """The vectors over which the activations that are put in are a mean; None for zero."""
    if baseline.kind is Ablation.ZERO:
        return None
    if baseline.kind is Ablation.MEAN:
        return torch.cat(list(_reference(model, key, baseline)))

    def row(kind: NodeKind, layer: int) -> Tensor:
        return baseline.row(baseline.states[kind, layer], key.position)

    if key.kind not in OUTPUTS:
        return row(key.kind, key.layer)[None]
    if key.kind is NodeKind.ATTN_OUT:
        return (row(NodeKind.RESID_MID, key.layer) - row(NodeKind.RESID_PRE, key.layer))[None]
    last = key.layer + 1 == len(model.blocks)
    behind = row(NodeKind.RESID_FINAL if last else NodeKind.RESID_PRE, key.layer + 1)
    return (behind - row(NodeKind.RESID_MID, key.layer))[None]


def _reference(model: LoadedModel, key: NodeKey, baseline: Baseline) -> Iterator[Tensor]:
    for ids in baseline.prompts:
        yield site_rows(record(model, list(ids)), key)


def dense(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The activations of all factors: row by factor."""
    pieces = []
    for some in vectors.detach().cpu().float().split(AT_ONCE):
        found = dictionary.encode(some.numpy())
        rows = np.repeat(np.arange(found.rows), np.diff(found.starts))
        made = torch.zeros(found.rows, len(dictionary.atoms))
        made[torch.from_numpy(rows), torch.from_numpy(found.factors).long()] = torch.from_numpy(
            found.activations
        )
        pieces.append(made)
    return torch.cat(pieces)


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
