"""Where the parts of opened blocks stand: nothing overlaps, everything reads upwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowviz.graph.layout import Box
from flowviz.inside.layout import InsideLayout, layout
from flowviz.inside.types import InsideGraph, PartEdgeKind, PartKey, PartKind
from tests.inside_graphs import Shape, opened

K = PartKind
POSTS = (K.LN1, K.LN1_POST, K.LN2, K.LN2_POST)
SHAPES = {
    "sequential": Shape(),
    "parallel with one norm": Shape(parallel=True, norms=(K.LN1,)),
    "parallel with two norms": Shape(parallel=True),
    "norms behind": Shape(norms=POSTS, biases=("ln1_post", "ln2_post")),
    "norms behind alone": Shape(norms=(K.LN1_POST, K.LN2_POST), biases=()),
    "no norms": Shape(norms=(), biases=()),
    "gated": Shape(gated=True),
    "at the default numbers": Shape(10, 2, 10, 25),
    "everything": Shape(10, 3, 10, 25, gated=True, norms=POSTS),
    "no heads, no neurons": Shape(0, 0, 0, 0),
}
COUNTS = st.builds(
    Shape,
    heads=st.integers(0, 20),
    memories=st.integers(1, 9),
    rows=st.integers(0, 30),
    neurons=st.integers(0, 40),
    parallel=st.booleans(),
    gated=st.booleans(),
    norms=st.sets(st.sampled_from(POSTS)).map(tuple),
    rests=st.booleans(),
)


def overlapping(places: InsideLayout) -> list[tuple[str, str]]:
    found, open_boxes = [], []
    for key, box in sorted(places.boxes.items(), key=lambda each: each[1].top):
        open_boxes = [each for each in open_boxes if each[1].bottom > box.top]
        found += [(str(key), str(other)) for other, there in open_boxes if box.overlaps(there)]
        open_boxes.append((key, box))
    return found


def check(graph: InsideGraph) -> InsideLayout:
    places = layout(graph)
    assert set(places.boxes) == {node.key for node in graph.nodes}
    assert overlapping(places) == []
    return places


@pytest.mark.parametrize("layers", [(1, 1), (1, 2), (0, 5)])
@pytest.mark.parametrize("name", SHAPES)
def test_nothing_overlaps_in_any_shape(name: str, layers: tuple[int, int]) -> None:
    check(opened(SHAPES[name], layers))


@given(shape=COUNTS, position=st.integers(0, 30))
@settings(max_examples=40, deadline=None)
def test_nothing_overlaps_whatever_the_numbers(shape: Shape, position: int) -> None:
    check(opened(shape, position=position))


@pytest.mark.parametrize("name", SHAPES)
def test_a_block_reads_from_its_input_at_the_bottom_to_its_output_on_top(name: str) -> None:
    graph = opened(SHAPES[name], (1, 2))
    places = layout(graph).places
    level = {PartEdgeKind.BIAS, PartEdgeKind.REST, PartEdgeKind.NORM}
    for edge in graph.edges:
        source, target = places[edge.source].box, places[edge.target].box
        if edge.kind in level:
            assert target.y - source.y < 40, edge.id
        else:
            assert target.y < source.y, edge.id


def test_the_stream_is_a_straight_spine_on_the_left() -> None:
    graph = opened(SHAPES["everything"], (1, 2))
    boxes = layout(graph).boxes
    spine = {key: box for key, box in boxes.items() if key.kind in (K.STATE, K.MID)}
    assert len({box.x for box in spine.values()}) == 1
    others = [b for k, b in boxes.items() if k not in spine and k.kind is not K.ELSEWHERE]
    assert max(box.right for box in spine.values()) < min(box.left for box in others)


def test_attention_and_mlp_stand_side_by_side_in_a_parallel_block_else_upon_each_other() -> None:
    def middles(shape: Shape) -> tuple[Box, Box]:
        boxes = layout(opened(shape)).boxes
        return boxes[PartKey(K.ATTENTION, 1)], boxes[PartKey(K.MLP, 1)]

    attention, mlp = middles(SHAPES["parallel with two norms"])
    assert attention.right < mlp.left
    attention, mlp = middles(SHAPES["sequential"])
    assert mlp.bottom < attention.top
    assert (mlp.left, mlp.right) == (attention.left, attention.right)


def test_one_norm_before_both_is_as_wide_as_both() -> None:
    boxes = layout(opened(SHAPES["parallel with one norm"])).boxes
    norm, mlp = boxes[PartKey(K.LN1, 1)], boxes[PartKey(K.MLP, 1)]
    assert norm.left < boxes[PartKey(K.ATTENTION, 1)].right
    assert norm.right == pytest.approx(mlp.right)


def test_a_heads_parts_stand_upon_each_other_and_a_neurons_key_under_its_value() -> None:
    graph = opened(SHAPES["everything"])
    boxes = layout(graph).boxes
    for key, box in boxes.items():
        if key.kind is K.VALUE:
            below = boxes[PartKey(K.KEY, 1, key.index, key.source)]
            assert below.x == box.x
            head, asks = (boxes[PartKey(k, 1, key.index)] for k in (K.HEAD, K.HEAD_QUERY))
            assert head.bottom < box.top
            assert box.bottom < below.top
            assert below.bottom < asks.top
        if key.kind is K.NEURON:
            column = [boxes[PartKey(k, 1, key.index)] for k in (K.NEURON_KEY, K.GATE)]
            assert [each.x for each in column] == [box.x, box.x]
            assert box.bottom < column[0].top < column[0].bottom < column[1].top


def test_parts_of_a_sum_stand_under_its_bar() -> None:
    graph = opened(SHAPES["at the default numbers"])
    places = layout(graph).places
    for edge in graph.edges:
        target = places[edge.target]
        if target.bar and edge.kind is PartEdgeKind.WRITE:
            assert target.box.left <= places[edge.source].box.x <= target.box.right


def test_the_default_numbers_fit_a_window_of_1440_by_900() -> None:
    boxes = layout(opened(SHAPES["at the default numbers"], position=13)).boxes.values()
    wide = max(box.right for box in boxes) - min(box.left for box in boxes)
    high = max(box.bottom for box in boxes) - min(box.top for box in boxes)
    assert wide < 1500
    assert high < 900


def test_rows_are_labelled_and_memories_named() -> None:
    places = layout(opened(SHAPES["gated"]))
    labels = [band.label for band in places.bands]
    assert labels == [
        "block 1 in", "memory", "queries", "keys", "values", "heads", "rows of W_O", "mid",
        "gates", "FF1 keys", "FF2 values", "block 1 out",
    ]  # fmt: skip
    named = {each.key.kind for each in places.captions}
    assert named == {K.KEY, K.ROW}


def test_the_same_graph_has_the_same_layout() -> None:
    graph = opened(SHAPES["everything"], (1, 2))
    assert layout(graph) == layout(graph)
