"""What a check found as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Verdict
from flowviz.graph.types import FlowGraph
from flowviz.ui.check.ids import Check
from flowviz.views.check.tables import (
    CURVE_COLUMNS,
    curve_rows,
    effect_columns,
    effect_rows,
    verdict_json,
)
from flowviz.views.files import table_csv


def download(
    request: CheckRequest, graph: FlowGraph, verdict: Verdict, button: Check
) -> dict[str, Any]:
    """What the browser saves for one of the download buttons."""
    if button is Check.SAVE_JSON:
        return dcc.send_string(verdict_json(request, verdict), "check.json")
    if button is Check.SAVE_EFFECTS:
        rows = effect_rows(graph, verdict)
        return dcc.send_string(table_csv(effect_columns(verdict), rows), "check-effects.csv")
    return dcc.send_string(table_csv(CURVE_COLUMNS, curve_rows(verdict)), "check-curves.csv")
