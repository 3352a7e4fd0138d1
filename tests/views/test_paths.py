"""The strongest paths: strength and sign by hand, order, and an end to the search."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowviz.graph.types import EdgeKind, FlowEdge, FlowNode, NodeKey, NodeKind
from flowviz.views.paths import strongest_paths
from tests.graphs import grid, three_nodes

K = NodeKind


def test_strength_is_the_product_of_the_shares_and_rest_counts_against_it() -> None:
    graph = three_nodes()
    embed, head, target = (node.key for node in graph.nodes)
    other = NodeKey(K.BIAS, 1, 2, 2)
    edges = (
        FlowEdge(embed, head, EdgeKind.READ, -3.0, 1.0),
        FlowEdge(head.rest(), head, EdgeKind.REST, 5.0, 1.0),
        FlowEdge(head, target, EdgeKind.WRITE, 2.0, 1.0),
        FlowEdge(other, target, EdgeKind.WRITE, 1.0, 1.0),
        FlowEdge(target.rest(), target, EdgeKind.REST, -1.0, 1.0),
    )
    nodes = (*graph.nodes, FlowNode(other, 1.0, 0.1))
    paths = strongest_paths(replace(graph, nodes=nodes, edges=edges))
    assert [(path.keys, path.strength, path.sign) for path in paths] == [
        ((other, target), 0.25, 1),
        ((embed, head, target), pytest.approx(0.5 * 3 / 8), -1),
    ]


def test_paths_come_in_order_and_only_as_many_as_asked_for() -> None:
    graph = grid(4, 5, 3, 3)
    paths = strongest_paths(graph, 4)
    assert len(paths) == 4
    strengths = [path.strength for path in paths]
    assert strengths == sorted(strengths, reverse=True)
    assert all(path.keys[-1].kind is K.TARGET for path in paths)
    assert all(key.kind is not K.REST for path in paths for key in path.keys)


def test_landmarks_leave_out_the_states_between() -> None:
    for path in strongest_paths(grid(4, 5, 3, 3), 4):
        kinds = {key.kind for key in path.landmarks[1:]}
        assert not kinds & {K.RESID_PRE, K.RESID_MID, K.RESID_FINAL}


def test_a_graph_without_edges_has_no_path() -> None:
    assert strongest_paths(replace(three_nodes(), edges=())) == ()


def test_the_search_ends_in_a_graph_with_very_many_paths() -> None:
    assert strongest_paths(grid(20, 3, 6, 6), 10**6)
