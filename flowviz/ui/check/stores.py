"""The check's stores: small values, never a verdict."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.check.ids import Check
from flowviz.ui.check.opening import CheckOpening


def check_stores(opening: CheckOpening) -> list[Component]:
    """All of them, with what the page opens with."""
    empty = (Check.ASKED, Check.JOB, Check.STANDING, Check.SHOWN)
    return [
        dcc.Store(id=Check.CHOSEN, data=opening.chosen),
        dcc.Store(id=Check.OPEN, data=opening.open),
        *(dcc.Store(id=name) for name in empty),
        dcc.Download(id=Check.DOWNLOAD),
    ]
