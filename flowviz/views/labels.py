"""What stands in a node, and what its tip and an edge's tip say: plain text, a line a fact."""

from __future__ import annotations

from collections.abc import Sequence

from flowviz.graph.layout import Heading
from flowviz.graph.types import EdgeKind, FlowEdge, FlowGraph, FlowNode, NodeKind, Projection
from flowviz.views.laws import NO_FLOW, flow_shown
from flowviz.views.tokens import clip, clip_ems, visible
from flowviz.views.words import (
    bias_name,
    cap_words,
    describe,
    opened_place,
    percent,
    put_in,
    share_of_target,
    short_label,
    signed,
    target_name,
    token_at,
)

ROOM = {
    NodeKind.HEAD: 4.8,
    NodeKind.NEURON: 4.8,
    NodeKind.FACTOR: 4.8,
    NodeKind.TARGET: 5.6,
}  # in font sizes
BOX_ROOM = 5.8
EMPTY_COLUMNS = 5
HEADING_COLUMNS = 12
MANY_TOKENS = 100  # from here on a column's number says more than its token
TIP_TOKENS = 5
UNREAD = "·"  # the label of what is not read as tokens, or is nothing
EDGE_WORDS = {
    EdgeKind.RESIDUAL: "the residual stream",
    EdgeKind.READ: "read",
    EdgeKind.WRITE: "write",
    EdgeKind.PART: "a part of it",
    EdgeKind.REST: "not drawn, kept as one sum",
}


def node_label(node: FlowNode, graph: FlowGraph) -> str:
    """The token that the node stands for, cut to what fits into its shape."""
    room = ROOM.get(node.key.kind, BOX_ROOM)
    return "\n".join(clip_ems(line, room) for line in _label(node, graph).split("\n"))


def _label(node: FlowNode, graph: FlowGraph) -> str:
    match node.key.kind:
        case NodeKind.EMBED:
            return token_at(graph, node.key.position)
        case NodeKind.POS_EMBED:
            return f"pos {node.key.position}"
        case NodeKind.BIAS:
            return "put in" if put_in(node.key) else bias_name(node.key)
        case NodeKind.OFFSET:
            return "offset"
        case NodeKind.ERROR:
            return "error"
        case NodeKind.REST:
            return "rest"
        case NodeKind.TARGET:
            return target_name(graph).replace(" − ", "\n− ")
        case _:
            top = node.projection.top if node.projection and node.norm != 0 else ()
            return visible(top[0].text) if top else UNREAD


def node_tip(node: FlowNode, graph: FlowGraph, changed: Sequence[str] = ()) -> str:
    """The node's numbers; `changed` says what interventions do to it."""
    lines = [describe(node.key, graph), *changed, *_flow_lines(node, graph)]
    cap = cap_words(graph)
    if cap and node.key.kind is NodeKind.TARGET:
        lines.append(cap)
    lines += _opened_lines(node, graph)
    if node.activation is not None:
        lines.append(f"activation {signed(node.activation)}")
    if node.projection is not None and node.norm != 0:
        lines += _projection_lines(node.projection, graph)
    return "\n".join(lines)


def _opened_lines(node: FlowNode, graph: FlowGraph) -> list[str]:
    """Of an opened node, or of its error: how much factors hold."""
    place = opened_place(node.key, graph)
    if place is None or node.key.kind in (NodeKind.FACTOR, NodeKind.OFFSET):
        return []
    many = "1 factor" if place.factors == 1 else f"{place.factors:,} factors"
    return [f"{many} of {place.dictionary} explain {percent(place.explained)} of it"]


def _flow_lines(node: FlowNode, graph: FlowGraph) -> list[str]:
    if not flow_shown(graph):
        return [NO_FLOW]
    return [
        _flow_line(node.flow, node.before, graph),
        f"influence {percent(node.influence)}",
    ]


def _flow_line(flow: float, before: float | None, graph: FlowGraph) -> str:
    was = "" if before is None else f"; before the change {signed(before)}"
    return f"flow {signed(flow)}, {share_of_target(flow, graph)}{was}"


def _projection_lines(projection: Projection, graph: FlowGraph) -> list[str]:
    sides = (("reads as", projection.top), ("suppresses", projection.bottom))
    lines = [
        f"{name} " + "  ".join(visible(token.text) for token in tokens[:TIP_TOKENS])
        for name, tokens in sides
        if tokens
    ]
    rank = f"rank {projection.target_rank:,}, {percent(projection.target_probability)}"
    return [*lines, f"{visible(graph.target.token.token)} here: {rank}"]


def edge_tip(edge: FlowEdge, graph: FlowGraph, changed: str | None = None) -> str:
    """The edge's numbers; `changed` says what an intervention does to it."""
    lines = [
        f"{short_label(edge.source, graph)} → {short_label(edge.target, graph)}",
        *([f"changed: {changed}"] if changed else []),
        _flow_line(edge.flow, edge.before, graph),
        EDGE_WORDS[edge.kind],
    ]
    if edge.weight is not None:
        lines.append(f"attention {percent(edge.weight)}")
    return "\n".join(lines)


def heading_label(heading: Heading, graph: FlowGraph) -> str:
    """The prompt's token below a column; of a run of them, their positions.

    In a long prompt the position stands beside the token.
    """
    if heading.last > heading.first:
        return f"{heading.first}–{heading.last}"
    columns = HEADING_COLUMNS if heading.drawn else EMPTY_COLUMNS
    token = clip(token_at(graph, heading.first), columns)
    numbered = heading.drawn and len(graph.tokens) >= MANY_TOKENS
    return f"{token} {heading.first}" if numbered else token


def heading_tip(heading: Heading, graph: FlowGraph) -> str:
    """Which positions the column stands for."""
    if heading.last == heading.first:
        return f"position {heading.first}: {token_at(graph, heading.first)}"
    return f"positions {heading.first} to {heading.last}: nothing drawn"
