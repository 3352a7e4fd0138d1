"""Tables of what goes into a node or out of it: a row an edge, that leads to the other end."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag

SHOWN_ROWS = 8
ROW_HEIGHT = 28
NUMBER: dict[str, Any] = {"type": "rightAligned", "sortingOrder": ["desc", "asc"]}
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


def grid(
    table_id: str,
    rows: list[dict[str, Any]],
    pinned: list[dict[str, Any]],
    columns: list[dict[str, Any]],
) -> dag.AgGrid:
    """Sortable rows with their names in `row`, and rows that stay below."""
    height = ROW_HEIGHT * (1 + min(len(rows), SHOWN_ROWS) + len(pinned)) + 4
    return dag.AgGrid(
        id=table_id,
        rowData=rows,
        columnDefs=columns,
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True},
        columnSize="responsiveSizeToFit",
        getRowId="params.data.row",
        dashGridOptions={**OPTIONS, "pinnedBottomRowData": pinned},
        className="ag-theme-quartz flows",
        style={"height": f"{height}px"},
    )


def row_name(edge: str) -> str:
    """An edge's name for its row: the grid writes it into an attribute, and garbles a `>` there."""
    return edge.replace(">", " ")


def what_column() -> dict[str, Any]:
    """The other end."""
    return {"field": "what", "headerName": "Node", "minWidth": 90, "tooltipField": "what"}


def flow_column() -> dict[str, Any]:
    """The flow, with its sign and colour; sorted by its amount."""
    return {
        "field": "flow",
        "headerName": "Flow",
        "width": 78,
        "suppressSizeToFit": True,
        "valueFormatter": {"function": "flowvizSigned(params.value)"},
        "cellClassRules": {"for": "params.value > 0", "against": "params.value < 0"},
        "comparator": {"function": "flowvizByAmount"},
        **NUMBER,
    }


def number_column(field: str, title: str, written: str, width: int = 68) -> dict[str, Any]:
    """A number, written by a function of `assets/tables.js`."""
    return {
        "field": field,
        "headerName": title,
        "width": width,
        "suppressSizeToFit": True,
        "valueFormatter": {"function": f"{written}(params.value)"},
        **NUMBER,
    }
