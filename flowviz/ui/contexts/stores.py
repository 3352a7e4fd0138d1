"""The page's stores: small values, and the packed contexts that are listed now."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.contexts.examples import offered
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.contexts.opening import Opening

STEP = 50  # hits that are listed at once, and more with each press


def stores(opening: Opening, models: Sequence[str]) -> list[Component]:
    """All of them, with what the page opens with."""
    filled = {
        Contexts.ASKED: opening.asked,
        Contexts.EXAMPLES: [each.link for each in offered(models)],
        Contexts.FAULT: opening.fault,
        Contexts.TAB: str(opening.look.role),
        Contexts.LIMIT: STEP,
    }
    job = (Contexts.JOB, Contexts.STANDING, Contexts.AGAIN, Contexts.TYPED, Contexts.PICKING)
    shown = (Contexts.SHOWN, Contexts.DATA, Contexts.SUMMARY, Contexts.STRIP, Contexts.OPENED)
    more = (Contexts.POSITION, Contexts.FITTED, Contexts.SELECTED)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in (*job, *shown, *more)),
        dcc.Download(id=Contexts.DOWNLOAD),
    ]
