"""What changed as rows of plain values: nodes, edges, predictions."""

from __future__ import annotations

from typing import Any

from flowviz.compare.types import Change, ChangedEdge, Comparison
from flowviz.graph.types import FlowNode, NodeKey
from flowviz.views.compare.words import column_at, column_words, name, part_name

Row = dict[str, Any]
CHANGE_COLUMNS = (
    "rank", "id", "kind", "layer", "index", "name", "first_position", "second_position",
    "first_token", "second_token", "first", "second", "difference", "share", "drawn",
    "first_top", "second_top",
)  # fmt: skip
EDGE_COLUMNS = (
    "id", "source", "target", "kind", "first", "second", "difference", "first_weight",
    "second_weight",
)  # fmt: skip
PREDICTION_COLUMNS = (
    "id", "token", "first", "second", "difference", "first_logit", "second_logit"
)  # fmt: skip


def change_rows(comparison: Comparison) -> list[Row]:
    """A row a node, the largest difference first; empty where a law failed on a side."""
    if not comparison.graph.checks.exact:
        return []
    whole = comparison.graph.target.value
    return [
        _change_row(rank, change, comparison, whole)
        for rank, change in enumerate(comparison.changes, start=1)
    ]


def _change_row(rank: int, change: Change, comparison: Comparison, whole: float) -> Row:
    key, column = change.key, column_at(comparison, change.key.position)
    return {
        "rank": rank,
        "id": str(key),
        "kind": key.kind.value,
        "layer": key.layer,
        "index": key.index,
        "name": part_name(key, comparison),
        "at": column_words(column),
        "first_position": column.first,
        "second_position": column.second,
        "first_token": column.first_text,
        "second_token": column.second_text,
        "first": change.first_flow if change.first else None,
        "second": change.second_flow if change.second else None,
        "difference": change.difference,
        "share": change.difference / whole if whole else None,
        "drawn": change.drawn,
        "first_top": top(change.first),
        "second_top": top(change.second),
    }


def top(node: FlowNode | None) -> str | None:
    """The token that a node promotes most."""
    read = node.projection if node else None
    return read.top[0].text if read and read.top else None


def edge_rows(comparison: Comparison) -> list[Row]:
    """A row for each drawn edge, in the graph's order."""
    return [
        {
            "id": edge.id,
            "source": str(edge.source),
            "target": str(edge.target),
            "kind": edge.kind.value,
            "first": edge.first_flow,
            "second": edge.second_flow,
            "difference": edge.difference,
            "first_weight": edge.first_weight,
            "second_weight": edge.second_weight,
        }
        for edge in comparison.edges
    ]


def prediction_rows(comparison: Comparison) -> list[Row]:
    """A row for each token that either side predicts."""
    return [
        {
            "id": pair.id,
            "token": pair.token,
            "first": pair.first.probability,
            "second": pair.second.probability,
            "difference": pair.difference,
            "first_logit": pair.first.logit,
            "second_logit": pair.second.logit,
        }
        for pair in comparison.predictions
    ]


def side_rows(key: NodeKey, comparison: Comparison, side: str) -> list[Row]:
    """The drawn flows into ("in") or out of ("out") a node on both sides, the largest first."""
    edges = [edge for edge in comparison.edges if _here(edge, side) == key]
    edges.sort(key=lambda edge: (-abs(edge.difference), edge.id))
    return [_side_row(edge, comparison, side) for edge in edges]


def _here(edge: ChangedEdge, side: str) -> NodeKey:
    return edge.target if side == "in" else edge.source


def _side_row(edge: ChangedEdge, comparison: Comparison, side: str) -> Row:
    other = edge.source if side == "in" else edge.target
    return {
        "edge": edge.id,
        "other": str(other),
        "what": name(other, comparison),
        "first": edge.first_flow,
        "second": edge.second_flow,
        "difference": edge.difference,
        "first_weight": edge.first_weight,
        "second_weight": edge.second_weight,
    }


def rest_difference(key: NodeKey, comparison: Comparison) -> float | None:
    """What flows into a node and is not drawn, as a difference; None where all is drawn."""
    node = comparison.graph.node(key.rest())
    return None if node is None else node.flow
