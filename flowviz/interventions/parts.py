"""Factors and errors of a vector, changed: x' = x + Σ_f (a'_f - a_f) d_f + (s - 1) error.

The activations a_f are those that the vector has in the very pass that is changed, when it comes
there; a'_f is the factor times a_f, or the value that it is set to. All changes of one vector are
of the same split of it. What a sublayer adds is changed in the state that it is added to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.opened import next_state, node_vector
from flowviz.graph.types import OUTPUTS, NodeKey, NodeKind
from flowviz.interventions.changes import Changes, PartsChanged
from flowviz.interventions.places import Place
from flowviz.interventions.types import Instead
from flowviz.trace import Trace


@dataclass(frozen=True, eq=False)
class Parts:
    """A vector in its factors.

    Args:
        activations: of the active ones; `atom`, the direction of any.
        error: what they and the offset do not hold.
    """

    activations: Mapping[int, float]
    atom: Callable[[int], Float[Tensor, " d_model"]]
    error: Float[Tensor, " d_model"]


Split = Callable[[NodeKey, str, Tensor], Parts]
"""Splits the vector of a node by a dictionary of that name. Raises RequestError."""


@torch.inference_mode()
def change_parts(
    changes: Changes, trace: Trace, key: NodeKey, places: Sequence[Place], split: Split | None
) -> None:
    """Changes parts of one vector.

    Args:
        trace: the pass as it has come to the vector.
        key: the node that they are parts of.

    Raises:
        RequestError: they are of two dictionaries, or of none that is known here.
    """
    names = {place.dictionary for place in places}
    if split is None or len(names) > 1 or None in names:
        raise RequestError(
            f"The factors of {key} cannot be changed: "
            + ("they are of two dictionaries. Keep one." if split else "no dictionary is known.")
        )
    (name,) = names
    flow = flow_of(changes.model, trace, FlowTarget(changes.positions - 1, 0))
    vector = node_vector(flow, key)
    parts = split(key, str(name), vector)
    change, factors, kept = torch.zeros_like(vector), dict[int, float](), 1.0
    for place in places:
        assert not isinstance(place.how, Instead)
        if place.key.kind is NodeKind.ERROR:
            kept = place.how
            change += (kept - 1) * parts.error
            continue
        own = parts.activations.get(place.key.index, 0.0)
        then = place.how * own
        factors[place.key.index] = then
        change += (then - own) * parts.atom(place.key.index)
    behind = next_state(flow, key) if key.kind in OUTPUTS else key
    put = changes.vector(behind.kind, behind.layer).put
    put[key.position] += change.to(put)
    changes.parts[key] = PartsChanged(str(name), factors, kept, change)
