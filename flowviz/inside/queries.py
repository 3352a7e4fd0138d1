"""Draws queries and keys: what a head looks for, and by what its keys are found.

    norm ─▶ query ─▶ queries of heads ┄ keys ┄ values        (┄ the attention weight)

They carry no flow, because patterns are frozen. Each is read through the QK circuit of its own
head as a direction of the residual stream (`flowviz/attention/queries_keys.py`): a query as what
it looks for at the source, a key as what finds it. With rotary positions both are read as they are
compared, a query turned to the source that its head attends most, a key as seen from here; or,
before rotation, as if both stood at one place. The query of the whole block is the sum of the
queries of all its heads, drawn or not. Where the pattern that follows from queries and keys is not
the model's own, both are drawn without a reading.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from flowviz.attention.queries_keys import AttentionTrace, key_directions, query_directions
from flowviz.inside.choose import Chosen
from flowviz.inside.heads import HeadsAt
from flowviz.inside.request import Rotary
from flowviz.inside.sketch import Sketch
from flowviz.inside.types import PartEdgeKind, PartKey, PartKind


def draw_queries(
    sketch: Sketch,
    heads: HeadsAt,
    chosen: Chosen,
    reader: PartKey,
    directions: tuple[Tensor, Tensor] | None,
) -> None:
    """Draws all of it behind the values.

    Args:
        directions: those of all heads' queries and of the chosen keys; None where they are wrong.
    """
    if not chosen.heads:
        return
    place = heads.place
    asked, found = (None, None) if directions is None else directions
    query = sketch.part(place.key(PartKind.QUERY), None, None if asked is None else asked.sum(0))
    sketch.join(reader, query, PartEdgeKind.QUERY)
    for head in chosen.heads:
        key = sketch.part(
            place.key(PartKind.HEAD_QUERY, head), None, None if asked is None else asked[head]
        )
        sketch.join(query, key, PartEdgeKind.QUERY)
    _draw_keys(sketch, heads, chosen, reader, found)


def _draw_keys(
    sketch: Sketch, heads: HeadsAt, chosen: Chosen, reader: PartKey, found: Tensor | None
) -> None:
    place = heads.place
    for row, (head, source) in enumerate(chosen.values):
        weight = float(heads.weights[head, source])
        vector = None if found is None else found[row]
        key = sketch.part(place.key(PartKind.KEY, head, source), None, vector, activation=weight)
        state = reader if source == place.at else place.key(PartKind.MEMORY, source=source)
        asks, value = place.key(PartKind.HEAD_QUERY, head), place.key(PartKind.VALUE, head, source)
        sketch.join(state, key, PartEdgeKind.READ)
        sketch.join(asks, key, PartEdgeKind.ATTEND, weight=weight)
        sketch.join(key, value, PartEdgeKind.ATTEND, weight=weight)


def directions_of(
    heads: HeadsAt, chosen: Chosen, attention: AttentionTrace, rotary: Rotary
) -> tuple[Tensor, Tensor] | None:
    """What all heads look for, and what finds the chosen keys; None where they are wrong."""
    if not attention.exact:
        return None
    place, device = heads.place, heads.z.device
    model, rotated = place.flow.model, rotary is Rotary.POSITIONS
    most = heads.weights.argmax(1) if rotated else None
    asked = query_directions(model, place.layer, attention, place.at, most)
    pairs = torch.tensor(chosen.values, dtype=torch.long, device=device).reshape(-1, 2)
    found = key_directions(
        model, place.layer, attention, place.at, pairs[:, 0], pairs[:, 1], rotated
    )
    return asked, found


def is_rotated(attentions: Sequence[AttentionTrace], rotary: Rotary) -> bool | None:
    """How queries and keys are read; None where no block has rotary positions."""
    if all(attention.rotation is None for attention in attentions):
        return None
    return rotary is Rotary.POSITIONS


def pattern_error(attentions: Sequence[AttentionTrace]) -> float:
    """The largest difference; infinite where the queries and keys of a block cannot be read."""
    errors = [attention.pattern_error for attention in attentions]
    return math.inf if any(map(math.isnan, errors)) else max(errors)
