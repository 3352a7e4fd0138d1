"""Factors and errors of a vector, changed: x' = x + Σ_f (a'_f - a_f) d_f + error' - error.

The activations a_f are those that the vector has in the very pass that is changed, when it comes
there; a'_f is the factor times a_f, what it is clamped to, its mean, or what it is on another
prompt; error' is like it. All changes of one vector are of the same split of it. What a sublayer
adds is changed in the state that it is added to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.baselines import Baseline
from flowviz.errors import RequestError
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.opened import next_state, node_vector
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind
from flowviz.interventions.changes import Changes, PartsChanged
from flowviz.interventions.places import Place
from flowviz.interventions.types import Clamp, How, Instead
from flowviz.trace import Trace


class Put(NamedTuple):
    """What takes the place of a vector's parts."""

    activations: Float[Tensor, " factor"]
    error: Float[Tensor, " d_model"]


@dataclass(frozen=True, eq=False)
class Parts:
    """A vector in its factors.

    Args:
        activations: of the active ones; `atom`, the direction of any.
        error: what they and the offset do not hold.
        put: what takes their place, of a reference set or another prompt; tells of every batch.
    """

    activations: Mapping[int, float]
    atom: Callable[[int], Float[Tensor, " d_model"]]
    error: Float[Tensor, " d_model"]
    put: Callable[[Baseline, Callable[[], None]], Put]


Split = Callable[[NodeKey, str, Tensor], Parts]
"""Splits the vector of a node by a dictionary of that name. Raises RequestError."""


class Given(NamedTuple):
    """What changes take from elsewhere.

    Args:
        values: what is put in, where something is.
        split: splits a vector into factors, where some are changed.
        told: told of whatever takes a while; may raise to stop.
    """

    values: Callable[[Instead], Baseline]
    split: Split | None
    told: Callable[[], None]


@torch.inference_mode()
def change_parts(
    changes: Changes, trace: Trace, key: NodeKey, places: Sequence[Place], given: Given
) -> None:
    """Changes parts of one vector.

    Args:
        trace: the pass as it has come to the vector.
        key: the node that they are parts of.

    Raises:
        RequestError: they are of two dictionaries, or of none that is known here; or what is put in
            is not to be had.
    """
    names = {place.dictionary for place in places}
    if given.split is None or len(names) > 1 or None in names:
        several = "they are of two dictionaries. Keep one."
        why = several if len(names) > 1 else "no dictionary is known."
        raise RequestError(f"The factors of {key} cannot be changed: {why}")
    (name,) = names
    flow = flow_of(changes.model, trace, FlowTarget(changes.positions - 1, 0))
    vector = node_vector(flow, key)
    parts = given.split(key, str(name), vector)
    change, factors = torch.zeros_like(vector), dict[int, float]()
    for place in places:
        put = None
        if isinstance(place.how, Instead):
            _check_put(changes, key)
            put = parts.put(given.values(place.how), given.told)
        if place.key.kind is NodeKind.ERROR:
            then = place.factor * parts.error if put is None else put.error.to(vector)
            change += then - parts.error
            continue
        index, atom = place.key.index, parts.atom(place.key.index)
        own = parts.activations.get(index, 0.0)
        factors[index] = _active(place.how, own) if put is None else float(put.activations[index])
        change += (factors[index] - own) * atom
    behind = next_state(flow, key) if key.kind in OUTPUTS else key
    put = changes.vector(behind.kind, behind.layer).put
    put[key.position] += change.to(put)
    changes.parts[key] = PartsChanged(str(name), factors, change)


def _active(how: How, own: float) -> float:
    """How active a factor then is, that was as active as `own`."""
    if isinstance(how, Clamp):
        return how.activation
    assert not isinstance(how, Instead)
    return how * own


def _check_put(changes: Changes, key: NodeKey) -> None:
    if key.kind in OUTPUTS and changes.model.blocks[key.layer].parallel:
        raise RequestError(
            f"Parts of {key} take no value from elsewhere where attention and MLP of a block read "
            "the same state. Switch them off, scale or clamp them, or change a hidden state."
        )
