"""The page's stores: small values, and what is shown now, packed."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.factors.examples import offered
from flowviz.ui.factors.ids import Factors
from flowviz.ui.factors.opening import Opening


def stores(opening: Opening, models: Sequence[str]) -> list[Component]:
    """All of them, with what the page opens with."""
    layer = opening.look.layer
    filled = {
        Factors.ASKED: opening.asked,
        Factors.EXAMPLES: [each.link for each in offered(models)],
        Factors.FAULT: opening.fault,
        Factors.TAB: str(opening.look.tab),
        Factors.LAYER: str(layer) if layer else None,
    }
    job = (Factors.JOB, Factors.STANDING, Factors.AGAIN, Factors.TYPED, Factors.PICKING)
    shown = (Factors.SHOWN, Factors.LISTED, Factors.TOLD, Factors.OF_PROMPT, Factors.SPLIT)
    more = (Factors.OPENED, Factors.SELECTED, Factors.FITTED)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in (*job, *shown, *more)),
        dcc.Download(id=Factors.DOWNLOAD),
    ]
