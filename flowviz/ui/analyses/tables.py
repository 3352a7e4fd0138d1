"""The numbers behind the charts, as tables that can be sorted and saved.

A table shows what `analyses/tables.py` says, with tokens made visible; what is saved is as it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
from dash import html

from flowviz.analyses.tables import Row, Table
from flowviz.ui.analyses.ids import Analyses
from flowviz.views.tokens import visible

ROW_HEIGHT = 28
SHOWN_ROWS = 14
OPEN = "open"  # the column that leads into the flow
SHARES = frozenset({
    "mean", "deviation", "probability", "probability_deviation", "overlap", "control_overlap",
    "shift", "control_shift", "before", "after", "change", "control", "control_deviation",
    "share", "at_least_share", "share_of_layer", "expected",
})  # fmt: skip
TOKENS = frozenset({"answer", "target", "prediction", "text"})
LISTS = frozenset({"promotes", "suppresses", "sources", "most_lost", "most_gained"})
BETWEEN = " | "  # the tokens of a list
WIDE = {"title": 340, "prompt": 300} | dict.fromkeys((*LISTS, "example"), 250)
UNSEEN = frozenset({"series", "target_id", "prediction_id", "position", "source_logits"})
OPTIONS = {
    "rowHeight": ROW_HEIGHT,
    "headerHeight": ROW_HEIGHT,
    "suppressCellFocus": True,
    "suppressDragLeaveHidesColumns": True,
    "enableCellTextSelection": True,
    "ensureDomOrder": True,
}


def shown_table(
    table: Table, links: Sequence[str | None] = (), folded: bool = False
) -> html.Section | html.Details:
    """One table with its name and a button that saves it.

    Args:
        table: what it shows.
        links: an address for each row, where there are any; None for a row that leads nowhere.
        folded: whether only its name shows until that is clicked.
    """
    count = html.Small(f"{len(table.rows):,} row{'' if len(table.rows) == 1 else 's'}")
    title: list[Any] = [html.H3(table.title), count, save_button(table)]
    if folded:
        head = html.Summary([html.H3(table.title), count])
        return html.Details([head, html.Div(title[2:]), _grid(table, links)], className="table")
    return html.Section([html.Div(title, className="title"), _grid(table, links)],
                        className="table")  # fmt: skip


def save_button(table: Table) -> html.Button:
    """Saves a table, all of it."""
    return html.Button(
        ["Save ", html.Small("CSV")],
        id={"type": Analyses.SAVE_CSV, "index": table.name},
        className="small",
        type="button",
        title=f"Save as CSV: {table.title}",
    )


def _grid(table: Table, links: Sequence[str | None]) -> dag.AgGrid:
    height = ROW_HEIGHT * (1 + min(len(table.rows), SHOWN_ROWS)) + 18
    rows = [_seen(row) for row in table.rows]
    if any(links):
        rows = [{OPEN: link, **row} for row, link in zip(rows, links, strict=True)]
    return dag.AgGrid(
        id={"type": Analyses.TABLE, "index": table.name},
        rowData=rows,
        columnDefs=columns(rows),
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "suppressMovable": True,
            "cellDataType": False,
        },
        columnSize="responsiveSizeToFit",
        dashGridOptions=OPTIONS,
        className="ag-theme-quartz numbers",
        style={"height": f"{height}px"},
    )


def _seen(row: Row) -> Row:
    return {name: _cell(name, value) for name, value in row.items() if name not in UNSEEN}


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, str) and name in TOKENS:
        return visible(value) if value else ""
    if isinstance(value, str) and name in LISTS:
        return "  ".join(visible(token) for token in value.split(BETWEEN) if token)
    return value


def columns(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A column for each field of the rows."""
    return [_column(name, [row[name] for row in rows]) for name in (rows[0] if rows else ())]


def _column(name: str, values: Sequence[Any]) -> dict[str, Any]:
    told = [value for value in values if value is not None]
    heading = name.replace("_", " ")
    column = {"field": name, "headerName": heading, "minWidth": 26 + 7 * len(heading)}
    if name == OPEN:
        return {**column, "headerName": "", "cellRenderer": "FlowLink", "sortable": False,
                "width": 62, "suppressSizeToFit": True}  # fmt: skip
    if told and all(isinstance(value, bool) for value in told):
        return {**column, "valueFormatter": {"function": "flowvizTruth(params.value)"}}
    if told and all(isinstance(value, int | float) for value in told):
        return {**column, **_number(name)}
    return {**column, "tooltipField": name, "minWidth": WIDE.get(name, 120)}


def _number(name: str) -> dict[str, Any]:
    words = "flowvizShare" if name in SHARES else "flowvizFigure"
    return {
        "type": "rightAligned",
        "sortingOrder": ["desc", "asc"],
        "valueFormatter": {"function": f"{words}(params.value)"},
    }
