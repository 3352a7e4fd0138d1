"""Which head, and how it is looked at: the panel on the left."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.analyses.prompts import groups, shipped
from flowviz.attention.kinds import Part
from flowviz.attention.why_request import Rank
from flowviz.ui.dom import attributes
from flowviz.ui.graph_controls import field
from flowviz.ui.head.ids import Head
from flowviz.ui.head.opening import Opening
from flowviz.ui.head.question import SET
from flowviz.views.head.look import Dims, Order, Over, View
from flowviz.views.head.words import CLICKING, PART_WORDS, READING

LAYER_LABEL: Any = {"function": "flowvizLayer"}  # a function of assets/ask.js
VIEW_WORDS = {View.NEURONS: "Neurons", View.DISTANCE: "Distance", View.WHY: "Why there"}
DIMS_WORDS = {Dims.NUMBER: "Number", Dims.DECIDING: "Deciding"}
ORDER_WORDS = {Order.POSITION: "Position", Order.ATTENTION: "Attention"}
RANK_WORDS = {Rank.BEYOND: "Beyond", Rank.SHARE: "Share"}
OVER_WORDS = {Over.PROMPT: "This prompt", Over.SET: "A set"}


def controls(opening: Opening) -> html.Aside:
    """The whole panel."""
    look = opening.look
    return html.Aside(
        [
            _choice(Head.VIEW, "View", VIEW_WORDS, look.view, "What is drawn of the head"),
            _part(opening),
            _layer(opening),
            _heads(),
            _of(View.NEURONS, _neurons(opening)),
            _of(View.DISTANCE, _distances(opening)),
            _of(View.WHY, [_rank(opening)]),
            *(
                html.P(f"{READING[view]} {CLICKING[view]}", className=f"reading of-{view}")
                for view in View
            ),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _of(view: View, parts: list[Component]) -> html.Div:
    return html.Div(parts, className=f"group of-{view}")


def _choice(box: Head, name: str, words: dict[Any, str], value: object, tip: str) -> html.Div:
    control = dmc.SegmentedControl(
        id=box,
        value=str(value),
        data=[{"value": str(each), "label": label} for each, label in words.items()],
        fullWidth=True,
        size="xs",
    )
    return field(name, control, tip)


def _part(opening: Opening) -> html.Div:
    control = dmc.SegmentedControl(
        id=Head.PART,
        value=opening.part or str(Part.ENCODER),
        data=[{"value": str(part), "label": words} for part, words in PART_WORDS.items()],
        fullWidth=True,
        size="xs",
    )
    box = field("Part", control, "Which of the model's attentions the head belongs to")
    return html.Div(box, id=Head.PARTS, hidden=True)


def _layer(opening: Opening) -> html.Div:
    control = dmc.Slider(
        id=Head.LAYER,
        value=opening.request.layer,
        min=0,
        max=max(1, opening.request.layer),
        step=1,
        size="sm",
        thumbLabel="Layer",
        label=LAYER_LABEL,
    )
    words = html.Small(id=Head.LAYER_WORDS)
    tip = "Keys [ and ] go to the layer below and above"
    return field("Layer", html.Div([control, words], className="layer-choice"), tip)


def _heads() -> html.Div:
    squares = html.Div(
        id=Head.SQUARES, className="squares", role="radiogroup", **attributes(aria_label="Head")
    )
    return field("Head", squares, "Keys , and . go to the head before and after")


def _neurons(opening: Opening) -> list[Component]:
    look = opening.look
    return [
        _choice(Head.DIMS, "Dimensions by", DIMS_WORDS, look.dims,
                "Their number, or how much they raise the attended sources above the others"),
        _choice(Head.ORDER, "Sources by", ORDER_WORDS, look.order,
                "Their position, or how much they are attended to"),
        html.Div(
            [
                html.Button("↑ Before", id=Head.EARLIER, className="small", type="button"),
                html.Button("After ↓", id=Head.LATER, className="small", type="button"),
                html.Small(id=Head.WINDOW_WORDS),
            ],
            id=Head.WINDOW,
            className="field window",
            role="group",
            hidden=True,
            **attributes(aria_label="Window of sources"),
        ),
    ]  # fmt: skip


def _distances(opening: Opening) -> list[Component]:
    names = groups(SET)
    counts = [prompt.group for prompt in shipped(SET)]
    every = {"value": "", "label": f"all prompts ({len(counts)})"}
    options = [{"value": name, "label": f"{name} ({counts.count(name)})"} for name in names]
    select = dmc.Select(
        id=Head.GROUP,
        value=opening.group,
        data=[every, *options],
        allowDeselect=False,
        searchable=True,
        size="xs",
        attributes={"input": {"aria-label": "Prompts of the set"}},
    )
    return [
        _choice(Head.OVER, "Read over", OVER_WORDS, opening.over,
                "All pairs of tokens of this prompt, or of a set of prompts that ships"),
        html.Div(field("Prompts of the set", select, "Groups of the set phenomena"),
                 className="for-set"),
    ]  # fmt: skip


def _rank(opening: Opening) -> html.Div:
    tip = (
        "Beyond: what a component does for this key more than for the mean of all; a softmax sees "
        "nothing else. Share: its whole part of the score."
    )
    return _choice(Head.RANK, "Strongest by", RANK_WORDS, opening.rank, tip)
