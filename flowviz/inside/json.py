"""An opened block as JSON, and back: version 1, described in docs/inside-json.md.

What is read back equals what was written, and what comes from a file is checked field by field,
as with a flow graph: an edge's ends must be nodes, an id must agree with its parts.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.json_parts import (
    parse,
    read_model,
    read_prediction,
    read_projection,
    read_target,
    read_tokens,
    writable,
)
from flowviz.inside.types import (
    SCHEMA_VERSION,
    InsideChecks,
    InsideGraph,
    PartEdge,
    PartEdgeKind,
    PartKey,
    PartKind,
    PartNode,
)

ERRORS = ("flow_error", "sum_error", "pattern_error", "tolerance", "pattern_tolerance")
NODE_NUMBERS = ("flow", "norm", "activation", "strength")
EDGE_NUMBERS = ("flow", "norm", "strength", "weight")


def inside_json(graph: InsideGraph) -> str:
    """The graph as one line of JSON."""
    return orjson.dumps(inside_dict(graph)).decode()


def inside_dict(graph: InsideGraph) -> dict[str, Any]:
    """The graph as plain values that JSON can hold."""
    checks = graph.checks
    made = {"exact": checks.exact, "queries_exact": checks.queries_exact}
    return writable(
        {
            "version": graph.version,
            "model": asdict(graph.model),
            "tokens": [asdict(token) for token in graph.tokens],
            "target": asdict(graph.target),
            "predictions": [asdict(prediction) for prediction in graph.predictions],
            "layers": graph.layers,
            "position": graph.position,
            "rotated": graph.rotated,
            "settings": graph.settings,
            "checks": asdict(checks) | made,
            "whole": graph.whole,
            "nodes": [_node_dict(node) for node in graph.nodes],
            "edges": [_edge_dict(edge) for edge in graph.edges],
        }
    )


def _node_dict(node: PartNode) -> dict[str, Any]:
    key = node.key
    projection = node.projection
    return {
        "id": str(key),
        "kind": key.kind.value,
        "layer": key.layer,
        "index": key.index,
        "source": key.source,
        "of": None if key.of is None else key.of.value,
        **{name: getattr(node, name) for name in NODE_NUMBERS},
        "projection": None if projection is None else asdict(projection),
    }


def _edge_dict(edge: PartEdge) -> dict[str, Any]:
    return {
        "source": str(edge.source),
        "target": str(edge.target),
        "kind": edge.kind.value,
        **{name: getattr(edge, name) for name in EDGE_NUMBERS},
    }


def read_block(text: str) -> InsideGraph:
    """Reads `inside_json` back. Raises RequestError for anything else, with the field at fault."""
    top = Fields(Fields.of(parse(text), "the file").values, "")
    if top.values.get("version") != SCHEMA_VERSION:
        raise RequestError(
            f"The opened block's version is {str(top.values.get('version', 'missing'))[:20]}; this "
            f"flowviz reads version {SCHEMA_VERSION}. {WAY_OUT}"
        )
    nodes = tuple(_read_node(item) for item in top.parts("nodes"))
    keys = {str(node.key): node.key for node in nodes}
    if len(keys) < len(nodes):
        raise fault("two of its nodes have the same id")
    layers = top.wholes("layers")
    if len(layers) != 2:
        raise fault(f"layers has {len(layers)} numbers and should have a first and a last")
    return InsideGraph(
        model=read_model(top.part("model")),
        tokens=read_tokens(top.parts("tokens")),
        target=read_target(top.part("target")),
        predictions=tuple(read_prediction(item) for item in top.parts("predictions")),
        layers=(layers[0], layers[1]),
        position=top.whole("position"),
        rotated=None if top.values.get("rotated", 0) is None else top.flag("rotated"),
        settings=top.part("settings").values,
        checks=_read_checks(top.part("checks")),
        whole=_read_whole(top.part("whole")),
        nodes=nodes,
        edges=tuple(_read_edge(item, keys) for item in top.parts("edges")),
    )


def _read_checks(item: Fields) -> InsideChecks:
    return InsideChecks(*(item.number(name) for name in ERRORS))


def _read_whole(item: Fields) -> dict[str, int]:
    return {name: item.whole(name) for name in item.values}


def _read_node(item: Fields) -> PartNode:
    key = PartKey.parse(item.text("id"))
    of = None if item.values.get("of", "") is None else item.choice("of", PartKind)
    said = item.choice("kind", PartKind), *(item.whole(name) for name in _PLACE), of
    if said != (key.kind, key.layer, key.index, key.source, key.of):
        raise fault(f"{item.where}.id is {str(key)!r} and its other fields say something else")
    read = item.part_or_none("projection")
    numbers = {name: item.number_or_none(name) for name in NODE_NUMBERS}
    return PartNode(key, **numbers, projection=read_projection(read) if read else None)


_PLACE = ("layer", "index", "source")


def _read_edge(item: Fields, keys: dict[str, PartKey]) -> PartEdge:
    for end in ("source", "target"):
        if item.text(end) not in keys:
            raise fault(f"{item.where}.{end} is {item.text(end)[:80]!r}, and no node has that id")
    return PartEdge(
        source=keys[item.text("source")],
        target=keys[item.text("target")],
        kind=item.choice("kind", PartEdgeKind),
        **{name: item.number_or_none(name) for name in EDGE_NUMBERS},
    )
