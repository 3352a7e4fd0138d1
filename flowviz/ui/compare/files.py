"""The comparison as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.compare.json import comparison_json
from flowviz.compare.types import Comparison
from flowviz.ui.compare.ids import Compare
from flowviz.views.compare.tables import (
    CHANGE_COLUMNS,
    EDGE_COLUMNS,
    PREDICTION_COLUMNS,
    change_rows,
    edge_rows,
    prediction_rows,
)
from flowviz.views.files import table_csv


def download(comparison: Comparison, button: Compare) -> dict[str, Any]:
    """What the browser saves for one of the download buttons."""
    if button is Compare.SAVE_JSON:
        return dcc.send_string(comparison_json(comparison), "compare.json")
    if button is Compare.SAVE_EDGES:
        return _csv(EDGE_COLUMNS, edge_rows(comparison), "compare-edges.csv")
    if button is Compare.SAVE_PREDICTIONS:
        return _csv(PREDICTION_COLUMNS, prediction_rows(comparison), "compare-predictions.csv")
    return _csv(CHANGE_COLUMNS, change_rows(comparison), "compare-changes.csv")


def _csv(columns: tuple[str, ...], rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return dcc.send_string(table_csv(columns, rows), name)
