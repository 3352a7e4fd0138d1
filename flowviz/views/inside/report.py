"""An opened block as a report in plain text: every part with its flow, its length and its tokens.

It fits into 100 columns of a terminal.
"""

from __future__ import annotations

from flowviz.inside.types import InsideGraph, PartNode
from flowviz.views.inside.words import name
from flowviz.views.tokens import clip, visible, width
from flowviz.views.words import percent, signed

COLUMNS = 100
INDENT = 13
TOKENS = 3
UNKNOWN = "–"
ROOMS = (32, 10, 10, 9, 7)


def text(graph: InsideGraph) -> str:
    """The report: what is opened and explained, how exact, and all parts in order."""
    lines = [*_head(graph), "", *_parts(graph)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(graph: InsideGraph) -> list[str]:
    first, last = graph.layers
    blocks = f"block {first}" if first == last else f"blocks {first} to {last}"
    model, target = graph.model, graph.target
    aim = visible(target.token.token)
    if target.contrast is not None:
        aim += f" − {visible(target.contrast.token)}"
    guesses = [f"{visible(p.token)} {percent(p.probability)}" for p in graph.predictions[:5]]
    return [
        _line("Opened", f"{blocks} of {model.layers} at position {_place(graph, graph.position)}"),
        _line("Model", f"{visible(model.name)} ({visible(model.architecture)})"),
        _line("Prompt", "".join(visible(token.text) for token in graph.tokens)),
        _line("Explained", f"{aim} at {_place(graph, target.position)}: {signed(target.value)}"),
        _line("Predictions", "   ".join(guesses)),
        _line("Exactness", _exactness(graph)),
        _line("Queries", _queries(graph)),
    ]


def _place(graph: InsideGraph, position: int) -> str:
    return f"{position} ({visible(graph.tokens[position].text)})"


def _exactness(graph: InsideGraph) -> str:
    checks = graph.checks
    errors = f"flow to {checks.flow_error:.0e}, sums to {checks.sum_error:.0e}"
    limit = f"at most {checks.tolerance:.0e} counts as exact"
    return f"{errors}; {limit}" if checks.exact else f"{errors}: NOT EXACT ({limit}); no flow shown"


def _queries(graph: InsideGraph) -> str:
    if not graph.checks.queries_exact:
        return "not read: the attention that follows from them is not the model's own"
    words = {None: "no rotary positions", True: "at their positions", False: "before rotation"}
    return f"read through their heads' QK circuits; {words[graph.rotated]}"


def _line(title: str, words: str) -> str:
    return f"{title:<{INDENT}}{clip(words, COLUMNS - INDENT)}"


def _parts(graph: InsideGraph) -> list[str]:
    rows = [("part", "flow", "of target", "norm", "rank", "reads as")]
    rows += [_cells(node, graph) for node in graph.nodes]
    return [_columns(row) for row in rows]


def _cells(node: PartNode, graph: InsideGraph) -> tuple[str, ...]:
    read, value = node.projection, graph.target.value
    return (
        name(node.key, graph),
        UNKNOWN if node.flow is None else signed(node.flow),
        UNKNOWN if node.flow is None or not value else percent(node.flow / value),
        UNKNOWN if node.norm is None else f"{node.norm:.3g}",
        UNKNOWN if read is None else f"{read.target_rank:,}",
        "" if read is None else "  ".join(visible(token.text) for token in read.top[:TOKENS]),
    )


def _columns(cells: tuple[str, ...]) -> str:
    part = clip(cells[0], ROOMS[0] - 1)
    figures = [f"{cell:>{room}}" for cell, room in zip(cells[1:5], ROOMS[1:], strict=True)]
    line = part + " " * (ROOMS[0] - width(part)) + "".join(figures)
    return f"{line}  {clip(cells[5], COLUMNS - width(line) - 2)}"
