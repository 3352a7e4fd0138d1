"""The note over a picture of which only some tokens or layers are drawn, with the way back."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import FlowGraph
from flowviz.request import ExplainRequest
from flowviz.ui.dom import attributes
from flowviz.views.words import token_at

Span = tuple[int, int]


def part_note(request: ExplainRequest, graph: FlowGraph) -> list[Component | str]:
    """What is drawn, where that is not everything; nothing where it is."""
    positions, layers = request.settings.positions, request.settings.layers
    words = [_positions(positions, graph)] if positions else []
    words += [_layers(layers, graph)] if layers else []
    if not words:
        return []
    note = f"Drawn: only {' and '.join(words)}. What flows in from elsewhere is kept as rest ◇."
    return [
        html.Span(note + _outside(positions, graph)),
        *([_all("positions", "Draw all tokens")] if positions else []),
        *([_all("layers", "Draw all layers")] if layers else []),
    ]


def _positions(span: Span, graph: FlowGraph) -> str:
    first, last = span[0], min(span[1], len(graph.tokens) - 1)
    if first == last:
        return f"token {first:,} ({token_at(graph, first)})"
    return f"tokens {first:,} to {last:,} of {len(graph.tokens):,}"


def _layers(span: Span, graph: FlowGraph) -> str:
    first, last = span[0], min(span[1], graph.model.layers - 1)
    return f"layer {first}" if first == last else f"layers {first} to {last}"


def _outside(span: Span | None, graph: FlowGraph) -> str:
    at = graph.target.position
    if span is None or span[0] <= at <= span[1]:
        return ""
    return f" The prediction explained is that after token {at:,}, which is not among them."


def _all(what: str, words: str) -> html.Button:
    return html.Button(words, className="plain", type="button", **attributes(data_all=what))
