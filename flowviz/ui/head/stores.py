"""The page's stores: small values, and the packed numbers of what is drawn now."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.head.ids import Head
from flowviz.ui.head.opening import Opening


def stores(opening: Opening, examples: list[dict[str, str]]) -> list[Component]:
    """All of them, with what the page opens with."""
    request, look = opening.request, opening.look
    asked = {"prompt": request.prompt, "model": request.model, "count": 0}
    filled = {
        Head.ASKED: asked if opening.run else None,
        Head.EXAMPLES: examples,
        Head.PASSED: opening.passed,
        Head.HEAD: request.head,
        Head.POSITION: request.query,
        Head.EXPLAINED: opening.key,
        Head.START: look.start,
        Head.SELECTED: look.dim,
        Head.FAULT: opening.fault,
    }
    job = (Head.JOB, Head.STANDING, Head.AGAIN, Head.TYPED, Head.PICKING)
    shown = (Head.SHOWN, Head.DATA, Head.SIZES, Head.STRIP, Head.OPENED)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in (*job, *shown)),
        dcc.Download(id=Head.DOWNLOAD),
    ]
