"""The stores of changes: a few short texts."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.interventions.ids import Change
from flowviz.ui.interventions.made import Made


def change_stores(made: Made) -> list[Component]:
    """All of them, with what the page opens with."""
    return [
        dcc.Store(id=Change.MADE, data=made.stored()),
        dcc.Store(id=Change.EDIT),
        dcc.Store(id=Change.ASIDE),
    ]
