"""Where everything stands: nothing overlaps, rows and columns in order, empty columns folded."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.graph.columns import MANY_EMPTY, columns
from flowviz.graph.layout import Box, Layout, layout
from flowviz.graph.types import (
    BIAS_NAMES,
    INDEXED,
    PARTS,
    EdgeKind,
    FlowGraph,
    NodeKey,
    NodeKind,
)
from tests.graphs import failed, from_links, grid, parallel, three_nodes

K = NodeKind


def overlaps(places: Layout) -> list[tuple[object, object]]:
    boxes = [*places.boxes.items(), *((heading, heading.box) for heading in places.headings)]
    return [(a, b) for (a, box), (b, other) in combinations(boxes, 2) if box.overlaps(other)]


def lone(*keys: NodeKey, positions: int = 4, layers: int = 3) -> FlowGraph:
    """A graph of just these nodes, each with an edge to the target."""
    target = NodeKey(K.TARGET, layers, positions - 1)
    links = [(key, target, EdgeKind.WRITE, None) for key in keys]
    return from_links(links, target, layers, positions, random.Random(0))


def test_three_nodes_to_the_pixel() -> None:
    places = layout(three_nodes())
    assert dict(places.boxes) == {
        NodeKey(K.TARGET, 2, 2): Box(258.0, 25.0, 132.0, 50.0),
        NodeKey(K.HEAD, 1, 2, 3): Box(258.0, 100.0, 88.0, 44.0),
        NodeKey(K.EMBED, 0, 1): Box(118.0, 167.0, 96.0, 34.0),
    }
    assert [(band.label, band.box.top, band.box.bottom) for band in places.bands] == [
        ("logits", -14.0, 64.0),
        ("layer 1", 64.0, 136.0),
        ("embeddings", 136.0, 198.0),
    ]
    assert [(h.first, h.last, h.drawn, h.box.x) for h in places.headings] == [
        (0, 0, False, 22.0),
        (1, 1, True, 118.0),
        (2, 2, True, 258.0),
    ]


@pytest.mark.parametrize("wiring", ["stream", "circuit"])
@pytest.mark.parametrize("seed", range(4))
def test_every_node_has_a_place_and_nothing_overlaps(wiring: str, seed: int) -> None:
    graph = grid(5, 7, 4, 5, seed, wiring)
    places = layout(graph)
    assert set(places.boxes) == {node.key for node in graph.nodes}
    assert overlaps(places) == []


keys = st.builds(
    lambda kind, layer, position, index: NodeKey(
        kind,
        layer,
        position,
        index if kind in INDEXED else 0,
        part_of=K.RESID_MID if kind in PARTS else None,
    ),
    st.sampled_from([kind for kind in NodeKind if kind not in (K.REST, K.TARGET)]),
    st.integers(0, 3),
    st.integers(0, 30),
    st.integers(0, len(BIAS_NAMES) - 1),
)


@given(st.lists(keys, unique=True, max_size=25))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_overlaps_in_any_graph(some: list[NodeKey]) -> None:
    graph = lone(*some, positions=31)
    places = layout(graph)
    assert set(places.boxes) == {node.key for node in graph.nodes}
    assert overlaps(places) == []


def test_the_same_graph_has_the_same_layout_whatever_its_order() -> None:
    graph = grid(4, 5, 3, 3)
    turned = FlowGraph(**{**vars(graph), "nodes": graph.nodes[::-1], "edges": graph.edges[::-1]})
    assert layout(graph) == layout(graph)
    assert dict(layout(turned).boxes) == dict(layout(graph).boxes)


def test_rows_run_from_the_embeddings_up_to_the_target() -> None:
    order = [
        NodeKey(K.EMBED, 0, 0),
        NodeKey(K.RESID_PRE, 0, 0),
        NodeKey(K.BIAS, 0, 0, BIAS_NAMES.index("ln1")),
        NodeKey(K.HEAD, 0, 0, 1),
        NodeKey(K.RESID_MID, 0, 0),
        NodeKey(K.BIAS, 0, 0, BIAS_NAMES.index("b_in")),
        NodeKey(K.NEURON, 0, 0, 5),
        NodeKey(K.RESID_PRE, 1, 0),
        NodeKey(K.HEAD, 1, 0, 0),
        NodeKey(K.RESID_FINAL, 3, 0),
        NodeKey(K.BIAS, 3, 0, BIAS_NAMES.index("b_U")),
        NodeKey(K.TARGET, 3, 0),
    ]
    boxes = layout(lone(*order[:-1], positions=1)).boxes
    heights = [boxes[key].y for key in order]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == len(heights)


def test_the_stream_runs_straight_and_the_target_stands_above_it() -> None:
    graph = grid(4, 5, 2, 2)
    boxes = layout(graph).boxes
    straight = (K.EMBED, K.RESID_PRE, K.RESID_MID, K.RESID_FINAL, K.TARGET)
    for position in range(5):
        column = {boxes[n.key].x for n in graph.nodes
                  if n.key.position == position and n.key.kind in straight}  # fmt: skip
        assert len(column) <= 1
    top = min(boxes, key=lambda key: boxes[key].y)
    assert top.kind is K.TARGET
    assert top.position == 4


def test_columns_are_in_the_order_of_the_prompt() -> None:
    graph = grid(4, 9, 3, 3)
    boxes = layout(graph).boxes
    for a, b in combinations(boxes, 2):
        if a.position < b.position:
            assert boxes[a].right <= boxes[b].left


def test_a_rest_node_stands_at_the_lower_left_corner_of_its_node() -> None:
    boxes = layout(grid(3, 4, 2, 2)).boxes
    rests = [key for key in boxes if key.kind is K.REST]
    assert rests
    for key in rests:
        rest, node = boxes[key], boxes[key.cut()]
        assert rest.right < node.left < rest.right + 10
        assert rest.bottom == node.bottom


def test_bands_hold_their_nodes_and_touch_without_overlap() -> None:
    graph = grid(4, 5, 2, 2)
    places = layout(graph)
    assert [band.label for band in places.bands] == [
        "logits", "layer 3", "layer 2", "layer 1", "layer 0", "embeddings",
    ]  # fmt: skip
    for upper, lower in zip(places.bands, places.bands[1:], strict=False):
        assert upper.box.bottom == pytest.approx(lower.box.top)
    head = next(key for key in places.boxes if key.kind is K.HEAD and key.layer == 2)
    band = places.bands[2].box
    box = places.boxes[head]
    assert band.left < box.left < box.right < band.right
    assert band.top < box.top < box.bottom < band.bottom


def test_few_empty_positions_keep_a_narrow_column_each() -> None:
    made = columns({1: (40.0, 60.0), 3: (50.0, 50.0)}, 5)
    assert [(c.first, c.last, c.drawn) for c in made] == [
        (0, 0, False), (1, 1, True), (2, 2, False), (3, 3, True), (4, 4, False),
    ]  # fmt: skip


def test_many_empty_positions_fold_into_one_column_a_run() -> None:
    made = columns({100: (40.0, 60.0), 102: (50.0, 50.0)}, 300)
    assert [(c.first, c.last) for c in made] == [
        (0, 99),
        (100, 100),
        (101, 101),
        (102, 102),
        (103, 299),
    ]
    assert len(columns({0: (1.0, 1.0)}, MANY_EMPTY + 1)) == MANY_EMPTY + 1


def test_a_long_prompt_stays_narrow() -> None:
    places = layout(grid(3, 400, 2, 2))
    assert len(places.headings) < 20
    assert places.width < 2500


def test_where_attention_and_mlp_are_parallel_they_stand_in_one_row() -> None:
    places = layout(parallel())
    assert overlaps(places) == []
    rows = {}
    for key, box in places.boxes.items():
        rows.setdefault((key.kind, key.layer), set()).add(box.y)
    for layer in range(3):
        assert rows[K.HEAD, layer] == rows[K.NEURON, layer]
        assert max(rows[K.HEAD, layer]) < min(rows[K.RESID_PRE, layer])
    bias = places.boxes[NodeKey(K.BIAS, 1, 3, BIAS_NAMES.index("b_out"))]
    assert {bias.y} == rows[K.NEURON, 1]


def test_many_parallel_heads_and_neurons_have_lines_of_their_own() -> None:
    boxes = layout(parallel(2, 4, 7, 4)).boxes
    lines = {}
    for key, box in boxes.items():
        if key.layer == 1 and key.kind in (K.HEAD, K.NEURON):
            lines.setdefault(box.y, set()).add(key.kind)
    assert sorted(lines.items()) == [
        (y, {kind}) for y, kind in zip(sorted(lines), (K.HEAD, K.HEAD, K.NEURON), strict=True)
    ]


def test_a_bias_behind_something_stands_beside_it() -> None:
    names = {"ln_embed": K.EMBED, "ln1_post": K.HEAD, "ln2_post": K.NEURON}
    beside = [NodeKey(kind, 0, 0) for kind in names.values()]
    biases = [NodeKey(K.BIAS, 0, 0, BIAS_NAMES.index(name)) for name in names]
    boxes = layout(lone(*beside, *biases, positions=1)).boxes
    for bias, other in zip(biases, beside, strict=True):
        assert boxes[bias].y == boxes[other].y


def test_a_run_that_broke_a_law_has_a_layout_without_overlaps() -> None:
    places = layout(failed())
    assert set(places.boxes) == {node.key for node in failed().nodes}
    assert overlaps(places) == []
