"""The page's stores: small values, never a graph."""

from __future__ import annotations

from typing import Any

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.compare.form import Form, asked_of, kept_settings
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.opening import Opening


def stores(opening: Opening, examples: list[Form], styles: dict[str, Any]) -> list[Component]:
    """All of them, with what the page opens with."""
    asked = {**asked_of(opening.form), "count": 0}
    filled = {
        Compare.ASKED: asked if opening.run else None,
        Compare.POSITION: opening.form["position"],
        Compare.KEPT: kept_settings(opening.settings),
        Compare.SELECTED: {"key": opening.node, "via": None} if opening.node else None,
        Compare.EXAMPLES: examples,
        Compare.STYLES: styles,
        Compare.FAULT: opening.fault,
    }
    shown = (Compare.SHOWN, Compare.DRAWN, Compare.STRIP, Compare.OPENED)
    typed = (Compare.TYPED, Compare.SECOND_TYPED, Compare.PICKING)
    empty = (Compare.JOB, Compare.STANDING, Compare.AGAIN, *typed, *shown)
    return [
        *(dcc.Store(id=name, data=data) for name, data in filled.items()),
        *(dcc.Store(id=name) for name in empty),
        dcc.Download(id=Compare.DOWNLOAD),
    ]
