"""The inspector's tables of inflows and outflows."""

from __future__ import annotations

from typing import Any

from dash import html

from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.ui.flow.ids import Flow
from flowviz.ui.interventions.inspector import cuttable
from flowviz.ui.tables import flow_column, grid, number_column, row_name, what_column
from flowviz.views.changes import Changed
from flowviz.views.tables import BEFORE

ROUNDING = 1e-5
CUT: dict[str, Any] = {
    "field": "cut",
    "headerName": "",
    "width": 40,
    "suppressSizeToFit": True,
    "sortable": False,
    "cellRenderer": "FlowvizCut",
    "headerTooltip": "Cut the edge: the one does not see the other any more (path patching)",
}


def flow_table(
    title: str, table_id: Flow, rows: list[dict[str, Any]], via: str | None, graph: FlowGraph
) -> html.Section | None:
    """One side of a node: a row a flow, sortable; what the others sum to stays below."""
    if not rows:
        return None
    changed = Changed(graph.interventions)
    listed = [_listed(row, via, changed) for row in rows if row["id"]]
    others = [{**row, "row": "remainder"} for row in rows if not row["id"] and _counts(row)]
    shown = columns(
        attention=any(row["weight"] is not None for row in listed),
        before=bool(changed),
        cut=any(row["cut"] for row in listed),
    )
    return html.Section([html.H3(title), grid(table_id, listed, others, shown)])


def _counts(row: dict[str, Any]) -> bool:
    """Whether the others are more than the rounding of a sum."""
    return row["what"] != "more" or abs(row["share"]) > ROUNDING


def _listed(row: dict[str, Any], via: str | None, changed: Changed) -> dict[str, Any]:
    source, target = (NodeKey.parse(end) for end in row["edge"].split(">"))
    more = {"row": row_name(row["edge"]), "came": row["id"] == via, "cut": None}
    if cuttable(source, target):
        more["cut"] = "cut" if changed.of_edge(source, target) is None else "undo"
    return {**row, **more}


def columns(attention: bool, before: bool = False, cut: bool = False) -> list[dict[str, Any]]:
    """The columns; attention stands where a head reads, `cut` where an edge can be cut."""
    shown = [what_column(), flow_column()]
    if before:
        shown.append(number_column(BEFORE, "Before", "flowvizSigned", 72))
    if not (before and attention):  # there is no room for both
        shown.append(number_column("share", "Share", "flowvizShare"))
    if attention:
        shown.append(number_column("weight", "Attn", "flowvizShare"))
    return [*shown, CUT] if cut else shown
