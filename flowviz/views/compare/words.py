"""Two passes in words: columns of tokens, nodes on both sides, how much changed.

A column is named by its token where both prompts have the same one, and else by both: those of the
first and of the second, with a bar between.
"""

from __future__ import annotations

from dataclasses import replace

from flowviz.compare.types import Column, Comparison, Side
from flowviz.graph.types import NodeKey, NodeKind, Target
from flowviz.views.laws import exactness_words, failure_words, small
from flowviz.views.tokens import visible
from flowviz.views.words import (
    BIAS_WORDS,
    STAGE,
    bias_name,
    expert_of,
    percent,
    place,
    plain,
    signed,
)

BAR = " | "
NONE = "–"
SAME = "Both sides are the same: nothing differs"
FIRST, SECOND = "first", "second"
UNKNOWN = Column(None, None, None, None, same=False)


def column_at(comparison: Comparison, position: int) -> Column:
    """A column; an empty one for a position that is none."""
    there = 0 <= position < len(comparison.columns)
    return comparison.columns[position] if there else UNKNOWN


def column_words(column: Column) -> str:
    """Its token, or both: `␣nurse | ␣plumber`."""
    first, second = _text(column.first_text), _text(column.second_text)
    return first if column.same else f"{first}{BAR}{second}"


def _text(text: str | None) -> str:
    return NONE if text is None else visible(text)


def where_words(column: Column) -> str:
    """Its positions in the two prompts, and its tokens."""
    return f"{position_words(column)} ({column_words(column)})"


def position_words(column: Column) -> str:
    """Its position, or both where they are not the same."""
    if column.first == column.second:
        return "no position" if column.first is None else f"position {column.first}"
    if column.second is None:
        return f"position {column.first} of the first alone"
    if column.first is None:
        return f"position {column.second} of the second alone"
    return f"position {column.first}{BAR}{column.second}"


def name(key: NodeKey, comparison: Comparison) -> str:
    """The node in a few words, such as "L3 H5 at ␣nurse | ␣plumber"."""
    column = column_at(comparison, key.position)
    if key.kind is NodeKind.REST:
        return "rest of " + name(key.cut(), comparison)
    if key.kind is NodeKind.TARGET:
        return explained(comparison)
    if key.kind is NodeKind.EMBED:
        return f"embedding of {column_words(column)}"
    if key.kind is NodeKind.POS_EMBED:
        return position_words(column)
    return f"{place(key, comparison.graph.model)} at {column_words(column)}"


def part_name(key: NodeKey, comparison: Comparison) -> str:
    """The node without its column, which a table names beside it."""
    if key.kind is NodeKind.POS_EMBED:
        return "position"
    return place(key, comparison.graph.model)


def describe(key: NodeKey, comparison: Comparison) -> str:
    """What the node is, in one plain sentence."""
    where = where_words(column_at(comparison, key.position))
    match key.kind:
        case NodeKind.REST:
            whole = describe(key.cut(), comparison)
            return f"What flows into this node and is not drawn, kept as one sum. {whole}"
        case NodeKind.TARGET:
            return f"What is explained: {explained(comparison)}."
        case NodeKind.EMBED:
            return f"The embedding of the prompts' tokens at {where}."
        case NodeKind.POS_EMBED:
            return f"The position embedding at {where}."
        case NodeKind.HEAD:
            return f"Head {key.index} of layer {key.layer}, writing at {where}."
        case NodeKind.NEURON:
            return f"{_neuron(key, comparison)} of layer {key.layer}, firing at {where}."
        case NodeKind.BIAS:
            words = BIAS_WORDS.get(bias_name(key), "what is put in here")
            return f"{words[0].upper()}{words[1:]} ({bias_name(key)}), at {where}."
        case _:
            return f"The hidden state {STAGE[key.kind].format(layer=key.layer)}, at {where}."


def _neuron(key: NodeKey, comparison: Comparison) -> str:
    expert = expert_of(key, comparison.graph.model)
    return "Expert {}, neuron {}".format(*expert) if expert else f"Neuron {key.index}"


