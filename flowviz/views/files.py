"""The graph as files to take away: tables as CSV, and a report in plain text.

Cells of a CSV that a spreadsheet would run as a formula get an apostrophe in front (OWASP, CSV
injection); numbers stay numbers. The report fits into 100 columns of a terminal.
"""

from __future__ import annotations

import csv as csv_format
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flowviz.graph.types import STATES, FlowGraph, FlowNode, NodeKey, NodeKind, Prediction
from flowviz.interventions.types import parse_interventions
from flowviz.views.changes import intervention_words, was_words
from flowviz.views.laws import exactness_words, failure_words, flow_shown
from flowviz.views.paths import Path, strongest_paths
from flowviz.views.tables import edge_columns, edge_rows, node_columns, node_rows
from flowviz.views.tokens import clip, visible, width
from flowviz.views.words import (
    coverage_words,
    percent,
    plain,
    short_label,
    signed,
    target_words,
)

COLUMNS = 100
INDENT = 13
MOST_NODES = 15
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
RULE = " → "
UNKNOWN = "–"


def csv(graph: FlowGraph, table: str) -> str:
    """The graph's "nodes" or "edges" as comma-separated values with a heading line."""
    if table not in ("nodes", "edges"):
        raise ValueError(f'table is {table!r}; it takes "nodes" or "edges".')
    if table == "nodes":
        return table_csv(node_columns(graph), node_rows(graph))
    return table_csv(edge_columns(graph), edge_rows(graph))


