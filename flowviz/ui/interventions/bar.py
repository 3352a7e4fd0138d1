"""The changes above the graph: a chip each, with what it does, and one click that undoes it."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from flowviz.graph.types import FlowGraph, NodeKind
from flowviz.interventions.types import Instead, Intervention, Site, write_interventions
from flowviz.request import ExplainRequest
from flowviz.ui.dom import attributes
from flowviz.ui.interventions.carry import RULE
from flowviz.ui.interventions.made import Made
from flowviz.ui.interventions.pieces import acts, donor_box
from flowviz.ui.links import compare_link
from flowviz.views.changes import how_words, intervention_words, parts_words, site_words
from flowviz.views.tokens import visible

MOST_NAMED = 12


def change_bar(
    made: Made, aside: Made | None, shown: ExplainRequest | None, graph: FlowGraph | None
) -> list[Component]:
    """Everything in the list; nothing where nothing is changed or put aside.

    Args:
        shown: the request that is drawn.
        graph: what is drawn, where it is of the prompt that the changes are made on.
    """
    if not made.interventions:
        return [_aside(aside)] if aside else []
    return [
        html.Span("Changed in this pass", className="strip-name", title=RULE),
        *(_chip(one, made, graph) for one in made.interventions),
        *_donor(made),
        html.Button("Undo all", className="plain", type="button", **attributes(data_undo="all")),
        *_compare(shown),
        *([_aside(aside)] if aside else []),
    ]


def _chip(one: Intervention, made: Made, graph: FlowGraph | None) -> html.Div:
    words = intervention_words(one, graph)
    sites = ",".join(map(str, one.sites))
    return html.Div(
        [
            html.Details(
                [
                    html.Summary(
                        [
                            html.Span(parts_words(one, graph)),
                            html.B(how_words(one.how)),
                        ],
                        title=_tip(one, graph),
                    ),
                    html.Div([*_parts(one, graph), *_acts(one, made)]),
                ],
                className="pop",
            ),
            html.Button(
                "×",
                type="button",
                title="Undo this change",
                **attributes(data_undo="1", aria_label=f"Undo: {words}"),
            ),
        ],
        key=sites,
        className="change-chip",
        **attributes(data_sites=sites),
    )


def _acts(one: Intervention, made: Made) -> list[Component]:
    """What else can be done; biases and single reads are only scaled."""
    plain = all(site.key.kind is not NodeKind.BIAS and site.source is None for site in one.sites)
    factors = all(site.key.kind is NodeKind.FACTOR for site in one.sites)
    return acts(one.how, made.donor, values=plain, clamps=factors)


def _tip(one: Intervention, graph: FlowGraph | None) -> str:
    lines = [site_words(site, graph) for site in one.sites[:MOST_NAMED]]
    more = len(one.sites) - MOST_NAMED
    lines += [f"and {more:,} more"] if more > 0 else []
    return "\n".join([*lines, how_words(one.how), "Click to change it"])


def _parts(one: Intervention, graph: FlowGraph | None) -> list[Component]:
    """What it concerns, each a way to its node where it has a position."""
    more = len(one.sites) - MOST_NAMED
    parts = [_part(site, graph) for site in one.sites[:MOST_NAMED]]
    return [*parts, html.Span(f"and {more:,} more")] if more > 0 else parts


def _part(site: Site, graph: FlowGraph | None) -> Component:
    words = site_words(site, graph)
    if site.everywhere:
        return html.Span(words)
    return html.Button(words, className="step", type="button", **attributes(data_node=site.key))


def _donor(made: Made) -> list[Component]:
    """The other prompt, where values come from one."""
    if not made.donor or all(one.how is not Instead.DONOR for one in made.interventions):
        return []
    box = html.Div([donor_box(made.donor), _use()])
    words = f"Other prompt: {visible(made.donor)}"
    summary = html.Summary(html.Span(words), title=made.donor)
    return [
        html.Div(
            html.Details([summary, box], className="pop"),
            className="change-chip",
            **attributes(data_sites=""),
        )
    ]


def _use() -> html.Button:
    return html.Button("Use it", className="small", type="button", **attributes(data_donor="1"))


def _compare(shown: ExplainRequest | None) -> list[Component]:
    if shown is None or not shown.interventions:
        return []
    return [
        dcc.Link(
            "Compare before and after",
            href=compare_link(shown),
            className="compare",
            title="Both passes in one graph of differences",
        )
    ]


def _aside(aside: Made) -> html.Span:
    count = len(aside.interventions)
    words = "1 change was" if count == 1 else f"{count} changes were"
    return html.Span(
        [
            f"{words} put aside: made at positions of another prompt. ",
            _button("Bring back", "back", write_interventions(aside.interventions)),
            _button("Forget", "forget", "They are not offered any more"),
        ],
        className="aside",
        role="status",
    )


def _button(words: str, what: str, tip: str) -> html.Button:
    return html.Button(
        words, className="plain", type="button", title=tip, **attributes(data_aside=what)
    )
