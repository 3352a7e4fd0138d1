"""What is shown of factors as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.analyses.tables import Table
from flowviz.errors import RequestError
from flowviz.factors.json import to_json
from flowviz.factors.look.types import FactorsFound
from flowviz.ui.factors.ids import Factors
from flowviz.views.factors.tables import factor_table, list_table, prompt_table
from flowviz.views.files import table_csv


def download(found: FactorsFound, button: object) -> dict[str, Any]:
    """What the browser saves. Raises RequestError where there is no such thing on the page."""
    if button == Factors.SAVE_JSON:
        return dcc.send_string(to_json(found), "factors.json")
    table = _table(found, button)
    if table is None:
        raise RequestError("There is nothing of that kind on the page to save. Ask for it first.")
    return dcc.send_string(table_csv(table.columns, table.rows), f"factors-{table.name}.csv")


def _table(found: FactorsFound, button: object) -> Table | None:
    if button == Factors.SAVE_FACTOR:
        return factor_table(found.told) if found.told else None
    if button == Factors.SAVE_PROMPT:
        return prompt_table(found.prompt) if found.prompt else None
    return list_table(found.listed) if found.listed else None
