"""Block 1 of a tiny GPT-2, every kind of part by sums written out as loops."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import pytest
import torch

from flowviz.inside.types import InsideGraph, PartEdgeKind, PartKey, PartKind
from tests.flows import IDS, TARGET
from tests.inside.by_hand import (
    Vector,
    assert_reads,
    centred,
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

LAYER, AT, HEAD, D_HEAD, WIDTH, EPS = 1, 6, 2, 8, 32, 1e-5


class Hand(NamedTuple):
    """What the block does, by hand.

    Args:
        queries, keys, values: of one head, by position.
        weights: how much the head at `AT` attends to each position.
    """

    model: Any
    states: list[list[Vector]]
    read: list[Vector]
    queries: list[Vector]
    keys: list[Vector]
    values: list[Vector]
    weights: Vector


@cache
def hand() -> Hand:
    model, states, _ = theirs_and_ours("gpt2")
    block = model.transformer.h[LAYER]
    read = [norm(state, block.ln_1) for state in states[LAYER]]
    matrix, bias = plain(block.attn.c_attn.weight), plain(block.attn.c_attn.bias)
    made: list[list[Vector]] = []
    for part in range(3):
        first = part * WIDTH + HEAD * D_HEAD
        made.append([
            [sum(n[m] * matrix[m][first + d] for m in range(WIDTH)) + bias[first + d]
             for d in range(D_HEAD)] for n in read
        ])  # fmt: skip
    queries, keys, values = made
    scores = [dot(queries[AT], keys[j]) / math.sqrt(D_HEAD) for j in range(AT + 1)]
    return Hand(model, states, read, queries, keys, values, softmax(scores))


def norm(state: Vector, module: Any) -> Vector:
    middle = centred(state)
    scale = root_mean_square(middle, EPS)
    return plus(times(weighted(middle, plain(module.weight)), 1 / scale), plain(module.bias))


@cache
def graph() -> InsideGraph:
    return open_up(theirs_and_ours("gpt2")[2], (LAYER, LAYER), AT, ALL)


def out_row(row: int) -> Vector:
    return plain(hand().model.transformer.h[LAYER].attn.c_proj.weight)[HEAD * D_HEAD + row]


def as_component(vector: Vector) -> Vector:
    """The logits that a written vector adds, the final norm's scale that of this position."""
    final = hand().model.transformer.ln_f
    scale = root_mean_square(centred(hand().states[-1][AT]), EPS)
    normed = times(weighted(centred(vector), plain(final.weight)), 1 / scale)
    return [dot(row, normed) for row in plain(hand().model.lm_head.weight)]


def as_state(vector: Vector) -> Vector:
    """The logits of a hidden state, read as though it were the last."""
    normed = norm(vector, hand().model.transformer.ln_f)
    return [dot(row, normed) for row in plain(hand().model.lm_head.weight)]


def value(source: int) -> Vector:
    """What the head writes because of one position."""
    parts = [times(out_row(d), hand().values[source][d]) for d in range(D_HEAD)]
    return times(plus(*parts), hand().weights[source])


def mid() -> Vector:
    """The state between attention and MLP, as Hugging Face's own block has it."""
    return mid_and_read()[0]


@cache
def mid_and_read() -> tuple[Vector, Vector]:
    """The state between, and what the MLP reads of it."""
    block, kept = hand().model.transformer.h[LAYER], []
    hook = block.ln_2.register_forward_pre_hook(lambda _, given: kept.append(given[0][0, AT]))
    with torch.inference_mode():
        hand().model(torch.tensor([IDS]))
    hook.remove()
    middle = kept[0].double().tolist()
    return middle, norm(middle, block.ln_2)


