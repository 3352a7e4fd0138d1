"""What takes the place of factors and errors: nothing, means, or what they are on another prompt.

A mean is over every token of a reference set, each vector of which is encoded; it is kept for as
long as its baseline and the dictionary are.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.baselines import Baseline
from flowviz.causal.types import Ablation
from flowviz.contexts.encode import open_reader
from flowviz.contexts.together import together
from flowviz.factors.kinds import DEFAULT
from flowviz.factors.types import Dictionary
from flowviz.factors.use.places import OpenAt
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind
from flowviz.interventions.parts import Put
from flowviz.models.loaded import LoadedModel

TOKENS_AT_ONCE = 2**12
Means = WeakKeyDictionary[Dictionary, dict[tuple[NodeKind, int], Put]]
_means: WeakKeyDictionary[Baseline, Means] = WeakKeyDictionary()


def silent() -> None:
    """Progress that nobody wants to see."""


def put_instead(
    model: LoadedModel,
    key: NodeKey,
    dictionary: Dictionary,
    baseline: Baseline,
    told: Callable[[], None] = silent,
) -> Put:
    """What takes the place of the parts of a node, on the model's device.

    Args:
        told: told before each batch of a reference set is read; may raise to stop.

    Raises:
        RequestError: the baseline is of a prompt that is too short.
    """
    if baseline.kind is Ablation.ZERO:
        nothing = torch.zeros(len(dictionary.atoms), device=model.device)
        return Put(nothing, torch.zeros(model.shape.d_model, device=model.device))
    if baseline.kind is not Ablation.MEAN:
        return _mean(_row(model, key, baseline)[None], dictionary)
    kept = _means.setdefault(baseline, WeakKeyDictionary()).setdefault(dictionary, {})
    place = key.kind, key.layer
    if place not in kept:
        kept[place] = _mean(_reference(model, key, baseline, told), dictionary)
    return kept[place]


def _mean(rows: Float[Tensor, "row d_model"], dictionary: Dictionary) -> Put:
    """The means of activations and errors; the latter are what the former leave of the mean row."""
    found = dictionary.encode(rows.detach().cpu().float().numpy())
    sums = np.bincount(found.factors, found.activations, len(dictionary.atoms))
    activations, offset, atoms = (
        torch.from_numpy(each).to(rows)
        for each in (sums / len(rows), dictionary.offset, dictionary.atoms)
    )
    return Put(activations, rows.mean(0) - offset - activations @ atoms)


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


def _reference(
    model: LoadedModel, key: NodeKey, baseline: Baseline, told: Callable[[], None]
) -> Float[Tensor, "row d_model"]:
    """The vectors of a node's place at every token of the reference set."""
    reader, site, rows = open_reader(model), OpenAt.of(key, DEFAULT).site, []
    for batch in together([len(ids) for ids in baseline.prompts], TOKENS_AT_ONCE):
        told()
        rows.append(reader.vectors([baseline.prompts[i] for i in batch], [site])[site])
    return torch.from_numpy(np.concatenate(rows)).to(model.device)
