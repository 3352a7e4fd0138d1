"""What tips and labels say of a node, an edge and a column on both sides: a line a fact."""

from __future__ import annotations

from flowviz.compare.types import Change, ChangedEdge, Comparison
from flowviz.graph.layout import Heading
from flowviz.graph.types import FlowEdge, FlowNode, NodeKind
from flowviz.views.compare.words import (
    NONE,
    both_words,
    column_at,
    column_words,
    describe,
    name,
    share_words,
    where_words,
)
from flowviz.views.labels import BOX_ROOM, EDGE_WORDS, HEADING_COLUMNS, TIP_TOKENS
from flowviz.views.laws import NO_FLOW
from flowviz.views.tokens import clip, clip_ems, visible
from flowviz.views.words import percent, signed


def node_tip(node: FlowNode, change: Change | None, comparison: Comparison) -> str:
    """The node's numbers on both sides, and what it promotes on each."""
    lines = [describe(node.key, comparison)]
    if not comparison.graph.checks.exact:
        return "\n".join([*lines, NO_FLOW])
    first = change.first_flow if change else node.before or 0.0
    lines.append(both_words(first, first + node.flow))
    share = share_words(node.flow, comparison)
    lines += [share] if share else []
    return "\n".join([*lines, *_readings(change)])


def _readings(change: Change | None) -> list[str]:
    if change is None:
        return []
    sides = (("first", change.first), ("second", change.second))
    return [f"{side} promotes {_promoted(node)}" for side, node in sides if _promoted(node)]


def _promoted(node: FlowNode | None) -> str:
    top = node.projection.top if node and node.projection else ()
    return "  ".join(visible(token.text) for token in top[:TIP_TOKENS])


def edge_tip(edge: FlowEdge, changed: ChangedEdge | None, comparison: Comparison) -> str:
    """The edge's numbers on both sides."""
    ends = f"{name(edge.source, comparison)} → {name(edge.target, comparison)}"
    if changed is None:
        return "\n".join([ends, f"change {signed(edge.flow)}", EDGE_WORDS[edge.kind]])
    lines = [ends, both_words(changed.first_flow, changed.second_flow), EDGE_WORDS[edge.kind]]
    weights = changed.first_weight, changed.second_weight
    if any(weight is not None for weight in weights):
        first, second = (NONE if weight is None else percent(weight) for weight in weights)
        lines.append(f"attention: first {first}, second {second}")
    return "\n".join(lines)


def heading_label(heading: Heading, comparison: Comparison) -> str:
    """The tokens below a column; of a run of columns, their numbers."""
    if heading.last > heading.first:
        return f"{heading.first}–{heading.last}"
    return clip(column_words(column_at(comparison, heading.first)), 2 * HEADING_COLUMNS)


def heading_tip(heading: Heading, comparison: Comparison) -> str:
    """Which positions the column stands for."""
    if heading.last == heading.first:
        return where_words(column_at(comparison, heading.first))
    return f"columns {heading.first} to {heading.last}: no difference drawn"


def embedding_label(node: FlowNode, comparison: Comparison) -> str:
    """What stands in the node of an embedding: both tokens, one under the other."""
    column = column_at(comparison, node.key.position)
    if node.key.kind is not NodeKind.EMBED or column.same:
        return clip_ems(column_words(column), BOX_ROOM)
    texts = (column.first_text, column.second_text)
    return "\n".join(NONE if text is None else clip_ems(visible(text), BOX_ROOM) for text in texts)
