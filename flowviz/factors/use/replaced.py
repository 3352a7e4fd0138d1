"""What takes the place of factors and errors: nothing, means, or what they are on another prompt.

A mean is over every token of a reference set, each vector of which is encoded; it is kept for as
long as its baseline is.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.baselines import Baseline
from flowviz.causal.parts import site_rows
from flowviz.causal.types import Ablation
from flowviz.factors.types import Dictionary
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind
from flowviz.interventions.parts import Put
from flowviz.models.loaded import LoadedModel
from flowviz.trace import record

AT_ONCE = 4096  # vectors of a reference set that are encoded at once
_means: WeakKeyDictionary[Baseline, list[tuple[Dictionary, NodeKind, int, Put]]] = (
    WeakKeyDictionary()
)


def put_instead(
    model: LoadedModel, key: NodeKey, dictionary: Dictionary, baseline: Baseline
) -> Put:
    """What takes the place of the parts of a node, on the model's device.

    Raises:
        RequestError: the baseline is of a prompt that is too short.
    """
    if baseline.kind is Ablation.ZERO:
        nothing = torch.zeros(len(dictionary.atoms), device=model.device)
        return Put(nothing, torch.zeros(model.shape.d_model, device=model.device))
    if baseline.kind is not Ablation.MEAN:
        return _mean(_row(model, key, baseline)[None], dictionary)
    kept = _means.setdefault(baseline, [])
    for known, kind, layer, put in kept:
        if known is dictionary and (kind, layer) == (key.kind, key.layer):
            return put
    put = _mean(torch.cat(list(_reference(model, key, baseline))), dictionary)
    kept.append((dictionary, key.kind, key.layer, put))
    return put


def _mean(rows: Float[Tensor, "row d_model"], dictionary: Dictionary) -> Put:
    activations = dense(dictionary, rows).to(rows)
    offset = torch.from_numpy(dictionary.offset).to(rows)
    atoms = torch.from_numpy(dictionary.atoms).to(rows)
    return Put(activations.mean(0), (rows - offset - activations @ atoms).mean(0))


def _row(model: LoadedModel, key: NodeKey, baseline: Baseline) -> Float[Tensor, " d_model"]:
    """The vector of another prompt at the same position."""

    def row(kind: NodeKind, layer: int) -> Tensor:
        return baseline.row(baseline.states[kind, layer], key.position)

    if key.kind not in OUTPUTS:
        return row(key.kind, key.layer)
    if key.kind is NodeKind.ATTN_OUT:
        return row(NodeKind.RESID_MID, key.layer) - row(NodeKind.RESID_PRE, key.layer)
    last = key.layer + 1 == len(model.blocks)
    behind = row(NodeKind.RESID_FINAL if last else NodeKind.RESID_PRE, key.layer + 1)
    return behind - row(NodeKind.RESID_MID, key.layer)


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
