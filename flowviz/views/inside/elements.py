"""An opened block as Cytoscape elements, with positions, labels and tips.

Colours and widths say what the look asks for; a node's size is its norm beside the largest of its
kind, so that what is long and what matters for the target can both be seen. What has nothing to
say in a look is drawn neutral. Where the run is not exact there is no sign, no rest and no flow.
"""

from __future__ import annotations

from typing import Any

from flowviz.graph.layout import Band
from flowviz.inside.layout import Caption, InsideLayout, Place, layout
from flowviz.inside.types import NO_FLOW, InsideGraph, PartEdge, PartEdgeKind, PartKind, PartNode
from flowviz.views.inside.labels import caption, edge_tip, node_text, node_tip
from flowviz.views.inside.looks import Colour, Look, Scale
from flowviz.views.inside.routes import route

THINNEST, THICKEST = 1.0, 9.0
K = PartKind
HANGING = frozenset({K.REST, K.ELSEWHERE})
WHOLE = frozenset({K.STATE, K.MID, K.MEMORY, K.BIAS})  # of one size
NARROWEST, LOWEST = 0.8, 0.76  # a part without length, as a share of its box
Element = dict[str, Any]


def elements(graph: InsideGraph, look: Look) -> list[Element]:
    """Panels, rows' bands, names, nodes and edges, in this order, each in the graph's own order."""
    places, scale = layout(graph), Scale.of(graph)
    exact = graph.checks.exact
    nodes = [node for node in graph.nodes if exact or node.key.kind not in HANGING]
    shown = {node.key for node in nodes}
    edges = [edge for edge in graph.edges if edge.source in shown and edge.target in shown]
    return [
        *(_panel(number, panel) for number, panel in enumerate(places.panels)),
        *(_band(number, band, look) for number, band in enumerate(places.bands)),
        *(_caption(each, graph) for each in places.captions),
        *(_ground(f"note:{number}", "note", each, {}) for number, each in enumerate(places.notes)),
        *(_node(node, graph, places, scale, look.colour) for node in nodes),
        *(_edge(edge, graph, places, scale, look) for edge in edges),
    ]


def _node(
    node: PartNode, graph: InsideGraph, places: InsideLayout, scale: Scale, colour: Colour
) -> Element:
    key = node.key
    place = places.places[key]
    tone = scale.tone(node, colour) if colour is not Colour.SIGN or graph.checks.exact else None
    wide, high = _size(node, place, scale)
    data = {
        "id": str(key),
        "text": node_text(node, graph, place.box.width),
        "kind": key.kind.value,
        "width": round(wide, 1),
        "height": round(high, 1),
        "tip": node_tip(node, graph),
    }
    if tone is not None:
        data["tone"] = round(tone, 3)
    looks = ["node", key.kind.value, _tinted(node, colour, tone)]
    looks += ["bar"] if place.bar else []
    looks += ["frozen"] if key.kind in NO_FLOW else []
    return {
        "group": "nodes",
        "data": data,
        "position": {"x": round(place.box.x, 1), "y": round(place.box.y, 1)},
        "grabbable": False,
        "selectable": True,
        "classes": " ".join(looks),
    }


def _size(node: PartNode, place: Place, scale: Scale) -> tuple[float, float]:
    """Its box, smaller the shorter its vector is beside the longest of its kind."""
    box = place.box
    if place.bar or node.key.kind in WHOLE:
        return box.width, box.height
    size = scale.size(node)
    return box.width * (NARROWEST + (1 - NARROWEST) * size), box.height * (
        LOWEST + (1 - LOWEST) * size
    )


def _tinted(node: PartNode, colour: Colour, tone: float | None) -> str:
    if tone is None:
        return "neutral"
    return _sign(node.flow) if colour is Colour.SIGN else colour.value


def _edge(
    edge: PartEdge, graph: InsideGraph, places: InsideLayout, scale: Scale, look: Look
) -> Element:
    source, target = (places.places[key] for key in (edge.source, edge.target))
    share = scale.width(edge, look.width)
    flow = edge.flow if graph.checks.exact else None
    data = {
        "id": edge.id,
        "source": str(edge.source),
        "target": str(edge.target),
        "w": round(THINNEST + (THICKEST - THINNEST) * (share or 0.0), 2),
        "kind": edge.kind.value,
        "tip": edge_tip(edge, graph),
    }
    way = route(edge.source, edge.target, source, target)
    looks = [edge.kind.value, "neutral" if flow is None else _sign(flow)]
    looks += ["bent"] if "cw" in way else []
    looks += ["silent"] if share is None else []
    looks += ["feed"] if _feeds(edge) else []
    return {
        "group": "edges",
        "data": data | way,
        "grabbable": False,
        "selectable": True,
        "classes": " ".join(looks),
    }


def _feeds(edge: PartEdge) -> bool:
    """Whether it is one of very many: a bias into each part, or a part into what is not drawn."""
    into_rest = edge.target.kind in HANGING and edge.source.kind is not K.STATE
    into_part = edge.kind is PartEdgeKind.BIAS and edge.target.kind in (K.VALUE, K.NEURON_KEY)
    return into_rest or into_part


def _sign(flow: float | None) -> str:
    return "neg" if (flow or 0.0) < 0 else "pos"


def _panel(number: int, panel: Band) -> Element:
    return _ground(f"panel:{number}", "panel", panel, {})


def _band(number: int, band: Band, look: Look) -> Element:
    """The first tells scripts which look is drawn."""
    more = {"look": f"{look.colour} {look.width}"} if number == 0 else {}
    return _ground(f"band:{number}", "band", band, more)


def _ground(name: str, kind: str, band: Band, more: dict[str, str]) -> Element:
    box = band.box
    size = {"width": round(box.width, 1), "height": round(box.height, 1)}
    return {
        "group": "nodes",
        "data": {"id": name, "label": band.label, "kind": kind, **size, **more},
        "position": {"x": round(box.x, 1), "y": round(box.y, 1)},
        "grabbable": False,
        "selectable": False,
        "classes": kind,
    }


def _caption(each: Caption, graph: InsideGraph) -> Element:
    return {
        "group": "nodes",
        "data": {"id": f"name:{each.key}", "label": caption(each.key, graph), "kind": "name"},
        "position": {"x": round(each.x, 1), "y": round(each.y, 1)},
        "grabbable": False,
        "selectable": False,
        "classes": "name",
    }
