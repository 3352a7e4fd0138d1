"""The page's tables: what changed most, and a node's inflows and outflows on both sides."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from flowviz.compare.types import Comparison
from flowviz.ui.compare.ids import Compare
from flowviz.ui.tables import NUMBER, OPTIONS, ROW_HEIGHT, grid, number_column, row_name
from flowviz.views.compare.tables import Row, change_rows
from flowviz.views.words import visible

SHOWN_ROWS = 9
BY_AMOUNT = {"comparator": {"function": "flowvizByAmount"}}
SIGNS = {"for": "params.value > 0", "against": "params.value < 0"}


def side_table(
    title: str, table: Compare, rows: list[Row], rest: float | None, via: str | None
) -> html.Section | None:
    """One side of a node: a row an edge, both flows and the change; the rest stays below."""
    if not rows:
        return None
    listed = [
        {**row, "row": row_name(row["edge"]), "drawn": True, "came": row["other"] == via}
        for row in rows
    ]
    below = {"what": "not drawn ◇", "difference": rest, "row": "rest", "drawn": True}
    shown = [
        {"field": "what", "headerName": "Node", "minWidth": 84, "tooltipField": "what"},
        _flow("first", "First"),
        _flow("second", "Second"),
        _change(),
    ]
    if any(row["first_weight"] is not None or row["second_weight"] is not None for row in rows):
        shown += [_attention("first_weight", "Attn 1"), _attention("second_weight", "Attn 2")]
    pinned = [below] if rest else []
    return html.Section([html.H3(title), grid(table, listed, pinned, shown)])


def _flow(field: str, title: str) -> dict[str, Any]:
    return {**number_column(field, title, "flowvizSigned", 66), **BY_AMOUNT}


def _change(width: int = 74) -> dict[str, Any]:
    column = number_column("difference", "Change", "flowvizSigned", width)
    return {**column, **BY_AMOUNT, "cellClassRules": SIGNS}


def _attention(field: str, title: str) -> dict[str, Any]:
    return number_column(field, title, "flowvizShare", 60)


def changes_table(comparison: Comparison) -> list[Component]:
    """What changed most, a row a node; a row leads to its node."""
    rows = change_rows(comparison)
    if not rows:
        return []
    count = html.Small(f"{len(rows):,} nodes, the largest change first")
    title = html.Div([html.H3("What changed most"), count, _save()], className="title")
    return [title, _grid([_shown(row) for row in rows])]


def _save() -> html.Button:
    return html.Button(
        ["Save ", html.Small("CSV")],
        id=Compare.SAVE_TABLE,
        className="small",
        type="button",
        title="Save as CSV: what changed",
    )


def _shown(row: Row) -> Row:
    tops = {name: visible(row[name]) if row[name] else "" for name in ("first_top", "second_top")}
    kept = ("rank", "name", "at", "first", "second", "difference", "share", "drawn")
    return {**{name: row[name] for name in kept}, **tops, "row": row["id"], "came": False}


def _grid(rows: list[Row]) -> dag.AgGrid:
    height = ROW_HEIGHT * (1 + min(len(rows), SHOWN_ROWS)) + 6
    return dag.AgGrid(
        id=Compare.ROWS,
        rowData=rows,
        columnDefs=_columns(),
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        columnSize="responsiveSizeToFit",
        getRowId="params.data.row",
        dashGridOptions=OPTIONS,
        className="ag-theme-quartz flows changed",
        style={"height": f"{height}px"},
    )


def _columns() -> list[dict[str, Any]]:
    words = (("at", "At", 150), ("first_top", "Reads as, first", 110),
             ("second_top", "Reads as, second", 110))  # fmt: skip
    texts = {
        field: {"field": field, "headerName": title, "minWidth": width, "tooltipField": field}
        for field, title, width in words
    }
    return [
        {"field": "rank", "headerName": "#", "width": 46, "suppressSizeToFit": True, **NUMBER,
         "sortingOrder": ["asc", "desc"]},
        {"field": "name", "headerName": "Node", "minWidth": 90, "tooltipField": "name"},
        texts["at"],
        _flow("first", "First"),
        _flow("second", "Second"),
        _change(80),
        number_column("share", "Share", "flowvizShare", 68) | BY_AMOUNT,
        texts["first_top"],
        texts["second_top"],
    ]  # fmt: skip
