"""A closer look at one node: the panel on the right, in the order in which one asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from flowviz.errors import FlowvizError
from flowviz.factors.types import About
from flowviz.graph.inspection import Inspection
from flowviz.graph.types import FlowGraph, FlowNode, NodeKey, NodeKind, Projection
from flowviz.request import ExplainRequest
from flowviz.ui.contexts.similar import of_node
from flowviz.ui.flow.ids import Flow
from flowviz.ui.flow.open_block import open_block
from flowviz.ui.flow.tables import flow_table
from flowviz.ui.interventions.inspector import change_section
from flowviz.ui.opened.inspector import open_section
from flowviz.ui.panel import chart, close_button, figures, target_line
from flowviz.ui.reads import reads
from flowviz.views.figures import MOST_CELLS, attention_bars, lens_chart
from flowviz.views.laws import flow_shown
from flowviz.views.tables import flow_rows
from flowviz.views.words import describe, percent, share_of_target, short_label, signed

STROKES = ", and | before the changes"
OF_THE_FLOW = ("Flow", "Influence", "Direct")


def refused(error: FlowvizError) -> list[Component]:
    """Why the node cannot be shown."""
    title = html.Div([html.H2("No such node here"), close_button()], className="title")
    return [title, html.P(str(error), role="alert")]


def inspector(
    inspection: Inspection,
    request: ExplainRequest,
    graph: FlowGraph,
    theme: str,
    via: str | None,
    dictionaries: Sequence[About] = (),
) -> list[Component]:
    """Everything that is known of one node; `via` is the node from which one came, and
    `dictionaries` are those of factors that the model has."""
    node = inspection.node
    parts = [
        _head(node.key, graph),
        _figures(node, graph),
        target_line(None if node.norm == 0 else node.projection, graph),
        open_block(node.key, request, graph),
        of_node(node.key, request),
        open_section(node.key, request, graph, dictionaries),
        change_section(node.key, graph, inspection.attention, via),
        *_readings(inspection),
        *_charts(inspection, theme, flow_shown(graph)),
        *_tables(inspection, graph, via),
    ]
    return [part for part in parts if part is not None]


def _tables(inspection: Inspection, graph: FlowGraph, via: str | None) -> list[Component | None]:
    if not flow_shown(graph):
        return [
            html.P("A law of the flow failed on this run, so no flows are listed.", className="dim")
        ]
    return [
        flow_table("Inflows", Flow.INFLOWS, flow_rows(inspection, graph, "in"), via, graph),
        flow_table("Outflows", Flow.OUTFLOWS, flow_rows(inspection, graph, "out"), via, graph),
    ]


def _head(key: NodeKey, graph: FlowGraph) -> html.Header:
    drawn = graph.node(key) is not None
    note = None if drawn else html.P("It is not drawn in this picture.", className="dim")
    title = html.Div([html.H2(short_label(key, graph)), close_button()], className="title")
    return html.Header([title, html.P(describe(key, graph)), note])


def _figures(node: FlowNode, graph: FlowGraph) -> html.Dl:
    pairs = [
        *_scores(node, graph),
        ("Norm", _of(node.norm, "{:.3g}".format), "length of the vector"),
        ("Entropy", _bits(node.projection), "of the tokens that it reads as"),
        ("Activation", _of(node.activation, signed), "of the neuron or factor"),
    ]
    if node.key.kind in (NodeKind.REST, NodeKind.TARGET):
        pairs = pairs[:3]
    return figures(pairs)


def _scores(node: FlowNode, graph: FlowGraph) -> list[tuple[str, str | None, str]]:
    whole = share_of_target(node.flow, graph)
    pairs = [
        ("Flow", signed(node.flow), f"{whole}"),
        ("Before", _of(node.before, signed), "its flow without the changes"),
        ("Influence", percent(node.influence), "its share of the influence, along all paths"),
        ("Direct", signed(node.direct), "direct logit attribution"),
        ("Gradient", _of(node.gradient, signed), "attribution patching"),
    ]
    if flow_shown(graph):
        return pairs
    return [(name, "–", "not shown: a law of the flow failed") for name in OF_THE_FLOW]


def _of(value: float | None, words: Any) -> str | None:
    return None if value is None else words(value)


def _bits(projection: Projection | None) -> str | None:
    return None if projection is None else f"{projection.entropy:.2f} bits"


def _readings(inspection: Inspection) -> list[html.Section | None]:
    neuron = inspection.neuron
    if inspection.node.norm == 0:
        return [html.Section([html.H3("Reads as"), html.P("It gives nothing in this pass.")])]
    if neuron is None:
        return [reads("Reads as", inspection.node.projection)]
    return [
        reads("What it promotes here (value)", neuron.value),
        reads("What switches it (key)", neuron.key, ("on", "off")),
    ]


def _charts(inspection: Inspection, theme: str, flow: bool) -> list[html.Section]:
    charts = []
    if inspection.attention:
        changed = inspection.attention[0].before is not None
        title = _attention_title(len(inspection.attention)) + STROKES * changed
        charts.append(chart(title, attention_bars(inspection.attention, theme, flow=flow)))
    if inspection.lens:
        changed = inspection.lens[0].before is not None
        title = "The target at every layer here" + STROKES * changed
        charts.append(chart(title, lens_chart(inspection, theme)))
    return charts


def _attention_title(cells: int) -> str:
    if cells <= MOST_CELLS:
        return "Attention over the prompt"
    return f"Attention over the prompt: the {MOST_CELLS} strongest of {cells:,} tokens"
