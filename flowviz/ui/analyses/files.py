"""Results as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.analyses.request import AnalysisRequest
from flowviz.analyses.tables import result_json, tables
from flowviz.analyses.types import Result
from flowviz.errors import RequestError
from flowviz.views.files import table_csv


def download(request: AnalysisRequest, result: Result, button: Any) -> dict[str, Any]:
    """What the browser saves: all of it as JSON, or the table whose button was pressed as CSV.

    Raises:
        RequestError: the result has no such table.
    """
    if not isinstance(button, dict):
        return dcc.send_string(result_json(result), f"{request.analysis}.json")
    for table in tables(result):
        if table.name == button.get("index"):
            text = table_csv(table.columns, table.rows)
            return dcc.send_string(text, f"{request.analysis}-{table.name}.csv")
    raise RequestError("This result has no such table. Save one that is shown.")
