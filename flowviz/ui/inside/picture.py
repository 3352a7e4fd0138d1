"""The middle of the page: which block, the graph with what lies on it, how exact it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from flowviz.ui.canvas import Save, canvas, empty
from flowviz.ui.dom import attributes
from flowviz.ui.inside.ask import CANVAS
from flowviz.ui.inside.ids import Inside
from flowviz.ui.inside.opening import Opening
from flowviz.ui.links import FLOW
from flowviz.views.inside.legend import Key

SAVES = (
    Save(Inside.SAVE_PNG, "Picture", "PNG"),
    Save(Inside.SAVE_SVG, "Picture", "SVG"),
    Save(Inside.SAVE_JSON, "Graph", "JSON"),
    Save(Inside.SAVE_NODES, "Parts", "CSV"),
    Save(Inside.SAVE_EDGES, "Edges", "CSV"),
)


def picture(opening: Opening, styles: dict[str, Any]) -> html.Section:
    """The middle of the page."""
    nothing = empty(
        "Open a block",
        "Type a prompt and press Enter, or pick one of the examples; then choose the block, "
        "and a token to look at it there.",
    )
    name = "An opened block. Arrows walk from part to part, Page Up and Page Down change the block."
    return html.Section(
        [
            _where(opening),
            html.Div(id=Inside.BANNER, className="banner", role="alert"),
            canvas(CANVAS, name, styles["light"], _legend(), SAVES, nothing),
            html.P(id=Inside.STATUS, className="status", role="status"),
        ],
        className="picture inside",
    )


def _where(opening: Opening) -> html.Div:
    """Which blocks at which position, with the way to the next and back to the flow."""
    return html.Div(
        [
            html.Span("Block", className="field-name"),
            _step(Inside.DOWN, "↓", "The block below (Page Down)"),
            _block(Inside.FIRST, opening.layers[0], "First block"),
            html.Span("to"),
            _block(Inside.LAST, opening.layers[1], "Last block"),
            _step(Inside.UP, "↑", "The block above (Page Up)"),
            html.Span(id=Inside.WHERE, className="where-words"),
            html.Span(className="grow"),
            dcc.Link("Back to the flow", id=Inside.BACK, href=FLOW, className="back"),
        ],
        className="where",
        role="group",
        **attributes(aria_label="Which block"),
    )


def _step(button: Inside, sign: str, words: str) -> html.Button:
    return html.Button(
        sign,
        id=button,
        className="small",
        type="button",
        title=words,
        **attributes(aria_label=words),
    )


def _block(box: Inside, value: int, words: str) -> dmc.NumberInput:
    return dmc.NumberInput(
        id=box,
        value=value,
        min=0,
        clampBehavior="none",
        allowDecimal=False,
        allowNegative=False,
        hideControls=True,
        debounce=500,
        size="xs",
        attributes={"input": {"aria-label": words}},
    )


def _legend() -> html.Details:
    return html.Details(
        [html.Summary("Legend"), html.Div(id=Inside.KEYS)],
        id=Inside.LEGEND,
        className="legend",
        open=True,
    )


def legend_keys(keys: Sequence[Key]) -> list[html.Span]:
    """The legend's entries."""
    return [html.Span([html.I(className=key.look), key.word], title=key.tip) for key in keys]
