"""The stores of what is opened: a few short texts."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from flowviz.ui.opened.ids import Open
from flowviz.ui.opened.made import OpenedMade


def opened_stores(made: OpenedMade) -> list[Component]:
    """All of them, with what the page opens with."""
    return [dcc.Store(id=Open.MADE, data=made.stored()), dcc.Store(id=Open.EDIT)]
