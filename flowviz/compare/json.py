"""A comparison as JSON, and back: version 1, described in docs/compare-json.md.

Each side is written as a graph without edges (docs/graph-json.md): its own tokens, target and
predictions, and its nodes of all changes. What is read back equals what was written.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from flowviz.compare.types import (
    SCHEMA_VERSION,
    Change,
    ChangedEdge,
    Column,
    Comparison,
    PredictionPair,
    Side,
)
from flowviz.errors import RequestError
from flowviz.graph.fields import WAY_OUT, Fields, fault
from flowviz.graph.json import graph_dict, read_graph
from flowviz.graph.json_parts import parse, writable
from flowviz.graph.types import EdgeKind, FlowGraph, FlowNode, NodeKey

EDGE_NUMBERS = ("first_flow", "second_flow")
EDGE_WEIGHTS = ("first_weight", "second_weight")


def comparison_json(comparison: Comparison) -> str:
    """The comparison as one line of JSON."""
    return orjson.dumps(comparison_dict(comparison)).decode()


def comparison_dict(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain values that JSON can hold."""
    firsts = [change.first for change in comparison.changes if change.first]
    seconds = [change.second for change in comparison.changes if change.second]
    pairs = comparison.predictions
    first = _graph_of(comparison, comparison.first, firsts, [pair.first for pair in pairs])
    second = _graph_of(comparison, comparison.second, seconds, [pair.second for pair in pairs])
    return {
        "version": comparison.version,
        "alignment": comparison.alignment,
        "columns": [asdict(column) for column in comparison.columns],
        "first": {"prompt": comparison.first.prompt, **graph_dict(first)},
        "second": {"prompt": comparison.second.prompt, **graph_dict(second)},
        "graph": graph_dict(comparison.graph),
        "changes": [writable(_change_dict(change)) for change in comparison.changes],
        "edges": [writable(_edge_dict(edge)) for edge in comparison.edges],
    }


def _graph_of(
    comparison: Comparison, side: Side, nodes: list[FlowNode], predictions: list[Any]
) -> FlowGraph:
    return FlowGraph(
        model=side.model,
        tokens=side.tokens,
        target=side.target,
        predictions=tuple(predictions),
        settings=comparison.graph.settings,
        checks=side.checks,
        coverage=comparison.graph.coverage,
        nodes_total=comparison.graph.nodes_total,
        nodes=tuple(nodes),
        edges=(),
        interventions=side.interventions,
        donor=side.donor,
    )


def _change_dict(change: Change) -> dict[str, Any]:
    return {
        "id": str(change.key),
        "first": str(change.first.key) if change.first else None,
        "second": str(change.second.key) if change.second else None,
        "first_flow": change.first_flow,
        "second_flow": change.second_flow,
        "difference": change.difference,
        "drawn": change.drawn,
    }


def _edge_dict(edge: ChangedEdge) -> dict[str, Any]:
    numbers = {name: getattr(edge, name) for name in (*EDGE_NUMBERS, "difference", *EDGE_WEIGHTS)}
    ends = {"source": str(edge.source), "target": str(edge.target), "kind": edge.kind.value}
    return ends | numbers


def read_comparison(text: str) -> Comparison:
    """Reads `comparison_json` back. Raises RequestError for anything else, with the fault."""
    top = Fields(Fields.of(parse(text), "the file").values, "")
    if top.values.get("version") != SCHEMA_VERSION or "changes" not in top.values:
        raise RequestError(
            f"This is no comparison of version {SCHEMA_VERSION}: its version is "
            f"{str(top.values.get('version', 'missing'))[:20]}. {WAY_OUT}"
        )
    first, second = _read_graph(top, "first"), _read_graph(top, "second")
    return Comparison(
        first=_side(top.part("first"), first),
        second=_side(top.part("second"), second),
        columns=tuple(_read_column(item) for item in top.parts("columns")),
        alignment=top.text("alignment"),
        predictions=_pairs(first, second),
        graph=_read_graph(top, "graph"),
        changes=tuple(_read_change(item, first, second) for item in top.parts("changes")),
        edges=tuple(_read_edge(item) for item in top.parts("edges")),
    )


def _read_graph(top: Fields, name: str) -> FlowGraph:
    return read_graph(orjson.dumps(top.part(name).values).decode())


def _side(item: Fields, graph: FlowGraph) -> Side:
    return Side(
        model=graph.model,
        prompt=item.text("prompt"),
        tokens=graph.tokens,
        target=graph.target,
        checks=graph.checks,
        interventions=graph.interventions,
        donor=graph.donor,
    )


def _read_column(item: Fields) -> Column:
    return Column(
        first=item.whole_or_none("first"),
        second=item.whole_or_none("second"),
        first_text=_text_or_none(item, "first_text"),
        second_text=_text_or_none(item, "second_text"),
        same=item.flag("same"),
    )


def _text_or_none(item: Fields, name: str) -> str | None:
    return None if item.has(name) and item.values[name] is None else item.text(name)


def _pairs(first: FlowGraph, second: FlowGraph) -> tuple[PredictionPair, ...]:
    if [each.id for each in first.predictions] != [each.id for each in second.predictions]:
        raise fault("first.predictions and second.predictions are not of the same tokens")
    return tuple(
        PredictionPair(one.id, one.token, one, other)
        for one, other in zip(first.predictions, second.predictions, strict=True)
    )


def _read_change(item: Fields, first: FlowGraph, second: FlowGraph) -> Change:
    return Change(
        NodeKey.parse(item.text("id")),
        _own(item, "first", first),
        _own(item, "second", second),
        item.flag("drawn"),
    )


def _own(item: Fields, name: str, graph: FlowGraph) -> FlowNode | None:
    text = _text_or_none(item, name)
    if text is None:
        return None
    node = graph.node(NodeKey.parse(text))
    if node is None:
        raise fault(f"{item.where}.{name} is {text[:80]!r}, and that side has no such node")
    return node


def _read_edge(item: Fields) -> ChangedEdge:
    return ChangedEdge(
        NodeKey.parse(item.text("source")),
        NodeKey.parse(item.text("target")),
        item.choice("kind", EdgeKind),
        *(item.number(name) for name in EDGE_NUMBERS),
        *(item.number_or_none(name) for name in EDGE_WEIGHTS),
    )
