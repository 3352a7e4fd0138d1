"""Nodes of a flow in their factors: what `flowviz.graph.opened` draws.

    x = offset + Σ_f a_f d_f + error

The activations are the dictionary's; the error is what is left of the vector as the flow has it, so
that the parts sum to it in the flow's own precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.factors.types import Dictionary, Split
from flowviz.factors.use.places import OpenAt
from flowviz.factors.use.replaced import put_instead
from flowviz.flow import Flow
from flowviz.graph.opened import Opened, OpenedNode, direct_at, gradient_at, node_vector
from flowviz.graph.scored import Scored
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind, OpenedPlace
from flowviz.interventions.changes import PartsChanged
from flowviz.interventions.parts import Parts
from flowviz.interventions.parts import Split as Changing
from flowviz.models.loaded import LoadedModel

Named = Callable[[str], Dictionary]
K = NodeKind


def open_nodes(scored: Scored, places: Sequence[OpenAt], named: Named) -> Opened:
    """Splits nodes of a flow, and of the flow before interventions where there are some.

    Args:
        named: gives a dictionary by its name.

    Raises:
        RequestError: the pass has no such node, or the dictionary is of other vectors.
    """
    if not places:
        return Opened()
    nodes = tuple(_open(scored.flow, place, named) for place in places)
    if scored.changed is None:
        return Opened(nodes)
    clean = scored.changed.clean.flow
    return Opened(nodes, tuple(_open(clean, place, named) for place in places))


def _open(flow: Flow, place: OpenAt, named: Named) -> OpenedNode:
    key = checked_key(flow.model, flow.positions, place)
    dictionary = named(place.dictionary)
    check_fits(flow.model, place, dictionary)
    vector = node_vector(flow, key)
    done = parts_changed(flow, key, place.dictionary)
    if done is None:
        return opened_node(flow, key, vector, split_of(dictionary, vector), dictionary)
    before = vector - done.change
    split = split_of(dictionary, before)
    own = dict(zip(split.factors, split.activations, strict=True)) | done.factors
    factors, activations = tuple(own), tuple(own.values())
    return opened_node(
        flow, key, vector, replace(split, factors=factors, activations=activations), dictionary
    )


def parts_changed(flow: Flow, key: NodeKey, dictionary: str) -> PartsChanged | None:
    """What interventions did to a state's factors; None where they did nothing, or changed the
    whole state as well, which is then split as it has become."""
    changes = flow.trace.changes
    done = None if changes is None or key.kind in OUTPUTS else changes.parts.get(key)
    if changes is None or done is None or done.dictionary != dictionary:
        return None
    whole = changes.vector(key.kind, key.layer).factor[key.position]
    return done if float(whole) == 1 else None


def splitting(model: LoadedModel, named: Named | None) -> Changing | None:
    """How interventions split the vectors of a model."""
    if named is None:
        return None

    def split(key: NodeKey, name: str, vector: Tensor) -> Parts:
        dictionary = named(name)
        check_fits(model, OpenAt.of(key, name), dictionary)
        found = split_of(dictionary, vector)
        atoms = dictionary.atoms

        def atom(index: int) -> Tensor:
            if index >= len(atoms):
                raise RequestError(
                    f"The dictionary {name} has factors 0 to {len(atoms) - 1}, and none of number "
                    f"{index}."
                )
            return torch.from_numpy(atoms[index]).to(vector)

        activations = dict(zip(found.factors, found.activations, strict=True))
        parts = [activation * atom(index) for index, activation in activations.items()]
        offset = torch.from_numpy(found.offset).to(vector)
        error = vector - offset - sum(parts, torch.zeros_like(vector))
        return Parts(activations, atom, error, partial(put_instead, model, key, dictionary))

    return split


def split_of(dictionary: Dictionary, vector: Float[Tensor, " d_model"]) -> Split:
    """One vector in its factors."""
    return dictionary.split(vector.detach().cpu().float().numpy()[None])[0]


@torch.inference_mode()
def opened_node(
    flow: Flow,
    key: NodeKey,
    vector: Float[Tensor, " d_model"],
    split: Split,
    dictionary: Dictionary,
) -> OpenedNode:
    """A node in its parts, in a flow."""
    factors = np.array(split.factors, dtype=np.int64)
    atoms = torch.from_numpy(dictionary.atoms[factors]).to(vector)
    parts = atoms * torch.tensor(split.activations).to(vector)[:, None]
    offset = torch.from_numpy(split.offset).to(vector)
    error = vector - offset - parts.sum(0)
    size = float((vector - offset).square().sum())
    explained = 1 - float(error.square().sum()) / max(size, 1e-30)
    place = OpenedPlace(key, dictionary.about.name, explained, len(factors))
    keys = [part_key(key, K.FACTOR, int(factor)) for factor in split.factors]
    return OpenedNode(
        place,
        vector,
        (*keys, part_key(key, K.OFFSET), part_key(key, K.ERROR)),
        torch.cat([parts, offset[None], error[None]]),
        (*split.activations, None, None),
        gradient_at(flow, key),
        direct_at(flow, key),
    )


def part_key(key: NodeKey, kind: NodeKind, index: int = 0) -> NodeKey:
    """A part of a node."""
    return NodeKey(kind, key.layer, key.position, index, part_of=key.kind)


def checked_key(model: LoadedModel, positions: int, place: OpenAt) -> NodeKey:
    """The node that is opened. Raises RequestError where the pass has none."""
    key, layers = place.key(len(model.blocks)), len(model.blocks)
    if key.layer >= layers and key.kind is not K.RESID_FINAL:
        has = f"{model.shape.name} has blocks 0 to {layers - 1}"
    elif key.position >= positions:
        has = f"positions 0 to {positions - 1} stand up to the target"
    elif key.kind is K.RESID_MID and model.blocks[key.layer].parallel:
        has = "attention and MLP of this block read the same state"
    else:
        return key
    raise RequestError(f"{place} cannot be opened: {has}. Close it, or choose another node.")


def check_fits(model: LoadedModel, place: OpenAt, dictionary: Dictionary) -> None:
    """Raises RequestError where a dictionary is of other vectors than those of a place."""
    about = dictionary.about
    if about.width != model.shape.d_model:
        raise RequestError(
            f"The dictionary {about.name} is of vectors of {about.width:,} numbers; those of "
            f"{model.shape.name} have {model.shape.d_model:,}. It is another model's."
        )
    if place.site not in about.sites:
        raise RequestError(
            f"The dictionary {about.name} was learned on {', '.join(map(str, about.sites))}; it "
            f"says nothing of {place.site}. Choose another dictionary, or another node."
        )
