"""The inspector's tables of inflows and outflows."""

from __future__ import annotations

from typing import Any

from dash import html

from flowviz.ui.flow.ids import Flow
from flowviz.ui.tables import flow_column, grid, number_column, row_name, what_column

ROUNDING = 1e-5


def flow_table(
    title: str, table_id: Flow, rows: list[dict[str, Any]], via: str | None
) -> html.Section | None:
    """One side of a node: a row a flow, sortable; what the others sum to stays below."""
    if not rows:
        return None
    listed = [_listed(row, via) for row in rows if row["id"]]
    others = [{**row, "row": "remainder"} for row in rows if not row["id"] and _counts(row)]
    shown = columns(any(row["weight"] is not None for row in listed))
    return html.Section([html.H3(title), grid(table_id, listed, others, shown)])


def _counts(row: dict[str, Any]) -> bool:
    """Whether the others are more than the rounding of a sum."""
    return row["what"] != "more" or abs(row["share"]) > ROUNDING


def _listed(row: dict[str, Any], via: str | None) -> dict[str, Any]:
    return {**row, "row": row_name(row["edge"]), "came": row["id"] == via}


def columns(attention: bool) -> list[dict[str, Any]]:
    """The columns; attention stands where a head reads."""
    shown = [what_column(), flow_column(), number_column("share", "Share", "flowvizShare")]
    return [*shown, number_column("weight", "Attn", "flowvizShare")] if attention else shown
