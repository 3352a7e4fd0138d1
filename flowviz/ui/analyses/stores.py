"""The page's stores: small values, never a result."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.analyses.opening import Opening


def stores(opening: Opening) -> list[Component]:
    """All of them, with what the page opens with."""
    filled = {
        Analyses.START: opening.run,
        Analyses.FAULT: opening.fault,
        Analyses.NORM_CHOSEN: opening.norm,
    }
    empty = (
        Analyses.ASKED, Analyses.JOB, Analyses.STANDING, Analyses.AGAIN, Analyses.TYPED,
        Analyses.PICKING, Analyses.SHOWN, Analyses.OPENED,
    )  # fmt: skip
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in empty),
        dcc.Download(id=Analyses.DOWNLOAD),
    ]
