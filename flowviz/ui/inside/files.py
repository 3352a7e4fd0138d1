"""The opened block as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.inside.json import inside_json
from flowviz.inside.types import InsideGraph
from flowviz.ui.inside.ids import Inside
from flowviz.views.inside.tables import csv


def download(graph: InsideGraph, button: Inside) -> dict[str, Any]:
    """What the browser saves for one of the download buttons."""
    if button is Inside.SAVE_JSON:
        return dcc.send_string(inside_json(graph), "block.json")
    table = "edges" if button is Inside.SAVE_EDGES else "nodes"
    return dcc.send_string(csv(graph, table), f"block-{table}.csv")
