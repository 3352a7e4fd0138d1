"""The bar for nodes that were picked together in the graph; a script fills and shows it."""

from __future__ import annotations

from dash import html

from flowviz.ui.dom import attributes
from flowviz.ui.interventions.ids import Change
from flowviz.ui.interventions.pieces import acts


def parts_bar(donor: str | None) -> html.Div:
    """Floats over the lower edge of the graph while something is picked."""
    return html.Div(
        html.Div(
            [
                html.Strong(id=Change.PARTS_COUNT),
                *acts(None, donor),
                html.Button(
                    "Clear", className="plain", type="button", **attributes(data_parts="clear")
                ),
            ],
            role="toolbar",
            **attributes(aria_label="Change what is picked"),
        ),
        id=Change.PARTS,
        className="parts",
        hidden=True,
        **attributes(data_sites=""),
    )
