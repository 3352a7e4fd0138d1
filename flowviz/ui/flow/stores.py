"""The page's stores: small values, never a graph."""

from __future__ import annotations

from typing import Any

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.flow.ids import Flow
from flowviz.ui.flow.opening import Opening


def stores(
    opening: Opening, examples: list[dict[str, str | None]], styles: dict[str, Any]
) -> list[Component]:
    """All of them, with what the page opens with."""
    asked = {"prompt": opening.prompt, "model": opening.model, "count": 0}
    selected = {"key": opening.node, "via": None} if opening.node else None
    filled = {
        Flow.ASKED: asked if opening.run else None,
        Flow.POSITION: opening.target.position,
        Flow.SELECTED: selected,
        Flow.EXAMPLES: examples,
        Flow.STYLES: styles,
        Flow.FAULT: opening.fault,
    }
    shown = (Flow.SHOWN, Flow.DRAWN, Flow.STRIP, Flow.OPENED)
    empty = (Flow.JOB, Flow.STANDING, Flow.AGAIN, Flow.TYPED, Flow.PICKING, *shown)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in empty),
        dcc.Download(id=Flow.DOWNLOAD),
    ]
