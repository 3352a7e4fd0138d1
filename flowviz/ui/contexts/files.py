"""What was found as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.contexts.json import hits_table, summary_table, to_json
from flowviz.contexts.types import ContextsFound
from flowviz.ui.contexts.ids import Contexts
from flowviz.views.files import table_csv


def download(found: ContextsFound, button: object) -> dict[str, Any]:
    """What the browser saves: the hits, the summaries, or all of it."""
    if button == Contexts.SAVE_JSON:
        return dcc.send_string(to_json(found), "contexts.json")
    make = summary_table if button == Contexts.SAVE_SUMMARY else hits_table
    table = make(found)
    return dcc.send_string(table_csv(table.columns, table.rows), f"contexts-{table.name}.csv")
