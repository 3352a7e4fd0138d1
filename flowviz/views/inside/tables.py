"""An opened block as tables: rows of plain values, for the inspector and for files.

Where the run is not exact, what the flow says is left empty: a zero would be a lie.
"""

from __future__ import annotations

from typing import Any

from flowviz.inside.types import InsideGraph, PartEdge, PartKey, PartNode
from flowviz.views.files import table_csv
from flowviz.views.inside.words import in_flow_graph, name, read_here

Row = dict[str, Any]
NODE_COLUMNS = (
    "id", "kind", "layer", "index", "source", "name", "flow", "share", "norm", "activation",
    "strength", "top", "bottom", "target_rank", "target_probability", "entropy", "in_flow_graph",
)  # fmt: skip
EDGE_COLUMNS = (
    "id", "source", "target", "kind", "flow", "share", "norm", "strength", "weight",
)  # fmt: skip


def csv(graph: InsideGraph, table: str) -> str:
    """The graph's "nodes" or "edges" as comma-separated values with a heading line."""
    if table not in ("nodes", "edges"):
        raise ValueError(f'table is {table!r}; it takes "nodes" or "edges".')
    if table == "nodes":
        return table_csv(NODE_COLUMNS, [node_row(node, graph) for node in graph.nodes])
    return table_csv(EDGE_COLUMNS, [edge_row(edge, graph) for edge in graph.edges])


def node_row(node: PartNode, graph: InsideGraph) -> Row:
    """One node, with the columns `NODE_COLUMNS`."""
    key = node.key
    read = node.projection if read_here(key, graph) else None
    there = in_flow_graph(key, graph)
    return {
        "id": str(key),
        "kind": key.kind.value,
        "layer": key.layer,
        "index": key.index,
        "source": key.source,
        "name": name(key, graph),
        "flow": _flow(node.flow, graph),
        "share": _share(node.flow, graph),
        "norm": node.norm,
        "activation": node.activation,
        "strength": node.strength,
        "top": read.top[0].text if read and read.top else None,
        "bottom": read.bottom[0].text if read and read.bottom else None,
        "target_rank": read.target_rank if read else None,
        "target_probability": read.target_probability if read else None,
        "entropy": read.entropy if read else None,
        "in_flow_graph": None if there is None else str(there),
    }


def edge_row(edge: PartEdge, graph: InsideGraph) -> Row:
    """One edge, with the columns `EDGE_COLUMNS`."""
    return {
        "id": edge.id,
        "source": str(edge.source),
        "target": str(edge.target),
        "kind": edge.kind.value,
        "flow": _flow(edge.flow, graph),
        "share": _share(edge.flow, graph),
        "norm": edge.norm,
        "strength": edge.strength,
        "weight": edge.weight,
    }


def side_rows(key: PartKey, graph: InsideGraph, side: str) -> list[Row]:
    """What goes into ("in") or out of ("out") a part: flow and norm side by side.

    The largest flow stands first, what carries none last.
    """
    if side not in ("in", "out"):
        raise ValueError(f'side is {side!r}; it takes "in" or "out".')
    edges = [edge for edge in graph.edges if (edge.target if side == "in" else edge.source) == key]
    rows = [_side_row(edge, graph, side) for edge in edges]
    return sorted(rows, key=lambda row: (row["flow"] is None, -abs(row["flow"] or 0.0)))


def _side_row(edge: PartEdge, graph: InsideGraph, side: str) -> Row:
    other = edge.source if side == "in" else edge.target
    return {**edge_row(edge, graph), "other": str(other), "what": name(other, graph)}


def _flow(flow: float | None, graph: InsideGraph) -> float | None:
    return flow if graph.checks.exact else None


def _share(flow: float | None, graph: InsideGraph) -> float | None:
    value = graph.target.value
    return flow / value if flow is not None and value and graph.checks.exact else None