def explained(comparison: Comparison) -> str:
    """The token or tokens that are explained; those of both sides where they are not the same."""
    first, second = (_tokens(side.target) for side in (comparison.first, comparison.second))
    return first if comparison.same_number else f"{first}{BAR}{second}"


def _tokens(target: Target) -> str:
    token = visible(target.token.token)
    return token if target.contrast is None else f"{token} − {visible(target.contrast.token)}"


def both_words(first: float, second: float) -> str:
    """A flow on both sides, and what changed."""
    return f"first {signed(first)}, second {signed(second)}: change {signed(second - first)}"


def share_words(difference: float, comparison: Comparison) -> str | None:
    """A difference as a share of what is explained; None where that did not change."""
    whole = comparison.graph.target.value
    return f"{percent(difference / whole)} of the whole change" if whole else None


def value_words(comparison: Comparison) -> str:
    """What is explained, on both sides."""
    first, second = comparison.first.target, comparison.second.target
    change = "no change" if comparison.same else f"change {signed(second.value - first.value)}"
    if comparison.same_number:
        what = "logit" if first.contrast is None else "logit difference"
        return f"{what} {plain(first.value)} → {plain(second.value)}, {change}"
    return (
        f"{_tokens(first)} {plain(first.value)} in the first, "
        f"{_tokens(second)} {plain(second.value)} in the second, {change}"
    )


def different_numbers(comparison: Comparison) -> str | None:
    """What to bear in mind where the two sides explain different numbers."""
    if comparison.same_number:
        return None
    first, second = _tokens(comparison.first.target), _tokens(comparison.second.target)
    return (
        f"The first explains {first}, the second {second}: what differs may come from the tokens "
        "that are asked about, not only from what the model does."
    )


def changes_words(side: Side) -> str | None:
    """What was changed in a pass; None where nothing was."""
    return "; ".join(side.interventions) if side.interventions else None


def exactness(comparison: Comparison) -> str:
    """How exact both passes were: the worse of the two, or each that was not."""
    sides = (comparison.first, comparison.second)
    if all(side.checks.exact for side in sides):
        error = max(side.checks.conservation_error for side in sides)
        limit = max(side.checks.tolerance for side in sides)
        return f"Both exact to {small(error)} (limit {small(limit)})"
    words = zip((FIRST, SECOND), sides, strict=True)
    return "; ".join(f"{which}: {exactness_words(side.checks)}" for which, side in words)


def coverage(comparison: Comparison) -> str:
    """How much of what differs is drawn."""
    graph = comparison.graph
    if comparison.same:
        return SAME
    if not graph.checks.exact:
        return "no difference of flows is shown"
    drawn = sum(node.key.kind not in (NodeKind.REST, NodeKind.TARGET) for node in graph.nodes)
    return (
        f"{drawn:,} of {graph.nodes_total:,} nodes hold {percent(graph.coverage)} "
        "of what differs; the rest is in"
    )


def failures(comparison: Comparison) -> tuple[str, ...]:
    """For each side on which a law failed: which law, by how much."""
    found = []
    for which, side in ((FIRST, comparison.first), (SECOND, comparison.second)):
        alone = replace(comparison.graph, model=side.model, checks=side.checks)
        failed = failure_words(alone)
        if failed:
            found.append(f"The {which} pass: {failed[0][0].lower()}{failed[0][1:]}")
    return tuple(found)


def change_words(difference: float) -> str:
    """The change of a probability: in percentage points, with its sign."""
    points = 100 * difference
    size = abs(points)
    if size < 0.005:
        return "0"
    written = f"{points:+.2f}" if size < 1 else f"{points:+.1f}" if size < 10 else f"{points:+.0f}"
    return written.replace("-", "−")


def attention_words(first: float | None, second: float | None) -> str:
    """A head's attention on both sides, such as `98→100%`; empty where neither attends."""
    if first is None and second is None:
        return ""
    written = [NONE if weight is None else percent(weight) for weight in (first, second)]
    return "→".join([written[0].removesuffix("%"), written[1]])
