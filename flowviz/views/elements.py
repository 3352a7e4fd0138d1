"""A flow graph as Cytoscape elements, with positions, labels and tips.

Width and size are for the eye: an edge's width grows with the square root of its absolute flow,
from a floor that stays visible, and a node's size with the square root of its influence. Both are
relative to the strongest one drawn; the numbers themselves stand in the tips. Where a law failed
no edge and no rest is drawn, and no node has a sign or a size of its own.
"""

from __future__ import annotations

import math
from typing import Any

from flowviz.graph.layout import Band, Heading, Layout, layout
from flowviz.graph.types import STATES, FlowEdge, FlowGraph, FlowNode, NodeKey, NodeKind
from flowviz.views.changes import Changed, changed_words, how_words
from flowviz.views.curves import curve
from flowviz.views.labels import UNREAD, edge_tip, heading_label, heading_tip, node_label, node_tip
from flowviz.views.laws import flow_shown
from flowviz.views.words import expert_of, place, put_in

THINNEST, THICKEST = 1.0, 9.0
NO_SIZE = 0.5  # of every node where no flow is shown
MANY_EDGES = 250  # from here on thin edges fade, so that the strong ones stay readable
Element = dict[str, Any]


def elements(graph: FlowGraph, *, show_rest: bool = True) -> list[Element]:
    """Bands, headings, nodes and edges, in this order, each group in the graph's own order."""
    places = layout(graph)
    show_rest = show_rest and flow_shown(graph)
    nodes = [node for node in graph.nodes if show_rest or node.key.kind is not NodeKind.REST]
    edges = _edges(graph, {node.key for node in nodes})
    most = _largest(node.influence for node in nodes)
    widest = _largest(edge.flow for edge in edges)
    names = {node.key: str(node.key) for node in nodes}
    bow = not any(node.key.kind in STATES for node in nodes)
    changed = Changed(graph.interventions)
    extra = " dense" if len(edges) > MANY_EDGES else ""
    return [
        *(_band(number, band) for number, band in enumerate(places.bands)),
        *(_heading(heading, graph) for heading in places.headings),
        *(_node(node, graph, places, most, changed) for node in nodes),
        *(_edge(edge, graph, places, widest, names, bow, extra, changed) for edge in edges),
    ]


def _edges(graph: FlowGraph, shown: set[NodeKey]) -> list[FlowEdge]:
    if not flow_shown(graph):
        return []
    return [edge for edge in graph.edges if edge.source in shown and edge.target in shown]


def _node(
    node: FlowNode, graph: FlowGraph, places: Layout, most: float, changed: Changed
) -> Element:
    key = node.key
    change = changed_words(key, changed, graph)
    shown = flow_shown(graph)
    sign = _sign(node.flow) if shown else "unsigned"
    box = places.boxes[key]
    label = node_label(node, graph)
    data = {
        "id": str(key),
        "label": label,
        "sub": place(key, graph.model),
        "text": _text(key, label, graph),
        "kind": key.kind.value,
        "sign": sign,
        "size": round(math.sqrt(_part(node.influence, most)), 3) if shown else NO_SIZE,
        "tip": node_tip(node, graph, change),
    }
    return {
        "group": "nodes",
        "data": data,
        "position": {"x": round(box.x, 1), "y": round(box.y, 1)},
        "grabbable": False,
        "selectable": True,
        "classes": f"node {key.kind.value} {sign}{_marks(key, graph, bool(change))}",
    }


def _marks(key: NodeKey, graph: FlowGraph, changed: bool) -> str:
    is_open = any(place.key == key for place in graph.opened)
    marks = {" put-in": put_in(key), " changed": changed, " opened": is_open}
    return "".join(mark for mark, there in marks.items() if there)


def _text(key: NodeKey, label: str, graph: FlowGraph) -> str:
    """What stands in the node itself: for a component, its name as well."""
    if key.kind is NodeKind.REST:
        return ""
    if key.kind not in (NodeKind.HEAD, NodeKind.NEURON, NodeKind.FACTOR):
        return label
    expert = expert_of(key, graph.model)
    name = "E{} N{}".format(*expert) if expert else place(key, graph.model)
    return name if label == UNREAD else f"{label}\n{name}"


def _edge(
    edge: FlowEdge,
    graph: FlowGraph,
    places: Layout,
    widest: float,
    names: dict[NodeKey, str],
    bow: bool,
    extra: str,
    changed: Changed,
) -> Element:
    sign = _sign(edge.flow)
    how = changed.of_edge(edge.source, edge.target)
    data = {
        "id": f"{names[edge.source]}>{names[edge.target]}",
        "source": names[edge.source],
        "target": names[edge.target],
        "w": round(THINNEST + (THICKEST - THINNEST) * math.sqrt(_part(edge.flow, widest)), 2),
        "sign": sign,
        "kind": edge.kind.value,
        "tip": edge_tip(edge, graph, None if how is None else how_words(how)),
    }
    bend = curve(places.boxes[edge.source], places.boxes[edge.target], bow=bow)
    classes = f"{edge.kind.value} {sign}{' bent' if bend else ''}{extra}"
    classes += "" if how is None else " changed"
    return {
        "group": "edges",
        "data": data | bend,
        "grabbable": False,
        "selectable": True,
        "classes": classes,
    }


def _band(number: int, band: Band) -> Element:
    size = {"width": round(band.box.width, 1), "height": round(band.box.height, 1)}
    return {
        "group": "nodes",
        "data": {"id": f"band:{number}", "label": band.label, "kind": "band", **size},
        "position": {"x": round(band.box.x, 1), "y": round(band.box.y, 1)},
        "grabbable": False,
        "selectable": False,
        "classes": "band alternate" if number % 2 else "band",
    }


def _heading(heading: Heading, graph: FlowGraph) -> Element:
    data = {
        "id": f"heading:{heading.first}",
        "label": heading_label(heading, graph),
        "kind": "heading",
        "tip": heading_tip(heading, graph),
    }
    return {
        "group": "nodes",
        "data": data,
        "position": {"x": round(heading.box.x, 1), "y": round(heading.box.y, 1)},
        "grabbable": False,
        "selectable": False,
        "classes": "heading" if heading.drawn else "heading empty",
    }


def _sign(flow: float) -> str:
    return "neg" if flow < 0 else "pos"


def _largest(values: Any) -> float:
    return max((abs(value) for value in values if math.isfinite(value)), default=0.0)


def _part(value: float, whole: float) -> float:
    return min(abs(value) / whole, 1.0) if whole > 0 and math.isfinite(value) else 0.0
