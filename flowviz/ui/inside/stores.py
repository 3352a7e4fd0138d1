"""The page's stores: small values, never a graph."""

from __future__ import annotations

from typing import Any

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.inside.ids import Inside
from flowviz.ui.inside.opening import Opening


def stores(
    opening: Opening, examples: list[dict[str, str | None]], styles: dict[str, Any]
) -> list[Component]:
    """All of them, with what the page opens with."""
    asked = {"prompt": opening.prompt, "model": opening.model, "count": 0}
    filled = {
        Inside.ASKED: asked if opening.run else None,
        Inside.EXPLAINED: opening.target.position,
        Inside.POSITION: opening.at,
        Inside.BLOCKS: list(opening.layers),
        Inside.SELECTED: {"key": opening.part, "via": None} if opening.part else None,
        Inside.EXAMPLES: examples,
        Inside.STYLES: styles,
        Inside.FAULT: opening.fault,
    }
    shown = (Inside.SHOWN, Inside.DRAWN, Inside.STRIP, Inside.OPENED)
    empty = (Inside.JOB, Inside.STANDING, Inside.AGAIN, Inside.TYPED, Inside.PICKING, *shown)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in empty),
        dcc.Download(id=Inside.DOWNLOAD),
    ]
