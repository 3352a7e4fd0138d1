"""What is drawn of the differences, as live controls."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from flowviz.request import GraphSettings
from flowviz.ui.compare.form import kept_settings
from flowviz.ui.compare.ids import Compare
from flowviz.ui.compare.opening import Opening
from flowviz.ui.dom import attributes
from flowviz.ui.graph_controls import budget, coverage, edge_coverage, kinds, score, wiring

SETTINGS = {
    "wiring": (Compare.WIRING, "value"),
    "score": (Compare.SCORE, "value"),
    "coverage": (Compare.COVERAGE, "value"),
    "budget": (Compare.BUDGET, "value"),
    "edge_coverage": (Compare.EDGE_COVERAGE, "value"),
    "kinds": (Compare.KINDS, "value"),
}


def controls(opening: Opening) -> html.Aside:
    """The panel on the left."""
    settings = opening.settings
    return html.Aside(
        [
            wiring(Compare.WIRING, settings),
            coverage(
                Compare.COVERAGE,
                settings,
                "The share of what differs that the drawn nodes should hold",
            ),
            budget(Compare.BUDGET, settings),
            kinds(Compare.KINDS, settings),
            dmc.Switch(id=Compare.REST, checked=opening.rest, label="Draw the rest ◇", size="xs"),
            _more(settings),
            html.Small(kept_words(kept_settings(settings)), id=Compare.KEPT_WORDS),
            html.Button("Back to the defaults", id=Compare.RESET, className="plain", type="button"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _more(settings: GraphSettings) -> html.Details:
    return html.Details(
        [
            html.Summary("More"),
            edge_coverage(
                Compare.EDGE_COVERAGE,
                settings,
                "The share of what differs between drawn nodes that the lines should hold",
            ),
            score(Compare.SCORE, settings, "Whose difference ranks the nodes"),
        ]
    )


def kept_words(kept: dict[str, str]) -> str:
    """Settings that the link has and that no control shows."""
    if not kept:
        return ""
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in kept.items())
    return f"As the link has it: {said}."