def test_states_and_what_attention_and_mlp_read() -> None:
    for kind, vector in (
        (PartKind.STATE, hand().states[LAYER][AT]),
        (PartKind.LN1, hand().read[AT]),
        (PartKind.MID, mid()),
        (PartKind.LN2, mid_and_read()[1]),
    ):
        assert_reads(the(graph(), kind), vector, as_state(vector), TARGET.token)
    memory = hand().states[LAYER][3]
    assert_reads(the(graph(), PartKind.MEMORY, 0, 3), memory, as_state(memory), TARGET.token)


@pytest.mark.parametrize("source", [0, 3, AT])
def test_a_value(source: int) -> None:
    node = the(graph(), PartKind.VALUE, HEAD, source)
    assert_reads(node, value(source), as_component(value(source)), TARGET.token)
    assert node.activation == pytest.approx(hand().weights[source], rel=1e-4)


def test_what_a_value_is_made_of_stands_on_its_edges() -> None:
    """The state, the norm's bias and b_V: the length of what each gives."""
    block, source, width = hand().model.transformer.h[LAYER], 3, range(WIDTH)
    first = 2 * WIDTH + HEAD * D_HEAD
    matrix, bias = plain(block.attn.c_attn.weight), plain(block.attn.c_attn.bias)
    norms_bias = plain(block.ln_1.bias)
    from_norm = [sum(norms_bias[m] * matrix[m][first + d] for m in width) for d in range(D_HEAD)]
    own = bias[first : first + D_HEAD]
    state = [v - a - b for v, a, b in zip(hand().values[source], from_norm, own, strict=True)]
    lengths = {
        edge.source: edge.norm
        for edge in graph().edges
        if edge.target == PartKey(PartKind.VALUE, LAYER, HEAD, source)
    }
    for key, part in (
        (PartKey(PartKind.MEMORY, LAYER, 0, source), state),
        (PartKey(PartKind.BIAS, LAYER, 0), from_norm),
        (PartKey(PartKind.BIAS, LAYER, 1), own),
    ):
        vector = plus(*(times(out_row(d), part[d]) for d in range(D_HEAD)))
        expected = hand().weights[source] * math.sqrt(dot(vector, vector))
        assert lengths[key] == pytest.approx(expected, rel=1e-4)


def test_a_head_is_the_sum_of_its_values() -> None:
    vector = plus(*(value(source) for source in range(AT + 1)))
    assert_reads(the(graph(), PartKind.HEAD, HEAD), vector, as_component(vector), TARGET.token)


def test_a_row_of_the_output_matrix() -> None:
    row = 5
    z = sum(hand().weights[j] * hand().values[j][row] for j in range(AT + 1))
    node = the(graph(), PartKind.ROW, HEAD, row)
    assert_reads(node, times(out_row(row), z), as_component(times(out_row(row), z)), TARGET.token)
    assert node.activation == pytest.approx(z, rel=1e-4)
    assert node.strength == pytest.approx(
        abs(z) * math.sqrt(dot(out_row(row), out_row(row))), rel=1e-4
    )


def test_attentions_output_is_what_separates_mid_from_the_state() -> None:
    vector = plus(mid(), times(hand().states[LAYER][AT], -1))
    assert_reads(the(graph(), PartKind.ATTENTION), vector, as_component(vector), TARGET.token)
    bias = plain(hand().model.transformer.h[LAYER].attn.c_proj.bias)
    heads = plus(vector, times(bias, -1))
    assert_reads(the(graph(), PartKind.CONCAT), heads, as_component(heads), TARGET.token)
    assert_reads(the(graph(), PartKind.BIAS, 2), bias, as_component(bias), TARGET.token)


