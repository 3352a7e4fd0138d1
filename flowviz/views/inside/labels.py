"""What stands in a part, and what its tip and an edge's tip say: plain text, a line a fact."""

from __future__ import annotations

from flowviz.graph.types import Projection
from flowviz.inside.types import (
    NO_FLOW,
    InsideGraph,
    PartEdge,
    PartEdgeKind,
    PartKey,
    PartKind,
    PartNode,
)
from flowviz.views.inside.words import (
    SUMS,
    UNREAD,
    bias_name,
    describe,
    name,
    read_here,
    reading,
    sum_name,
)
from flowviz.views.tokens import clip, clip_ems, ems, visible
from flowviz.views.words import percent, share_of_target, signed, token_at

K = PartKind
FONT_SIZE = 14.0
TAKEN = {K.HEAD: 1.6, K.NEURON: 1.3, K.ROW: 0.9}  # by a shape's slanted ends, in font sizes
CAPTION_COLUMNS = 7
TIP_TOKENS = 5
UNREAD_HERE = "not read: the pattern by these queries and keys is not the model's"
FROZEN = "no flow: patterns and gates are frozen"
NOT_SHOWN = "no flow: not exact on this run"
ACTIVATION = {
    K.KEY: "attention",
    K.VALUE: "attention",
    K.ROW: "entry of the heads' output",
    K.NEURON: "activation",
    K.NEURON_KEY: "input",
    K.GATE: "gate",
}
EDGE_WORDS = {
    PartEdgeKind.RESIDUAL: "the residual stream",
    PartEdgeKind.NORM: "through a norm",
    PartEdgeKind.QUERY: "looks for",
    PartEdgeKind.ATTEND: "attention",
    PartEdgeKind.READ: "read",
    PartEdgeKind.WRITE: "write",
    PartEdgeKind.BIAS: "a bias",
    PartEdgeKind.REST: "not drawn, kept as one sum",
}


def node_text(node: PartNode, graph: InsideGraph, width: float) -> str:
    """What stands in the node, cut to what fits into its width."""
    key, read = node.key, reading(node, graph)
    if key.kind in (K.REST, K.ELSEWHERE):
        return ""
    if key.kind in SUMS:
        what = sum_name(key, graph)
        return what if read == UNREAD else f"{what}   {clip(read, 24)}"
    if key.kind is K.BIAS:
        return bias_name(key)
    lead = {K.HEAD: f"H{key.index} ", K.QUERY: "? ", K.HEAD_QUERY: "? "}.get(key.kind, "")
    if key.kind is K.NEURON:
        lead = f"{_sign(node)} "
    room = width / FONT_SIZE - TAKEN.get(key.kind, 0.5) - ems(lead)
    if key.kind is K.MEMORY:
        read = f"{key.source} {token_at(graph, key.source)}"
    return lead + clip_ems(read, room)


def caption(key: PartKey, graph: InsideGraph) -> str:
    """The name below a part: of a row of W_O its head, number and sign, of a key its source."""
    if key.kind is K.ROW:
        node = graph.node(key)
        return f"H{key.index} r{key.source} {_sign(node) if node else ''}".rstrip()
    return f"{key.source} {clip(token_at(graph, key.source), CAPTION_COLUMNS)}"


def _sign(node: PartNode) -> str:
    """The sign of its activation."""
    return "+" if (node.activation or 0.0) >= 0 else "−"


def node_tip(node: PartNode, graph: InsideGraph) -> str:
    """The node's numbers."""
    lines = [name(node.key, graph), describe(node.key, graph), *flow_lines(node, graph)]
    if node.norm is not None:
        lines.append(f"norm {node.norm:.3g}")
    if node.activation is not None:
        lines.append(activation_words(node))
    if node.strength is not None:
        lines.append(f"activation × norm {node.strength:.3g}")
    if not read_here(node.key, graph):
        lines.append(UNREAD_HERE)
    elif node.projection is not None:
        lines += _projection_lines(node.projection, graph)
    return "\n".join(lines)


def activation_words(node: PartNode) -> str:
    """Of a neuron its activation, of a value its attention weight, …"""
    word, value = ACTIVATION.get(node.key.kind, "activation"), node.activation or 0.0
    return f"{word} {percent(value) if word == 'attention' else signed(value)}"


def flow_lines(node: PartNode, graph: InsideGraph) -> list[str]:
    """Its flow, or why it has none."""
    if node.key.kind in NO_FLOW:
        return [FROZEN]
    if not graph.checks.exact or node.flow is None:
        return [NOT_SHOWN]
    return [f"flow {signed(node.flow)}, {share_of_target(node.flow, graph)}"]


def _projection_lines(projection: Projection, graph: InsideGraph) -> list[str]:
    sides = (("promotes", projection.top), ("suppresses", projection.bottom))
    lines = [
        f"{side} " + "  ".join(visible(token.text) for token in tokens[:TIP_TOKENS])
        for side, tokens in sides
        if tokens
    ]
    rank = f"rank {projection.target_rank:,}, {percent(projection.target_probability)}"
    target = visible(graph.target.token.token)
    return [*lines, f"{target} here: {rank}", f"entropy {projection.entropy:.2f} bits"]


def edge_tip(edge: PartEdge, graph: InsideGraph) -> str:
    """The edge's numbers."""
    lines = [f"{name(edge.source, graph)} → {name(edge.target, graph)}"]
    if edge.flow is not None and graph.checks.exact:
        lines.append(f"flow {signed(edge.flow)}, {share_of_target(edge.flow, graph)}")
    if edge.kind is not PartEdgeKind.ATTEND:
        lines.append(EDGE_WORDS[edge.kind])
    if edge.weight is not None:
        lines.append(f"attention {percent(edge.weight)}")
    if edge.norm is not None:
        lines.append(f"norm {edge.norm:.3g}")
    if edge.strength is not None:
        lines.append(f"activation × norm {edge.strength:.3g}")
    return "\n".join(lines)
