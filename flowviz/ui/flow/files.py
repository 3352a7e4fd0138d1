"""The graph as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.graph.json import graph_json
from flowviz.graph.types import FlowGraph
from flowviz.ui.flow.ids import Flow
from flowviz.views.files import csv


def download(graph: FlowGraph, button: Flow) -> dict[str, Any]:
    """What the browser saves for one of the download buttons."""
    if button is Flow.SAVE_JSON:
        return dcc.send_string(graph_json(graph), "flow.json")
    table = "edges" if button is Flow.SAVE_EDGES else "nodes"
    return dcc.send_string(csv(graph, table), f"flow-{table}.csv")