@pytest.mark.parametrize("neuron", [0, 17, 47])
def test_a_neurons_key_and_value(neuron: int) -> None:
    mlp, into = (
        hand().model.transformer.h[LAYER].mlp,
        plain(hand().model.transformer.h[LAYER].ln_2.weight),
    )
    column = [row[neuron] for row in plain(mlp.c_fc.weight)]
    before = dot(mid_and_read()[1], column) + plain(mlp.c_fc.bias)[neuron]
    after = 0.5 * before * (1 + math.tanh(math.sqrt(2 / math.pi) * (before + 0.044715 * before**3)))
    key, written = the(graph(), PartKind.NEURON_KEY, neuron), plain(mlp.c_proj.weight)[neuron]
    direction = centred(weighted(column, into))
    assert_reads(key, direction, as_component(direction), TARGET.token)
    assert key.activation == pytest.approx(before, rel=1e-4)
    assert key.strength == pytest.approx(abs(before) * math.sqrt(dot(column, column)), rel=1e-4)
    node = the(graph(), PartKind.NEURON, neuron)
    vector = times(written, after)
    assert_reads(node, vector, as_component(vector), TARGET.token)
    assert node.activation == pytest.approx(after, rel=1e-3)
    assert node.strength == pytest.approx(math.sqrt(dot(vector, vector)), rel=1e-3)


def test_mlp_output_is_what_separates_the_state_behind_from_mid() -> None:
    vector = plus(hand().states[LAYER + 1][AT], times(mid(), -1))
    assert_reads(the(graph(), PartKind.MLP), vector, as_component(vector), TARGET.token)


def test_a_biases_way_through_values_and_neurons() -> None:
    block = hand().model.transformer.h[LAYER]
    into, out = plain(block.mlp.c_fc.weight), plain(block.mlp.c_proj.weight)
    b_in = plain(block.mlp.c_fc.bias)
    vector = [0.0] * WIDTH
    for n in range(48):
        before = dot(mid_and_read()[1], [row[n] for row in into]) + b_in[n]
        gate = 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (before + 0.044715 * before**3)))
        vector = plus(vector, times(out[n], gate * b_in[n]))
    assert_reads(the(graph(), PartKind.BIAS, 4), vector, as_component(vector), TARGET.token)


def test_a_query_is_what_it_looks_for_and_a_key_what_finds_it() -> None:
    block = hand().model.transformer.h[LAYER]
    matrix, weight = plain(block.attn.c_attn.weight), plain(block.ln_1.weight)
    query, key, source = hand().queries[AT], hand().keys[3], 3
    asks = [
        sum(query[d] * matrix[m][WIDTH + HEAD * D_HEAD + d] for d in range(D_HEAD))
        for m in range(WIDTH)
    ]
    found = [
        sum(key[d] * matrix[m][HEAD * D_HEAD + d] for d in range(D_HEAD)) for m in range(WIDTH)
    ]
    for kind, place, direction in (
        (PartKind.HEAD_QUERY, 0, asks),
        (PartKind.KEY, source, found),
    ):
        vector = centred(weighted(direction, weight))
        node = the(graph(), kind, HEAD, place)
        assert_reads(node, vector, as_component(vector), TARGET.token)
    assert graph().rotated is None


def test_the_query_of_the_block_is_the_sum_of_all_heads_queries() -> None:
    block = hand().model.transformer.h[LAYER]
    matrix, bias = plain(block.attn.c_attn.weight), plain(block.attn.c_attn.bias)
    total = [0.0] * WIDTH
    for column in range(WIDTH):  # head by head, dimension by dimension
        query = dot(hand().read[AT], [row[column] for row in matrix]) + bias[column]
        total = plus(total, times([row[WIDTH + column] for row in matrix], query))
    vector = centred(weighted(total, plain(block.ln_1.weight)))
    assert_reads(the(graph(), PartKind.QUERY), vector, as_component(vector), TARGET.token)


def test_attention_weights_stand_on_the_edges() -> None:
    weights = [
        (edge.source.kind, edge.target.source, edge.weight)
        for edge in graph().edges
        if edge.kind is PartEdgeKind.ATTEND and edge.target.index == HEAD
    ]
    assert len(weights) == 2 * (AT + 1)
    for kind, source, weight in weights:
        assert kind in (PartKind.HEAD_QUERY, PartKind.KEY)
        assert weight == pytest.approx(hand().weights[source], rel=1e-4)
