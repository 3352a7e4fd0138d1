"""How attention is looked at: the panel on the left."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from flowviz.attention.types import AttentionMaps, Part, Weighting
from flowviz.ui.attention.ids import Attention
from flowviz.ui.attention.lines import line_controls
from flowviz.ui.attention.opening import Opening
from flowviz.ui.dom import attributes
from flowviz.ui.graph_controls import field
from flowviz.views.attention.look import View
from flowviz.views.attention.words import PART_TIPS, PART_WORDS, WEIGHTING_TIPS, WEIGHTING_WORDS

VIEW_WORDS = {View.HEADS: "Heads", View.MODEL: "Model"}
MASK_TIP = (
    "Hides a token from the model and runs it again. Double-click a token, or pin it and press m; "
    "the same shows it again"
)
HEADS_READING = (
    "Each head has its colour (of the flow, blue speaks for the target and orange against it); the "
    "stronger a line, the more it reads. Behind the tokens: how much all chosen heads read from "
    "each. Point at a token for its lines, click to keep them."
)
MODEL_READING = (
    "Rows read, columns are read. Darkness is a root of the weight, so that weak attention shows "
    "too. The bar under a head is its score; the strongest are outlined. Click a head to open it."
)


def controls(opening: Opening, flows: bool) -> html.Aside:
    """The whole panel; `flows`: whether the model may have a flow."""
    return html.Aside(
        [
            _view(opening),
            html.Div(id=Attention.PARTS, className="of-parts"),
            _weighting(opening, flows),
            line_controls(opening.look),
            _masks(),
            html.P(HEADS_READING, className="reading of-heads"),
            html.P(MODEL_READING, className="reading of-model"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def _view(opening: Opening) -> html.Div:
    control = dmc.SegmentedControl(
        id=Attention.VIEW,
        value=str(opening.look.view),
        data=[{"value": str(view), "label": words} for view, words in VIEW_WORDS.items()],
        fullWidth=True,
        size="xs",
    )
    return field("View", control, "The heads of one layer, or every head of the model")


def part_buttons(maps: AttentionMaps) -> html.Div | None:
    """Which of the model's attentions is drawn; None where there is one."""
    if len(maps.parts) < 2:
        return None
    buttons = [_part(part, part is maps.part) for part in maps.parts]
    tip = "\n".join(f"{PART_WORDS[part]}: {PART_TIPS[part].lower()}" for part in maps.parts)
    return field("Attention of", html.Div(buttons, className="part-buttons"), tip)


def _part(part: Part, chosen: bool) -> html.Button:
    return html.Button(
        PART_WORDS[part],
        className="small",
        type="button",
        title=PART_TIPS[part],
        **attributes(data_part=str(part), aria_pressed=chosen),
    )


def _weighting(opening: Opening, flows: bool) -> html.Div:
    control = dmc.SegmentedControl(
        id=Attention.WEIGHTING,
        value=str(opening.weighting),
        data=weighting_options(flows),
        fullWidth=True,
        size="xs",
    )
    words = html.Small(id=Attention.WEIGHTING_WORDS, className="dim weighting-words")
    tips = (f"{WEIGHTING_WORDS[each]}: {tip}" for each, tip in WEIGHTING_TIPS.items())
    return field("Lines say", html.Div([control, words]), "\n".join(tips))


def weighting_options(flows: bool) -> list[dict[str, str]]:
    """What lines may say."""
    offered = [each for each in Weighting if flows or each is not Weighting.FLOW]
    return [{"value": str(each), "label": WEIGHTING_WORDS[each]} for each in offered]


def _masks() -> html.Div:
    one = html.Button("Mask a token", id=Attention.MASK_ONE, className="small", type="button",
                      disabled=True, title=MASK_TIP)  # fmt: skip
    every = html.Button("Unmask all", id=Attention.UNMASK, className="plain", type="button",
                        hidden=True)  # fmt: skip
    return html.Div(
        field("Masks", html.Div([one, every], className="mask-buttons"), MASK_TIP),
        className="of-masks",
    )
