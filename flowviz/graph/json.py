"""A flow graph as JSON, and back: version 1, described in docs/graph-json.md.

What is read back equals what was written. JSON has no number for infinity or for what is not a
number, so those three travel as the texts "inf", "-inf" and "nan". What comes from a file is
checked field by field: an edge's ends must be nodes, an id must agree with its parts.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.json_parts import (
    before,
    checks_dict,
    parse,
    read_checks,
    read_model,
    read_prediction,
    read_projection,
    read_target,
    read_tokens,
    writable,
)
from flowviz.graph.types import (
    OPENABLE,
    SCHEMA_VERSION,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    NodeKey,
    NodeKind,
    OpenedPlace,
)


def graph_json(graph: FlowGraph) -> str:
    """The graph as one line of JSON."""
    return orjson.dumps(graph_dict(graph)).decode()


def graph_dict(graph: FlowGraph) -> dict[str, Any]:
    """The graph as plain values that JSON can hold."""
    return writable(
        {
            "version": graph.version,
            "model": asdict(graph.model),
            "tokens": [asdict(token) for token in graph.tokens],
            "target": asdict(graph.target),
            "predictions": [asdict(prediction) for prediction in graph.predictions],
            "settings": graph.settings,
            "checks": checks_dict(graph.checks),
            "coverage": graph.coverage,
            "nodes_total": graph.nodes_total,
            "nodes": [_node_dict(node) for node in graph.nodes],
            "edges": [_edge_dict(edge) for edge in graph.edges],
            "interventions": list(graph.interventions),
            "donor": graph.donor,
            "opened": [_opened_dict(place) for place in graph.opened],
        }
    )


def _node_dict(node: FlowNode) -> dict[str, Any]:
    key = node.key
    values = asdict(node)
    del values["key"]
    return {
        "id": str(key),
        "kind": key.kind.value,
        "layer": key.layer,
        "position": key.position,
        "index": key.index,
        **values,
    }


def _edge_dict(edge: FlowEdge) -> dict[str, Any]:
    return {
        "source": str(edge.source),
        "target": str(edge.target),
        "kind": edge.kind.value,
        "flow": edge.flow,
        "influence": edge.influence,
        "weight": edge.weight,
        "before": edge.before,
    }


def read_graph(text: str) -> FlowGraph:
    """Reads `graph_json` back. Raises RequestError for anything else, with the field at fault."""
    top = Fields.of(parse(text), "the file")
    top = Fields(top.values, "")
    if top.values.get("version") != SCHEMA_VERSION:
        raise RequestError(
            f"The graph's version is {str(top.values.get('version', 'missing'))[:20]}; this "
            f"flowviz reads version {SCHEMA_VERSION}. {WAY_OUT}"
        )
    nodes = tuple(_read_node(item) for item in top.parts("nodes"))
    keys = {str(node.key): node.key for node in nodes}
    if len(keys) < len(nodes):
        raise fault("two of its nodes have the same id")
    return FlowGraph(
        model=read_model(top.part("model")),
        tokens=read_tokens(top.parts("tokens")),
        target=read_target(top.part("target")),
        predictions=tuple(read_prediction(item) for item in top.parts("predictions")),
        settings=top.part("settings").values,
        checks=read_checks(top.part("checks")),
        coverage=top.number("coverage"),
        nodes_total=top.whole("nodes_total"),
        nodes=nodes,
        edges=tuple(_read_edge(item, keys) for item in top.parts("edges")),
        interventions=top.texts("interventions") if top.has("interventions") else (),
        donor=top.text_or_none("donor"),
        opened=tuple(_read_opened(item) for item in top.parts("opened"))
        if top.has("opened")
        else (),
    )


def _opened_dict(place: OpenedPlace) -> dict[str, Any]:
    return asdict(place) | {"key": str(place.key)}


def _read_opened(item: Fields) -> OpenedPlace:
    key = NodeKey.parse(item.text("key"))
    if key.kind not in OPENABLE:
        raise fault(f"{item.where}.key is {str(key)!r}, which is no node that can be opened")
    named = item.text("dictionary"), item.number("explained")
    losses = item.number_or_none("loss"), item.number_or_none("spliced")
    return OpenedPlace(key, *named, item.whole("factors"), *losses)


def _read_node(item: Fields) -> FlowNode:
    key = NodeKey.parse(item.text("id"))
    said = item.choice("kind", NodeKind), item.whole("layer"), item.whole("position")
    if (*said, item.whole("index")) != (key.kind, key.layer, key.position, key.index):
        raise fault(f"{item.where}.id is {str(key)!r} and its other fields say something else")
    read = item.part_or_none("projection")
    return FlowNode(
        key=key,
        flow=item.number("flow"),
        influence=item.number("influence"),
        gradient=item.number_or_none("gradient"),
        direct=item.number("direct"),
        norm=item.number_or_none("norm"),
        activation=item.number_or_none("activation"),
        projection=read_projection(read) if read else None,
        before=before(item),
    )


def _read_edge(item: Fields, keys: dict[str, NodeKey]) -> FlowEdge:
    for end in ("source", "target"):
        if item.text(end) not in keys:
            raise fault(f"{item.where}.{end} is {item.text(end)[:80]!r}, and no node has that id")
    return FlowEdge(
        source=keys[item.text("source")],
        target=keys[item.text("target")],
        kind=item.choice("kind", EdgeKind),
        flow=item.number("flow"),
        influence=item.number("influence"),
        weight=item.number_or_none("weight"),
        before=before(item),
    )
