"""What the right panel shows while no node is selected: where the answer mostly came from."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.graph.types import STATES, FlowGraph, FlowNode, NodeKey, NodeKind
from flowviz.ui.dom import attributes
from flowviz.views.changes import was_words
from flowviz.views.laws import flow_shown
from flowviz.views.paths import Path, strongest_paths
from flowviz.views.words import describe, percent, short_label, signed

MOST_PATHS = 4
MOST_TRIED = 200  # many begin at a node of which only the rest flows in
PROMPT = frozenset({NodeKind.EMBED, NodeKind.POS_EMBED})
MOST_COMPONENTS = 10
NO_COMPONENT = STATES | {NodeKind.REST, NodeKind.TARGET}


def nothing_drawn() -> list[Component]:
    """Before the first picture."""
    return [
        html.H2("Look closer"),
        html.P("Click a node to see what it reads as, what flows into it and where it goes."),
        html.P("Hover to follow the strongest paths; walk with the arrow keys.", className="dim"),
    ]


def without_flow() -> list[Component]:
    """Where a law failed: what can still be looked at."""
    return [
        html.H2("Look closer"),
        html.P("Click a hidden state to see what it reads as at every layer, or a head to see "
               "where it attends."),
    ]  # fmt: skip


def overview(graph: FlowGraph) -> list[Component]:
    """The strongest paths and components of the picture; each leads to its node."""
    if not flow_shown(graph):
        return without_flow()
    found = strongest_paths(graph, MOST_TRIED)
    paths = [path for path in found if path.keys[0].kind in PROMPT][:MOST_PATHS]
    return [
        *nothing_drawn(),
        html.H3("Strongest components"),
        html.Ol([_component(node, graph) for node in _strongest(graph)], className="components"),
        html.H3("Strongest paths from the prompt") if paths else html.Div(),
        html.Ol([_path(path, graph) for path in paths], className="paths"),
    ]


def _path(path: Path, graph: FlowGraph) -> html.Li:
    steps: list[Component | str] = []
    for key in path.landmarks:
        steps += [_step(key, graph), " → "]
    share = html.Small(percent(path.strength), title="Its part of the influence on the target")
    return html.Li([*steps[:-1], " ", share], className="for" if path.sign > 0 else "against")


def _step(key: NodeKey, graph: FlowGraph) -> html.Button:
    return html.Button(
        short_label(key, graph),
        className="step",
        type="button",
        title=describe(key, graph),
        **attributes(data_node=key),
    )


def _strongest(graph: FlowGraph) -> list[FlowNode]:
    nodes = [node for node in graph.nodes if node.key.kind not in NO_COMPONENT]
    return sorted(nodes, key=lambda node: (-abs(node.flow), node.key))[:MOST_COMPONENTS]


def _component(node: FlowNode, graph: FlowGraph) -> html.Li:
    most = abs(_strongest(graph)[0].flow) or 1.0
    width = {"width": f"{100 * abs(node.flow) / most:.0f}%"}
    button = html.Button(
        [
            html.I(style=width),
            html.Span(short_label(node.key, graph)),
            html.Small(signed(node.flow) + was_words(node.before)),
        ],
        type="button",
        title=describe(node.key, graph),
        **attributes(data_node=node.key),
    )
    return html.Li(button, className="for" if node.flow >= 0 else "against")
