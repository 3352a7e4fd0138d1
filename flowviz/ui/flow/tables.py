"""The inspector's tables of inflows and outflows."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import html

from flowviz.ui.flow.ids import Flow

SHOWN_ROWS = 8
ROW_HEIGHT = 28
ROUNDING = 1e-5
OPTIONS = {
    "rowHeight": ROW_HEIGHT,
    "headerHeight": ROW_HEIGHT,
    "suppressCellFocus": False,
    "suppressDragLeaveHidesColumns": True,
    "rowClassRules": {
        "undrawn": "!params.data.drawn",
        "came-from": "params.data.came",
    },
}


def flow_table(
    title: str, table_id: Flow, rows: list[dict[str, Any]], via: str | None
) -> html.Section | None:
    """One side of a node: a row a flow, sortable; what the others sum to stays below."""
    if not rows:
        return None
    listed = [_listed(row, via) for row in rows if row["id"]]
    others = [{**row, "row": "remainder"} for row in rows if not row["id"] and _counts(row)]
    height = ROW_HEIGHT * (1 + min(len(listed), SHOWN_ROWS) + len(others)) + 4
    grid = dag.AgGrid(
        id=table_id,
        rowData=listed,
        columnDefs=columns(any(row["weight"] is not None for row in listed)),
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        columnSize="responsiveSizeToFit",
        getRowId="params.data.row",
        dashGridOptions={**OPTIONS, "pinnedBottomRowData": others},
        className="ag-theme-quartz flows",
        style={"height": f"{height}px"},
    )
    return html.Section([html.H3(title), grid])


def _counts(row: dict[str, Any]) -> bool:
    """Whether the others are more than the rounding of a sum."""
    return row["what"] != "more" or abs(row["share"]) > ROUNDING


def _listed(row: dict[str, Any], via: str | None) -> dict[str, Any]:
    """The row with its name: the grid writes that into an attribute, and garbles a `>` there."""
    return {**row, "row": row["edge"].replace(">", " "), "came": row["id"] == via}


def columns(attention: bool) -> list[dict[str, Any]]:
    """The columns; attention stands where a head reads."""
    number = {"type": "rightAligned", "sortingOrder": ["desc", "asc"]}
    shown = [
        {"field": "what", "headerName": "Node", "minWidth": 90, "tooltipField": "what"},
        {
            "field": "flow",
            "headerName": "Flow",
            "width": 78,
            "suppressSizeToFit": True,
            "valueFormatter": {"function": "flowvizSigned(params.value)"},
            "cellClassRules": {"for": "params.value > 0", "against": "params.value < 0"},
            "comparator": {"function": "flowvizByAmount"},
            **number,
        },
        {
            "field": "share",
            "headerName": "Share",
            "width": 68,
            "suppressSizeToFit": True,
            "valueFormatter": {"function": "flowvizShare(params.value)"},
            **number,
        },
    ]
    if attention:
        weight = {"field": "weight", "headerName": "Attn", "width": 68, "suppressSizeToFit": True}
        shown.append(
            {**weight, "valueFormatter": {"function": "flowvizShare(params.value)"}, **number}
        )
    return shown
