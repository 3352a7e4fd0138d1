"""A flow graph as JSON, and back: version 1, described in docs/graph-json.md.

What is read back equals what was written. JSON has no number for infinity or for what is not a
number, so those three travel as the texts "inf", "-inf" and "nan".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson

from flowviz.errors import RequestError
from flowviz.graph.types import (
    SCHEMA_VERSION,
    Checks,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    ModelShape,
    NodeKey,
    Prediction,
    Projection,
    PromptToken,
    Target,
    TokenScore,
)

MAX_CHARACTERS = 64 * 2**20
MAX_DEPTH = 40
NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
WAY_OUT = "Save the graph again with this version of flowviz, and read that file."


def graph_json(graph: FlowGraph) -> str:
    """The graph as one line of JSON."""
    return orjson.dumps(graph_dict(graph)).decode()


def graph_dict(graph: FlowGraph) -> dict[str, Any]:
    """The graph as plain values that JSON can hold."""
    checks = asdict(graph.checks)
    checks |= {"conservation_error": graph.checks.conservation_error, "exact": graph.checks.exact}
    return _writable(
        {
            "version": graph.version,
            "model": asdict(graph.model),
            "tokens": [asdict(token) for token in graph.tokens],
            "target": asdict(graph.target),
            "predictions": [asdict(prediction) for prediction in graph.predictions],
            "settings": graph.settings,
            "checks": checks,
            "coverage": graph.coverage,
            "nodes_total": graph.nodes_total,
            "nodes": [_node_dict(node) for node in graph.nodes],
            "edges": [_edge_dict(edge) for edge in graph.edges],
        }
    )


def _node_dict(node: FlowNode) -> dict[str, Any]:
    key = node.key
    place = {"id": str(key), "kind": key.kind.value, "layer": key.layer, "position": key.position}
    rest = asdict(node)
    del rest["key"]
    return {**place, "index": key.index, **rest}


def _edge_dict(edge: FlowEdge) -> dict[str, Any]:
    return {
        "source": str(edge.source),
        "target": str(edge.target),
        "kind": edge.kind.value,
        "flow": edge.flow,
        "influence": edge.influence,
        "weight": edge.weight,
    }


def _writable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _writable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value
