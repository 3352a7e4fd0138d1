"""Block 1 of a tiny Llama: shared keys and values, rotary positions and gates, as loops."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
import torch

from flowviz.inside.request import Rotary
from flowviz.inside.types import InsideGraph, PartKind
from tests.flows import IDS, TARGET
from tests.inside.by_hand import (
    Vector,
    assert_reads,
    dot,
    plain,
    plus,
    root_mean_square,
    softmax,
    theirs_and_ours,
    times,
    weighted,
)
from tests.inside.opened import ALL, open_up, the

LAYER, AT, HEAD, SHARED, D_HEAD, SOURCE = 1, 6, 3, 1, 8, 2


@cache
def block() -> Any:
    return theirs_and_ours("llama")[0].model.layers[LAYER]


@cache
def graph(rotary: Rotary = Rotary.POSITIONS) -> InsideGraph:
    settings = type(ALL)(200, 20, 40, 200, 0, rotary=rotary)
    return open_up(theirs_and_ours("llama")[2], (LAYER, LAYER), AT, settings)


def norm(state: Vector, module: Any) -> Vector:
    scale = root_mean_square(state, module.variance_epsilon)
    return times(weighted(state, plain(module.weight)), 1 / scale)


@cache
def read(position: int) -> Vector:
    return norm(theirs_and_ours("llama")[1][LAYER][position], block().input_layernorm)


def made(projection: Any, head: int, position: int) -> Vector:
    """A query, key or value."""
    rows = plain(projection.weight)[head * D_HEAD : (head + 1) * D_HEAD]
    return [dot(row, read(position)) for row in rows]


def turned(vector: Vector, places: int) -> Vector:
    """Rotated by so many positions; Llama pairs each entry with the one half a head further."""
    half, result = D_HEAD // 2, [0.0] * D_HEAD
    for d in range(half):
        angle = places * 10_000 ** (-2 * d / D_HEAD)
        a, b = vector[d], vector[d + half]
        result[d] = a * math.cos(angle) - b * math.sin(angle)
        result[d + half] = b * math.cos(angle) + a * math.sin(angle)
    return result


@cache
def weights() -> Vector:
    query = turned(made(block().self_attn.q_proj, HEAD, AT), AT)
    keys = [turned(made(block().self_attn.k_proj, SHARED, j), j) for j in range(AT + 1)]
    return softmax([dot(query, key) / math.sqrt(D_HEAD) for key in keys])


def as_component(vector: Vector) -> Vector:
    model, states, _ = theirs_and_ours("llama")
    scale = root_mean_square(states[-1][AT], model.model.norm.variance_epsilon)
    normed = times(weighted(vector, plain(model.model.norm.weight)), 1 / scale)
    return [dot(row, normed) for row in plain(model.lm_head.weight)]


def assert_is(kind: PartKind, index: int, source: int, vector: Vector, of: InsideGraph) -> None:
    assert_reads(the(of, kind, index, source), vector, as_component(vector), TARGET.token)


def test_a_head_reads_the_values_that_its_group_shares() -> None:
    out = plain(block().self_attn.o_proj.weight)
    value = made(block().self_attn.v_proj, SHARED, SOURCE)
    vector = [
        weights()[SOURCE] * sum(row[HEAD * D_HEAD + d] * value[d] for d in range(D_HEAD))
        for row in out
    ]
    assert_is(PartKind.VALUE, HEAD, SOURCE, vector, graph())
    weight = the(graph(), PartKind.VALUE, HEAD, SOURCE).activation
    assert weight == pytest.approx(weights()[SOURCE], rel=1e-4)


def back(direction: Vector, projection: Any, head: int) -> Vector:
    """From the head's dimensions to the stream that the norm reads."""
    rows = plain(projection.weight)[head * D_HEAD : (head + 1) * D_HEAD]
    parts = [times(row, entry) for row, entry in zip(rows, direction, strict=True)]
    return weighted(plus(*parts), plain(block().input_layernorm.weight))


def test_a_query_is_turned_to_the_source_that_it_attends_most() -> None:
    query = made(block().self_attn.q_proj, HEAD, AT)
    most = max(range(AT + 1), key=lambda j: weights()[j])
    assert most != AT  # else it would not matter
    vector = back(turned(query, AT - most), block().self_attn.k_proj, SHARED)
    assert graph().rotated is True
    assert_is(PartKind.HEAD_QUERY, HEAD, 0, vector, graph())


def test_a_key_is_turned_to_where_it_is_seen_from() -> None:
    key = made(block().self_attn.k_proj, SHARED, SOURCE)
    vector = back(turned(key, SOURCE - AT), block().self_attn.q_proj, HEAD)
    assert_is(PartKind.KEY, HEAD, SOURCE, vector, graph())


def test_before_rotation_nothing_is_turned() -> None:
    before = graph(Rotary.BEFORE)
    assert before.rotated is False
    query = back(made(block().self_attn.q_proj, HEAD, AT), block().self_attn.k_proj, SHARED)
    assert_is(PartKind.HEAD_QUERY, HEAD, 0, query, before)
    key = back(made(block().self_attn.k_proj, SHARED, SOURCE), block().self_attn.q_proj, HEAD)
    assert_is(PartKind.KEY, HEAD, SOURCE, key, before)


@cache
def read_by_mlp() -> Vector:
    kept: list[Any] = []
    norm_module = block().post_attention_layernorm
    hook = norm_module.register_forward_hook(lambda _, given, out: kept.append(out[0, AT]))
    with torch.inference_mode():
        theirs_and_ours("llama")[0](torch.tensor([IDS]))
    hook.remove()
    return kept[0].double().tolist()


@pytest.mark.parametrize("neuron", [3, 40])
def test_a_gate_a_key_and_a_value(neuron: int) -> None:
    mlp, into = block().mlp, plain(block().post_attention_layernorm.weight)
    gate, up = (plain(part.weight)[neuron] for part in (mlp.gate_proj, mlp.up_proj))
    opening, before = dot(gate, read_by_mlp()), dot(up, read_by_mlp())
    after = opening / (1 + math.exp(-opening)) * before
    assert_is(PartKind.GATE, neuron, 0, weighted(gate, into), graph())
    assert_is(PartKind.NEURON_KEY, neuron, 0, weighted(up, into), graph())
    written = [row[neuron] * after for row in plain(mlp.down_proj.weight)]
    assert_is(PartKind.NEURON, neuron, 0, written, graph())
    for kind, number in (
        (PartKind.GATE, opening),
        (PartKind.NEURON_KEY, before),
        (PartKind.NEURON, after),
    ):
        assert the(graph(), kind, neuron).activation == pytest.approx(number, rel=1e-3)
    strength = abs(opening) * math.sqrt(dot(gate, gate))
    assert the(graph(), PartKind.GATE, neuron).strength == pytest.approx(strength, rel=1e-3)
