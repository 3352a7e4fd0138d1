"""The way from a node of the flow to the inside of its block."""

from __future__ import annotations

from dash import dcc

from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import PartKey, PartKind
from flowviz.request import ExplainRequest
from flowviz.ui.links import inside_link

PARTS = {
    NodeKind.EMBED: PartKind.STATE,
    NodeKind.POS_EMBED: PartKind.STATE,
    NodeKind.RESID_PRE: PartKind.STATE,
    NodeKind.RESID_MID: PartKind.MID,
    NodeKind.RESID_FINAL: PartKind.STATE,
    NodeKind.HEAD: PartKind.HEAD,
    NodeKind.NEURON: PartKind.NEURON,
    NodeKind.BIAS: PartKind.BIAS,
}  # `assets/open.js` repeats those that a double click opens


def open_block(key: NodeKey, request: ExplainRequest, graph: FlowGraph) -> dcc.Link | None:
    """Opens the block that the node belongs to, at its position; None where it is in none."""
    node = key.cut() if key.of else key
    if node.kind not in PARTS:
        return None
    block = min(node.layer, graph.model.layers - 1)
    part = PartKey(PARTS[node.kind], node.layer, node.index)
    there = InsideRequest(
        request.prompt, request.model, request.target, (block, block), node.position
    )
    words = f"Open block {block} here"
    tip = f"Every part of block {block} at position {node.position}, as a flow of its own"
    if graph.interventions:
        words, tip = f"{words}, without the changes", f"{tip}. It shows the pass as it was"
    return dcc.Link(words, href=inside_link(there, part), className="open-block", title=tip)
