"""Numbers and short sentences of the flow page."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import Checks, FlowGraph
from flowviz.views.words import coverage_words, exactness_words, signed, target_words


def token_value(text: str, token_id: int) -> str:
    """How a request names a token: its text, or its id where the text may not be its own."""
    plain = text and "�" not in text and not text.startswith("#") and "\0" not in text
    return text if plain else f"#{token_id}"


def status_line(graph: FlowGraph) -> list[Component | str]:
    """How exact the picture is and how much of the whole it shows, in figures."""
    look = "exact" if graph.checks.exact else "not-exact"
    return [
        html.Span(exactness_words(graph.checks), className=look, title=_laws(graph.checks)),
        f" · {coverage_words(graph)} ",
        html.Span("◇", className="rest-mark"),
    ]


def _laws(checks: Checks) -> str:
    return (
        "The largest relative error of this run, measured:\n"
        f"what flows into a node against what flows out: {checks.node_error:.0e}\n"
        f"the sum over every cut against the target: {checks.cut_error:.0e}\n"
        f"what is drawn plus the rest against the whole: {checks.rest_error:.0e}\n"
        f"the target against the model's own logits: {checks.target_error:.0e}\n"
        f"each block's parts against its output: {checks.block_error:.0e}\n"
        f"called exact up to {checks.tolerance:.0e} in {checks.dtype}"
    )


def value_words(graph: FlowGraph) -> html.Span:
    """The number that is explained; the whole sentence in the tip."""
    target = graph.target
    what = "logit" if target.contrast is None else "logit difference"
    number = signed(target.value).lstrip("+")
    return html.Span([f"{what} ", html.B(number)], title=target_words(graph))
