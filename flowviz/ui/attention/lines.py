"""Which lines the head view draws: layer, heads, how many, what is left out, the window."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from flowviz.ui.attention.ids import Attention
from flowviz.ui.dom import attributes
from flowviz.ui.graph_controls import PERCENT, field
from flowviz.views.attention.look import Look, Merge, Pairs

LAYER_LABEL: Any = {"function": "flowvizLayer"}  # a function of assets/ask.js
MERGE_WORDS = {Merge.EACH: "Each head", Merge.MEAN: "Mean", Merge.SUM: "Sum"}
MERGE_TIP = (
    "One line for each of the chosen heads, or one for all of them: their mean, or their sum"
)
PAIRS_WORDS = {
    Pairs.ALL: "All",
    Pairs.AA: "A→A",
    Pairs.AB: "A→B",
    Pairs.BA: "B→A",
    Pairs.BB: "B→B",
}
PAIRS_TIP = (
    "Only lines from one text to one text: A is the first, B the second (key b). What is left out "
    "is hidden; the shares of what remains are not scaled up"
)
MASS_TIP = (
    "Of each head and token, the strongest lines that hold so much of what is shown; lines of "
    "less than 2% are too faint to draw, and a tooltip names them"
)
HIDE_TIP = "What is hidden is left out; the shares of what remains are not scaled up"


def line_controls(look: Look) -> html.Div:
    """All of them."""
    return html.Div(
        [_window(), _layer(look), _heads(), _merge(look), _mass(look), _pairs(look), _hide(look)],
        className="of-heads",
    )


def _layer(look: Look) -> html.Div:
    control = dmc.Slider(
        id=Attention.LAYER,
        value=look.layer,
        min=0,
        max=max(1, look.layer),
        step=1,
        updatemode="drag",
        size="sm",
        thumbLabel="Layer",
        label=LAYER_LABEL,
    )
    words = html.Small(id=Attention.LAYER_WORDS)
    tip = "Keys [ and ] go to the layer below and above"
    return field("Layer", html.Div([control, words], className="layer-choice"), tip)


def _heads() -> html.Div:
    every = html.Button(
        "All", id=Attention.EVERY, className="plain", type="button", title="All heads, or none"
    )
    squares = html.Div(
        id=Attention.SQUARES, className="squares", role="group", **attributes(aria_label="Heads")
    )
    tip = "Click to switch a head on or off; double-click, or Shift+Enter, for that head alone"
    return html.Div([field("Heads", squares, tip), every], className="head-choice")


def _merge(look: Look) -> html.Div:
    control = dmc.SegmentedControl(
        id=Attention.MERGE,
        value=str(look.merge),
        data=[{"value": str(each), "label": words} for each, words in MERGE_WORDS.items()],
        fullWidth=True,
        size="xs",
    )
    return field("A line is", control, MERGE_TIP)


def _pairs(look: Look) -> html.Div:
    control = dmc.SegmentedControl(
        id=Attention.PAIRS,
        value=str(look.pairs),
        data=[{"value": str(each), "label": words} for each, words in PAIRS_WORDS.items()],
        fullWidth=True,
        size="xs",
    )
    return html.Div(field("From text to text", control, PAIRS_TIP), className="of-pairs")


def _mass(look: Look) -> html.Div:
    control = dmc.Slider(
        id=Attention.MASS,
        value=look.mass,
        min=0.1,
        max=1,
        step=0.01,
        precision=2,
        updatemode="drag",
        marks=[{"value": 0.5, "label": "50%"}, {"value": 0.9, "label": "90%"}],
        label=PERCENT,
        size="sm",
        thumbLabel="Share of each row that is drawn",
    )
    return field("Strongest lines that hold", control, MASS_TIP)


def _hide(look: Look) -> html.Div:
    first = dmc.Switch(
        id=Attention.HIDE, checked=look.hide, label="Hide the first token", size="xs"
    )
    special = dmc.Switch(
        id=Attention.TEXT_ONLY, checked=look.text_only, label="Hide special tokens", size="xs"
    )
    words = html.Small(id=Attention.HIDDEN, role="status")
    return html.Div(
        [first, html.Div(special, className="of-special"), words],
        className="field hiding",
        title=HIDE_TIP,
    )


def _window() -> html.Div:
    return html.Div(
        [
            html.Button("↑ Earlier", id=Attention.EARLIER, className="small", type="button"),
            html.Button("Later ↓", id=Attention.LATER, className="small", type="button"),
            html.Small(id=Attention.WINDOW_WORDS),
        ],
        id=Attention.WINDOW,
        className="field window",
        role="group",
        hidden=True,
        **attributes(aria_label="Window of tokens"),
    )