def table_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as comma-separated values with a heading line."""
    page = io.StringIO(newline="")
    writer = csv_format.writer(page, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return page.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        text = value.replace("\0", "␀")
        return f"'{text}" if text.lstrip(" \n").startswith(FORMULA) else text
    return "" if value is None else value


def text(graph: FlowGraph) -> str:
    """The report: what is explained, how exact and how complete, strongest nodes and paths."""
    lines = [*_head(graph), "", *_nodes(graph), "", *_paths(graph)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(graph: FlowGraph) -> list[str]:
    model = graph.model
    words = f"{visible(model.name)} ({visible(model.architecture)}, {model.layers} layers, "
    prompt = "".join(visible(token.text) for token in graph.tokens[:COLUMNS])
    guesses = [_guess(prediction) for prediction in graph.predictions]
    return [
        _line("Model", f"{words}{model.heads} heads, d_model {model.d_model})"),
        _line("Prompt", f"{prompt} · {len(graph.tokens):,} tokens", prompt),
        *changes_lines(graph),
        *_wrap("Explained", _explained(graph).split(" "), " "),
        *_wrap("Predictions", guesses, "   ")[:2],
        *_wrap("Exactness", exactness_words(graph.checks).split(" "), " "),
        *_failure(graph),
        *_wrap("Coverage", coverage_words(graph).split(" "), " "),
        *_part(graph),
    ]


def _guess(prediction: Prediction) -> str:
    was = was_words(prediction.before, percent, prediction.probability)
    return f"{visible(prediction.token)} {percent(prediction.probability)}{was}"


def _explained(graph: FlowGraph) -> str:
    before = graph.target.before
    was = "" if before is None else f"; before the change {plain(before)}"
    return f"{target_words(graph)}{was}"


def changes_lines(graph: FlowGraph) -> list[str]:
    """What interventions changed, and where other values came from."""
    made = parse_interventions(graph.interventions)
    words = [f"{intervention_words(one, graph)};" for one in made]
    lines = _wrap("Changed", [*words[:-1], words[-1].rstrip(";")], "   ") if words else []
    return [*lines, *([_line("Other prompt", visible(graph.donor))] if graph.donor else [])]


def _part(graph: FlowGraph) -> list[str]:
    """Which positions and layers were asked for, where not all."""
    spans = {name: graph.settings.get(name) for name in ("positions", "layers")}
    asked = [f"{name} {s[0]} to {s[1]}" for name, s in spans.items() if isinstance(s, list | tuple)]
    words = f"only {' and '.join(asked)}; what flows in from elsewhere is kept as rest"
    return [_line("Drawn", words)] if asked else []


def _failure(graph: FlowGraph) -> list[str]:
    failed = failure_words(graph)
    return _wrap("Not shown", " ".join(failed).split(" "), " ") if failed else []


def _line(name: str, words: str, head: str | None = None) -> str:
    """One line; where it is too long, its head is cut and what follows the head is kept."""
    room = COLUMNS - INDENT
    if head is not None and width(words) > room:
        tail = words[len(head) :]
        words = clip(head, room - width(tail)) + tail
    return f"{name:<{INDENT}}{clip(words, room)}"


def _wrap(name: str, words: Iterable[str], joint: str) -> list[str]:
    lines, line, room = [], "", COLUMNS - INDENT
    for word in words:
        word = clip(word, room)
        longer = f"{line}{joint}{word}" if line else word
        if width(longer) > room:
            lines.append(line)
            longer = word
        line = longer
    heads = [name, *[""] * len(lines)]
    return [f"{head:<{INDENT}}{part}" for head, part in zip(heads, [*lines, line], strict=True)]


def _nodes(graph: FlowGraph) -> list[str]:
    drawn = [n for n in graph.nodes if n.key.kind not in (NodeKind.REST, NodeKind.TARGET)]
    ranked = sorted(drawn, key=_order if flow_shown(graph) else _from_the_top)
    rows = [("node", "kind", "reads as", "flow", "of target", _last_column(graph))]
    rows += [_node_cells(node, graph) for node in ranked[:MOST_NODES]]
    more = len(ranked) - MOST_NODES
    tail = [f"  and {more:,} more"] if more > 0 else []
    title = "Strongest nodes" if flow_shown(graph) else "Nodes"
    return [title, *("  " + _columns(row) for row in rows), *tail]


def _order(node: FlowNode) -> tuple[float, str]:
    """The strongest first."""
    return -node.influence if math.isfinite(node.influence) else 0.0, str(node.key)


def _from_the_top(node: FlowNode) -> tuple[bool, int, NodeKey]:
    """Hidden states from the last layer down, then the others."""
    return node.key.kind not in STATES, -node.key.layer, node.key


def _node_cells(node: FlowNode, graph: FlowGraph) -> tuple[str, ...]:
    top = node.projection.top if node.projection and node.norm != 0 else ()
    return (
        short_label(node.key, graph),
        node.key.kind.value,
        "  ".join(visible(token.text) for token in top[:3]),
        *_scores(node, graph),
    )


def _scores(node: FlowNode, graph: FlowGraph) -> tuple[str, str, str]:
    if not flow_shown(graph):
        return UNKNOWN, UNKNOWN, UNKNOWN
    value = graph.target.value
    share = percent(node.flow / value) if value else ""
    last = UNKNOWN if node.before is None else signed(node.before)
    return signed(node.flow), share, last if graph.interventions else percent(node.influence)


def _last_column(graph: FlowGraph) -> str:
    """Where something was changed, the flow before it says more than the influence."""
    return "before" if graph.interventions else "influence"


def _columns(cells: tuple[str, ...]) -> str:
    left = [_pad(cell, room) for cell, room in zip(cells[:3], (26, 12, 27), strict=True)]
    right = [f"{cell:>{room}}" for cell, room in zip(cells[3:], (9, 10, 10), strict=True)]
    return " ".join(left) + "".join(right)


def _pad(cell: str, room: int) -> str:
    cell = clip(cell, room - 1)
    return cell + " " * (room - width(cell))


def _paths(graph: FlowGraph) -> list[str]:
    if not flow_shown(graph):
        return ["Strongest paths", "  none: the flow of this run is not shown"]
    paths = strongest_paths(graph)
    if not paths:
        return ["Strongest paths", "  none: no path reaches from the prompt to the target"]
    return ["Strongest paths", *(line for path in paths for line in _path(path, graph))]


def _path(path: Path, graph: FlowGraph) -> list[str]:
    mark = "+" if path.sign > 0 else "−"
    names = [short_label(key, graph) for key in path.landmarks]
    return _wrap(f"  {mark} {percent(path.strength):>6}", names, RULE)
