"""Rows that sum to the node's flow, and frames with a row for everything drawn."""

from __future__ import annotations

import pytest

from flowviz.graph.inspection import FlowRow, FlowTable, Inspection
from flowviz.graph.types import EdgeKind, NodeKey, NodeKind
from flowviz.views.tables import (
    EDGE_COLUMNS,
    NODE_COLUMNS,
    edges_frame,
    flow_rows,
    nodes_frame,
    projection_rows,
)
from tests.graphs import grid, projection, three_nodes

K = NodeKind


def inspected() -> Inspection:
    graph = three_nodes()
    inflow = FlowRow(NodeKey(K.EMBED, 0, 1), EdgeKind.READ, 1.5, 0.75, True, 0.6)
    outflow = FlowRow(NodeKey(K.TARGET, 2, 2), EdgeKind.WRITE, 2.0, 1.0, True)
    return Inspection(
        graph.nodes[1], FlowTable((inflow,), 0.5, 1200), FlowTable((outflow,), 0.0, 0)
    )


def test_inflows_written_out_with_the_remainder_last() -> None:
    assert flow_rows(inspected(), three_nodes(), "in") == [
        {
            "id": "embed:0:1",
            "edge": "embed:0:1>head:1:2:3",
            "what": "␣France at 1",
            "kind": "read",
            "flow": 1.5,
            "share": 0.75,
            "weight": 0.6,
            "drawn": True,
        },
        {
            "id": None,
            "edge": None,
            "what": "1,200 more",
            "kind": "remainder",
            "flow": 0.5,
            "share": 0.25,
            "weight": None,
            "drawn": False,
        },
    ]


def test_outflows_need_no_remainder_where_there_is_none() -> None:
    rows = flow_rows(inspected(), three_nodes(), "out")
    assert [row["edge"] for row in rows] == ["head:1:2:3>target:2:2"]


@pytest.mark.parametrize("side", ["in", "out"])
def test_rows_sum_to_the_flow_of_the_node(side: str) -> None:
    rows = flow_rows(inspected(), three_nodes(), side)
    assert sum(row["flow"] for row in rows) == pytest.approx(2.0)
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)


def test_another_side_is_refused() -> None:
    with pytest.raises(ValueError, match='"in" or "out"'):
        flow_rows(inspected(), three_nodes(), "up")


def test_projection_rows_top_then_bottom() -> None:
    rows = projection_rows(projection())
    assert rows[0] == {
        "token": "␣Paris", "id": 7, "logit": 3.5, "probability": 0.5, "side": "top",
    }  # fmt: skip
    assert [row["side"] for row in rows] == ["top", "top", "bottom"]


def test_frames_have_a_row_for_everything_and_keep_raw_texts() -> None:
    graph = grid(3, 4, 2, 2)
    nodes, edges = nodes_frame(graph), edges_frame(graph)
    assert tuple(nodes.columns) == NODE_COLUMNS
    assert tuple(edges.columns) == EDGE_COLUMNS
    assert list(nodes["id"]) == [str(node.key) for node in graph.nodes]
    assert list(edges["id"]) == [edge.id for edge in graph.edges]
    assert nodes["flow"].dtype == edges["flow"].dtype == "float64"
    assert nodes_frame(three_nodes())["token"][0] == " France"


def test_inflows_in_the_frames_sum_to_the_nodes() -> None:
    graph = grid(3, 4, 2, 2)
    into = edges_frame(graph).groupby("target")["flow"].sum()
    flows = nodes_frame(graph).set_index("id")["flow"]
    assert (into - flows[into.index]).abs().max() < 1e-9
