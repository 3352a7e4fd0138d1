"""The graph and its parts as tables: rows of plain values, and pandas frames.

Where a law failed, what the flow says of a node is left empty: a zero would be a lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowviz.graph.inspection import FlowRow, FlowTable, Inspection
from flowviz.graph.types import (
    FlowEdge,
    FlowGraph,
    FlowNode,
    NodeKey,
    Projection,
    TokenScore,
)
from flowviz.views.laws import flow_shown
from flowviz.views.tokens import visible
from flowviz.views.words import short_label

if TYPE_CHECKING:
    import pandas

Row = dict[str, Any]
NODE_COLUMNS = (
    "id", "kind", "layer", "position", "index", "name", "token", "flow", "share", "influence",
    "gradient", "direct", "norm", "activation", "top", "target_rank", "target_probability",
    "entropy",
)  # fmt: skip
EDGE_COLUMNS = ("id", "source", "target", "kind", "flow", "share", "influence", "weight")
BEFORE = "before"  # the flow without the interventions, behind the flow where there are some


def flow_rows(inspection: Inspection, graph: FlowGraph, side: str) -> list[Row]:
    """The flows into ("in") or out of ("out") a node; they sum to the node's flow.

    The last row is the remainder of what is not listed one by one, where there is any.
    """
    if side not in ("in", "out"):
        raise ValueError(f'side is {side!r}; it takes "in" or "out".')
    table = inspection.inflows if side == "in" else inspection.outflows
    here = inspection.node.key
    rows = [_flow_row(row, here, graph, side) for row in table.rows]
    return rows + _remainder(table, inspection.node.flow)


def _flow_row(row: FlowRow, here: NodeKey, graph: FlowGraph, side: str) -> Row:
    ends = (row.other, here) if side == "in" else (here, row.other)
    before = {BEFORE: row.before} if graph.interventions else {}
    return {
        "id": str(row.other),
        "edge": f"{ends[0]}>{ends[1]}",
        "what": short_label(row.other, graph),
        "kind": row.kind.value,
        "flow": row.flow,
        "share": row.share,
        "weight": row.weight,
        "drawn": row.drawn,
        **before,
    }


def _remainder(table: FlowTable, flow: float) -> list[Row]:
    if not table.remainder_count and not table.remainder:
        return []
    many = f"{table.remainder_count:,} more" if table.remainder_count else "more"
    share = table.remainder / flow if flow else 0.0
    return [
        {"id": None, "edge": None, "what": many, "kind": "remainder", "flow": table.remainder,
         "share": share, "weight": None, "drawn": False}
    ]  # fmt: skip


def projection_rows(projection: Projection) -> list[Row]:
    """The tokens that a vector promotes ("top") and then those that it suppresses ("bottom")."""
    sides = (("top", projection.top), ("bottom", projection.bottom))
    return [_token_row(token, side) for side, tokens in sides for token in tokens]


def _token_row(token: TokenScore, side: str) -> Row:
    return {
        "token": visible(token.text),
        "id": token.id,
        "logit": token.logit,
        "probability": token.probability,
        "side": side,
    }


def nodes_frame(graph: FlowGraph) -> pandas.DataFrame:
    """A row for every node, rest and target too, in the graph's order."""
    import pandas

    return pandas.DataFrame(node_rows(graph), columns=list(node_columns(graph)))


def edges_frame(graph: FlowGraph) -> pandas.DataFrame:
    """A row for every edge, in the graph's order."""
    import pandas

    return pandas.DataFrame(edge_rows(graph), columns=list(edge_columns(graph)))


def node_columns(graph: FlowGraph) -> tuple[str, ...]:
    """`NODE_COLUMNS`, with `before` where the graph has interventions."""
    return _with_before(NODE_COLUMNS, graph)


def edge_columns(graph: FlowGraph) -> tuple[str, ...]:
    """`EDGE_COLUMNS`, with `before` where the graph has interventions."""
    return _with_before(EDGE_COLUMNS, graph)


def _with_before(columns: tuple[str, ...], graph: FlowGraph) -> tuple[str, ...]:
    if not graph.interventions:
        return columns
    place = columns.index("flow") + 1
    return (*columns[:place], BEFORE, *columns[place:])


def node_rows(graph: FlowGraph) -> list[Row]:
    """A row for every node, with the columns `node_columns`."""
    return [_before(_node_row(node, graph), node.before, graph) for node in graph.nodes]


def _before(row: Row, before: float | None, graph: FlowGraph) -> Row:
    if not graph.interventions:
        return row
    return {**row, BEFORE: before if flow_shown(graph) else None}


def _node_row(node: FlowNode, graph: FlowGraph) -> Row:
    key, read, shown = node.key, node.projection, flow_shown(graph)
    own = graph.tokens[key.position].text if key.position < len(graph.tokens) else None
    return {
        "id": str(key),
        "kind": key.kind.value,
        "layer": key.layer,
        "position": key.position,
        "index": key.index,
        "name": short_label(key, graph),
        "token": own,
        "flow": node.flow if shown else None,
        "share": _share(node.flow, graph) if shown else None,
        "influence": node.influence if shown else None,
        "gradient": node.gradient if shown else None,
        "direct": node.direct if shown else None,
        "norm": node.norm,
        "activation": node.activation,
        "top": read.top[0].text if read and read.top else None,
        "target_rank": read.target_rank if read else None,
        "target_probability": read.target_probability if read else None,
        "entropy": read.entropy if read else None,
    }


def edge_rows(graph: FlowGraph) -> list[Row]:
    """A row for every edge, with the columns `edge_columns`."""
    if not flow_shown(graph):
        return []
    return [_before(_edge_row(edge, graph), edge.before, graph) for edge in graph.edges]


def _edge_row(edge: FlowEdge, graph: FlowGraph) -> Row:
    return {
        "id": edge.id,
        "source": str(edge.source),
        "target": str(edge.target),
        "kind": edge.kind.value,
        "flow": edge.flow,
        "share": _share(edge.flow, graph),
        "influence": edge.influence,
        "weight": edge.weight,
    }


def _share(flow: float, graph: FlowGraph) -> float | None:
    return flow / graph.target.value if graph.target.value else None
