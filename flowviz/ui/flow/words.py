"""Small words and short sentences of the flow page."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import FlowGraph
from flowviz.views.laws import exactness_tip, exactness_words, failure_words, flow_shown
from flowviz.views.words import (
    Picture,
    cap_words,
    capped_value,
    coverage_words,
    plain,
    target_words,
)


def status_line(graph: FlowGraph) -> list[Component | str]:
    """How exact the picture is and how much of the whole it shows, in figures."""
    look = "exact" if flow_shown(graph) else "not-exact"
    exactness = html.Span(
        exactness_words(graph.checks), className=look, title=exactness_tip(graph.checks)
    )
    rest = html.Span("◇", className="rest-mark") if flow_shown(graph) else ""
    return [exactness, f" · {coverage_words(graph)} ", rest]


def value_words(graph: Picture) -> html.Span:
    """The number that is explained; the whole sentence in the tip."""
    target = graph.target
    what = "logit" if target.contrast is None else "logit difference"
    words: list[Component | str] = [f"{what} ", html.B(plain(target.value))]
    if target.before is not None:
        words.append(html.Span([", before ", html.B(plain(target.before))], className="was"))
    cap = cap_words(graph)
    if cap:
        words += [" before the cap, ", html.B(plain(capped_value(target))), " after"]
    return html.Span(words, title="\n".join(filter(None, (target_words(graph), cap))))


def failure_banner(graph: FlowGraph) -> list[Component | str]:
    """Where a law failed: which, and what is still right. Otherwise nothing."""
    failed = failure_words(graph)
    if failed is None:
        return []
    return [html.Strong(failed[0]), " ", html.Span(failed[1])]
