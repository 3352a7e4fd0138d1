"""Finding heads by what they do: the panel on the right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from flowviz.analyses.prompts import groups, shipped, shipped_sets
from flowviz.attention.types import KIND_WORDS, AttentionMaps, HeadScore, HeadsFound
from flowviz.ui.attention.ids import Attention, Finder
from flowviz.ui.canvas import POLL_MILLISECONDS
from flowviz.ui.dom import attributes
from flowviz.ui.graph_controls import field
from flowviz.views.attention.look import Look
from flowviz.views.attention.packed import scores_packed
from flowviz.views.attention.words import head_name, kind_name, kind_words, strongest

AVERAGE_TIP = (
    "The attention of each head, position by position, averaged over the set's prompts: what it "
    "does whatever the words"
)
PROMPT = "prompt"  # what the scores are over, where that is no set


def finder(look: Look, mean: bool) -> html.Aside:
    """The panel, before anything is drawn; `mean`: whether that over a set is drawn."""
    return html.Aside(
        [
            html.H2("Find heads"),
            field("Heads that do this", _kinds(look.kind), "Scored by the attention pattern"),
            field("Over", _sets(look.over), "The scores of this prompt alone, or means over a set"),
            _average(mean),
            _progress(),
            html.P(id=Attention.KIND_WORDS, className="dim"),
            html.Div(id=Attention.FOUND),
            html.Div(id=Attention.LINKS, className="into-flow"),
            _readings(),
        ],
        className="inspector",
        **attributes(aria_label="Find heads"),
    )


def _kinds(kind: str) -> dmc.Select:
    return _select(
        Attention.KIND,
        kind,
        [{"value": each, "label": kind_name(each)} for each in KIND_WORDS],
        "Kind of head",
    )


def _sets(over: str) -> dmc.Select:
    items = [{"value": PROMPT, "label": "This prompt"}]
    for name in shipped_sets():
        prompts = shipped(name)
        items.append({"value": name, "label": f"Set {name} ({len(prompts):,} prompts)"})
        counts = Counter(prompt.group for prompt in prompts)
        items += [
            {"value": f"{name}/{group}", "label": f"{group} ({counts[group]:,})"}
            for group in groups(name)
        ]
    return _select(Attention.OVER, over or PROMPT, items, "Over which prompts")


def _average(mean: bool) -> html.Div:
    switch = dmc.Switch(
        id=Attention.AVERAGE, checked=mean, label="Draw the mean over this set", size="xs"
    )
    return html.Div(switch, className="of-set", title=AVERAGE_TIP)


def _select(box: Attention, value: str, data: list[dict[str, str]], name: str) -> dmc.Select:
    return dmc.Select(
        id=box,
        value=value,
        data=data,
        allowDeselect=False,
        size="xs",
        maxDropdownHeight=360,
        attributes={"input": {"aria-label": name}},
    )


def _progress() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.Span(id=Finder.STAGE),
                    html.Progress(id=Finder.BAR, max="1", value="0"),
                    html.Button("Cancel", id=Finder.CANCEL, className="small", type="button"),
                ],
                id=Finder.PROGRESS,
                className="finder-progress",
                hidden=True,
            ),
            html.P(id=Finder.FAULT, className="fault", role="status"),
            dcc.Interval(id=Finder.POLL, interval=POLL_MILLISECONDS, disabled=True),
        ]
    )


def _readings() -> html.Details:
    return html.Details(
        [
            html.Summary("Predictions per token"),
            html.P(id=Attention.READINGS_WORDS, className="dim"),
            html.Div(id=Attention.READINGS, className="readings"),
        ],
        className="readings-panel",
        open=True,
        hidden=True,
    )


def found(maps: AttentionMaps | HeadsFound, kind: str) -> tuple[dict[str, Any], Component, str]:
    """All heads' scores packed, the strongest as a table, and what the kind is."""
    heads = strongest(maps, kind)
    scores = {
        "name": kind_name(kind),
        "data": scores_packed(maps.kinds.scores(kind)),
        "strongest": [[each.layer, each.head] for each in heads],
    }
    return scores, _table(heads), kind_words(maps, kind)


def _table(heads: Sequence[HeadScore]) -> Component:
    if not heads:
        return html.P("No head does it more than by chance.", className="dim")
    rows = [html.Tr([html.Th("Head", scope="col"), html.Th("Score", scope="col")])]
    return html.Table([html.Thead(rows), html.Tbody([_row(each) for each in heads])],
                      className="found-heads")  # fmt: skip


def _row(each: HeadScore) -> html.Tr:
    name = head_name(each.layer, each.head)
    button = html.Button(
        name,
        className="plain",
        type="button",
        title=f"Open {name}",
        **attributes(data_layer=each.layer, data_head=each.head),
    )
    bar = html.I(style={"width": f"{100 * min(1.0, each.score):.0f}%"})
    score = html.Td([bar, html.Span(f"{each.score:.2f}")])
    return html.Tr(
        [html.Td(button), score], **attributes(data_layer=each.layer, data_head=each.head)
    )
