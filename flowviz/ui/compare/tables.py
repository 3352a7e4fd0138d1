"""The page's tables: what changed most, and a node's inflows and outflows on both sides."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.compare.types import Comparison
from flowviz.graph.types import STATES, NodeKind
from flowviz.ui.compare.ids import Compare
from flowviz.ui.dom import attributes
from flowviz.ui.tables import NUMBER, OPTIONS, ROW_HEIGHT, grid, number_column, row_name
from flowviz.views.compare.tables import Row, change_rows
from flowviz.views.compare.words import attention_words
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
        {
            **row,
            "row": row_name(row["edge"]),
            "drawn": True,
            "came": row["other"] == via,
            "attention": attention_words(row["first_weight"], row["second_weight"]),
        }
        for row in rows
    ]
    below = {"what": "not drawn ◇", "difference": rest, "row": "rest", "drawn": True}
    shown = [
        {"field": "what", "headerName": "Node", "minWidth": 84, "tooltipField": "what"},
        _flow("first", "First"),
        _flow("second", "Second"),
        _change(),
    ]
    if any(row["attention"] for row in listed):
        shown.append({"field": "attention", "headerName": "Attn", "width": 80,
                      "suppressSizeToFit": True, "type": "rightAligned", "sortable": False,
                      "headerTooltip": "attention on it, first → second"})  # fmt: skip
    pinned = [below] if rest else []
    return html.Section([html.H3(title), grid(table, listed, pinned, shown)])


def _flow(field: str, title: str, width: int = 68) -> dict[str, Any]:
    return {**number_column(field, title, "flowvizSigned", width), **BY_AMOUNT}


def _change(width: int = 74) -> dict[str, Any]:
    column = number_column("difference", "Change", "flowvizSigned", width)
    return {**column, **BY_AMOUNT, "cellClassRules": SIGNS}


def changed_most(states: bool) -> html.Section:
    """Where the table of what changed most stands; `states`: whether hidden states are in it."""
    listed = dmc.Switch(
        id=Compare.STATES, checked=states, label="hidden states, which sum up others", size="xs"
    )
    return html.Section(
        [
            html.Div([html.H3("What changed most"), listed, _save()], className="title"),
            html.Div(id=Compare.TABLE),
        ],
        className="changed-most",
        **attributes(aria_label="What changed most"),
    )


def _save() -> html.Button:
    return html.Button(
        ["Save ", html.Small("CSV")],
        id=Compare.SAVE_TABLE,
        className="small",
        type="button",
        title="Save as CSV: all that changed",
    )


def changes_table(comparison: Comparison, states: bool) -> list[Component]:
    """The table, a row a node, the largest change first; a row leads to its node."""
    rows = change_rows(comparison)
    listed = [row for row in rows if states or NodeKind(row["kind"]) not in STATES]
    if listed:
        return [_grid([_shown(row, rank) for rank, row in enumerate(listed, start=1)])]
    words = "Only hidden states changed." if rows else ""
    return [html.P(words, className="dim")] if words else []


def _shown(row: Row, rank: int) -> Row:
    tops = {name: visible(row[name]) if row[name] else "" for name in ("first_top", "second_top")}
    kept = ("name", "at", "first", "second", "difference", "share", "drawn")
    shown = {name: row[name] for name in kept}
    return {"rank": rank, **shown, **tops, "row": row["id"], "came": False}


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
        _flow("first", "First", 84),
        _flow("second", "Second", 84),
        _change(84),
        {**number_column("share", "Share", "flowvizShare", 68), **BY_AMOUNT,
         "headerTooltip": "of the whole change of what is explained"},
        texts["first_top"],
        texts["second_top"],
    ]  # fmt: skip
