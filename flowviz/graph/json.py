"""A flow graph as JSON, and back: version 1, described in docs/graph-json.md.

What is read back equals what was written. JSON has no number for infinity or for what is not a
number, so those three travel as the texts "inf", "-inf" and "nan". What comes from a file is
checked field by field: an edge's ends must be nodes, an id must agree with its parts.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import orjson

from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.types import (
    SCHEMA_VERSION,
    Checks,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    ModelShape,
    NodeKey,
    NodeKind,
    Prediction,
    Projection,
    PromptToken,
    Target,
    TokenScore,
)

MAX_CHARACTERS = 64 * 2**20


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
    }


def _writable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _writable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value


def read_graph(text: str) -> FlowGraph:
    """Reads `graph_json` back. Raises RequestError for anything else, with the field at fault."""
    top = Fields.of(_parse(text), "the file")
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
    tokens = tuple(_read_token(item) for item in top.parts("tokens"))
    if [token.position for token in tokens] != list(range(len(tokens))):
        raise fault("tokens are not numbered 0, 1, 2 and so on by position")
    return FlowGraph(
        model=_read_model(top.part("model")),
        tokens=tokens,
        target=_read_target(top.part("target")),
        predictions=tuple(_read_prediction(item) for item in top.parts("predictions")),
        settings=top.part("settings").values,
        checks=_read_checks(top.part("checks")),
        coverage=top.number("coverage"),
        nodes_total=top.whole("nodes_total"),
        nodes=nodes,
        edges=tuple(_read_edge(item, keys) for item in top.parts("edges")),
    )


def _parse(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise fault(f"it has {len(text):,} characters, and at most {MAX_CHARACTERS:,} are read")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise fault(f"it is not JSON, {str(error)[:80]}") from None


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
        projection=_read_projection(read) if read else None,
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
    )


def _read_projection(item: Fields) -> Projection:
    return Projection(
        top=tuple(_read_score(score) for score in item.parts("top")),
        bottom=tuple(_read_score(score) for score in item.parts("bottom")),
        entropy=item.number("entropy"),
        target_logit=item.number("target_logit"),
        target_rank=item.whole("target_rank"),
        target_probability=item.number("target_probability"),
    )


def _read_score(item: Fields) -> TokenScore:
    numbers = item.number("logit"), item.number("probability")
    return TokenScore(item.whole("id"), item.text("text"), *numbers)


def _read_token(item: Fields) -> PromptToken:
    return PromptToken(item.whole("position"), item.whole("id"), item.text("text"))


def _read_prediction(item: Fields) -> Prediction:
    numbers = item.number("probability"), item.number("logit")
    return Prediction(item.whole("id"), item.text("token"), *numbers)


def _read_target(item: Fields) -> Target:
    contrast = item.part_or_none("contrast")
    return Target(
        position=item.whole("position"),
        token=_read_prediction(item.part("token")),
        token_rank=item.whole("token_rank"),
        contrast=_read_prediction(contrast) if contrast else None,
        contrast_rank=item.whole_or_none("contrast_rank"),
        value=item.number("value"),
    )


def _read_checks(item: Fields) -> Checks:
    names = ("node_error", "cut_error", "rest_error", "target_error", "block_error", "tolerance")
    return Checks(*(item.number(name) for name in names), dtype=item.text("dtype"))


def _read_model(item: Fields) -> ModelShape:
    sizes = ("layers", "heads", "neurons", "d_model", "vocabulary")
    names = item.text("name"), item.text("architecture")
    return ModelShape(
        *names,
        *(item.whole(size) for size in sizes),
        parallel=item.flag("parallel") if item.has("parallel") else False,
        expert_neurons=item.wholes("expert_neurons") if item.has("expert_neurons") else (),
        logit_cap=item.number_or_none("logit_cap") if item.has("logit_cap") else None,
    )
