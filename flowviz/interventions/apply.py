"""From interventions to the pass in which they took place.

Parts are changed in the order in which the model computes them. Most changes are known at once.
Three need what the pass has come to by then, so the pass is run up to each depth that has one:

- what a head no longer reads from a position: its weight there times the value there;
- an edge (path patching): the reader, computed again with its input changed by what the source
  would give instead, all other paths left as they are. What that changes in the reader's output is
  put in there;
- factors and errors of a vector (`parts.py`): how active they are.

Where two interventions name the same part, the later one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

import torch
from torch import Tensor

from flowviz.causal.baselines import Baseline
from flowviz.errors import RequestError
from flowviz.graph.types import BIAS_NAMES, STATES, NodeKey, NodeKind
from flowviz.interventions.changes import Changes
from flowviz.interventions.edges import change_edges
from flowviz.interventions.parts import Given, Split, change_parts
from flowviz.interventions.places import Place, expand
from flowviz.interventions.types import Instead, Intervention
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace, record

Values = Callable[[Instead], Baseline]


@torch.inference_mode()
def record_changed(
    model: LoadedModel,
    ids: list[int],
    interventions: Sequence[Intervention],
    values: Values,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    split: Split | None = None,
) -> Trace:
    """Runs the model with interventions and records the pass.

    Args:
        ids: the prompt.
        values: what is put in, where something is; asked once for each kind.
        split: splits a vector into factors, where some are changed.
        progress: told how many of all parts are changed; may raise to stop.

    Raises:
        RequestError: a part is not in this pass, or cannot be changed as asked.
    """
    changes = Changes(model, len(ids))
    asked: dict[Instead, Baseline] = {}

    def known(instead: Instead) -> Baseline:
        if instead not in asked:
            asked[instead] = values(instead)
        return asked[instead]

    places, done = expand(model, len(ids), interventions), 0
    given = Given(known, split, lambda: progress(done, len(places)))
    for _, group in groupby(places, key=lambda place: place.depth):
        here = list(group)
        given.told()
        done += len(here)
        if any(place.needs_pass for place in here):
            trace = record(model, ids, changes)
            _change_by_pass(changes, trace, here, given)
        for place in here:
            if not place.needs_pass:
                _change(changes, place, known)
    return record(model, ids, changes)


def _change(changes: Changes, place: Place, known: Values) -> None:
    """Changes a whole part."""
    key, how = place.key, place.how
    put = _instead(changes.model, key, known(how)) if isinstance(how, Instead) else None
    at, factors, tables = _tables(changes, key)
    factors[at] = place.factor
    for table in tables:
        table[at] *= place.factor
    if put is not None:
        tables[-1][at] = put.to(tables[-1])


def _tables(changes: Changes, key: NodeKey) -> tuple[tuple[int, ...], Tensor, tuple[Tensor, ...]]:
    """Where a part stands in its tables, its factors, and what is added; put in is the last."""
    if key.kind is NodeKind.HEAD:
        heads, read, added = changes.of_heads(key.layer)
        return (key.position, key.index), heads, (read, added)
    if key.kind is NodeKind.NEURON:
        neurons, added = changes.of_neurons(key.layer)
        return (key.position, key.index), neurons, (added,)
    if key.kind is NodeKind.BIAS:
        return (key.position,), changes.bias(BIAS_NAMES[key.index], key.layer), ()
    change = changes.vector(key.kind, key.layer)
    return (key.position,), change.factor, (change.put,)


def _instead(model: LoadedModel, key: NodeKey, values: Baseline) -> Tensor:
    """What is put in place of a part."""
    if key.kind in STATES:
        rows = values.states[key.kind, key.layer]
    else:
        rows = {
            NodeKind.EMBED: lambda: values.embed,
            NodeKind.POS_EMBED: lambda: values.pos_embed,
            NodeKind.HEAD: lambda: values.heads[key.layer][:, key.index],
            NodeKind.NEURON: lambda: values.neurons[key.layer][:, key.index],
        }[key.kind]()
    return values.row(rows, key.position)


def _change_by_pass(
    changes: Changes,
    trace: Trace,
    places: Sequence[Place],
    given: Given,
) -> None:
    """Changes what depends on what the pass has come to."""
    edges: dict[NodeKey, list[Place]] = defaultdict(list)
    parts: dict[NodeKey, list[Place]] = defaultdict(list)
    for place in places:
        if place.key.part_of:
            parts[place.key.whole()].append(place)
        elif place.reader is not None:
            edges[place.reader].append(place)
        elif place.source is not None:
            _change_source(changes, trace, place)
        elif place.needs_pass:
            _change_inner_bias(changes, trace, place)
    for whole, some in parts.items():
        change_parts(changes, trace, whole, some, given)
    for reader, into in edges.items():
        change_edges(changes, trace, reader, into, given.values)


def _change_source(changes: Changes, trace: Trace, place: Place) -> None:
    """What one head reads from one position."""
    key, source = place.key, place.source
    assert source is not None
    if isinstance(place.how, Instead):
        raise RequestError(
            f"What {key} reads from position {source} can be switched off or scaled. To take it "
            "from elsewhere, change the state at that position."
        )
    attention, part = changes.model.blocks[key.layer].attention, trace.blocks[key.layer]
    weight = part.pattern[key.index, key.position, source]
    value = part.v[source, key.index // attention.queries_per_value]
    changes.of_sources(key.layer)[key.index, key.position, source] = place.factor
    _, read, _ = changes.of_heads(key.layer)
    read[key.position, key.index] += ((place.factor - 1) * weight * value).to(read)


def _change_inner_bias(changes: Changes, trace: Trace, place: Place) -> None:
    """A bias inside heads' values, or inside neurons, at one position."""
    key, name = place.key, BIAS_NAMES[place.key.index]
    block, part, less = changes.model.blocks[key.layer], trace.blocks[key.layer], place.factor - 1
    if name == "b_V":
        attention = block.attention
        assert attention.b_V is not None
        value = torch.repeat_interleave(attention.b_V, attention.queries_per_value, 0)
        weights = part.pattern[:, :, key.position].T
        _, _, added = changes.of_heads(key.layer)
        added += (less * weights[..., None] * value.to(weights)).to(added)
        return
    assert block.mlp.b_in is not None
    mlp = replace(block.mlp, b_in=block.mlp.b_in * place.factor)
    _, added = changes.of_neurons(key.layer)
    then = mlp.outputs_behind_norm(part.mlp_state[key.position])
    added[key.position] += (then - part.post[key.position]).to(added)
