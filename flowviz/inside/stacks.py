"""The lines of a block from its parts: those of attention and those of the MLP, upwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from flowviz.inside.lines import (
    Item,
    Line,
    head,
    neuron,
    neuron_labels,
    single,
    wrapped,
)
from flowviz.inside.types import InsideGraph, PartKey, PartKind

K = PartKind
NEURON_PARTS = (K.GATE, K.NEURON_KEY, K.NEURON)


def attention_stack(nodes: Sequence[PartKey], room: float) -> list[Line]:
    """What reads the state before the block, up to what attention puts out."""
    inputs = [single(key) for key in (*_of(nodes, K.QUERY), *_of(nodes, K.MEMORY))]
    rows = [single(key, named=True) for key in _of(nodes, K.ROW)]
    return [
        _first(nodes, K.LN1),
        *_lines(inputs, room, "memory"),
        *_heads(nodes, room),
        *_bars(nodes, K.CONCAT),
        *_lines(rows, room, "rows of W_O"),
        *_bars(nodes, K.ATTENTION, K.LN1_POST),
    ]


def mlp_stack(nodes: Sequence[PartKey], room: float) -> list[Line]:
    """What reads the state that the MLP reads, up to what the MLP puts out."""
    columns = _columns(nodes, NEURON_PARTS)
    labels = neuron_labels(max(columns, key=len, default=()))
    lines = wrapped([neuron(column) for column in columns], room) if columns else []
    return [
        _first(nodes, K.LN2),
        *(Line(items, labels=labels) for items in lines),
        *_bars(nodes, K.MLP, K.LN2_POST),
    ]


def _of(nodes: Iterable[PartKey], kind: PartKind) -> list[PartKey]:
    return sorted(key for key in nodes if key.kind is kind)


def _first(nodes: Sequence[PartKey], norm: PartKind) -> Line:
    """The norm; where there is none, a line that holds only what stands on its side."""
    return next(iter(_bars(nodes, norm)), Line())


def _bars(nodes: Sequence[PartKey], *kinds: PartKind) -> list[Line]:
    return [Line(bar=key) for kind in kinds for key in _of(nodes, kind)]


def _lines(items: Sequence[Item], room: float, label: str) -> list[Line]:
    if not items:
        return []
    below = items[0].spots[0].up
    return [Line(line, labels=((label, below, line[0].height),)) for line in wrapped(items, room)]


def _columns(nodes: Sequence[PartKey], kinds: Sequence[PartKind]) -> list[list[PartKey]]:
    """The parts of these kinds by their index, each in the order of the kinds."""
    columns: dict[int, list[PartKey]] = defaultdict(list)
    for kind in kinds:
        for key in _of(nodes, kind):
            columns[key.index].append(key)
    return [columns[index] for index in sorted(columns)]


def _heads(nodes: Sequence[PartKey], room: float) -> list[Line]:
    """Heads side by side, each with its query, keys and values."""
    made = []
    for parts in _columns(nodes, (K.HEAD_QUERY, K.KEY, K.VALUE, K.HEAD)):
        of = {kind: [key for key in parts if key.kind is kind] for kind in PartKind}
        query, output = (next(iter(of[kind]), None) for kind in (K.HEAD_QUERY, K.HEAD))
        made.append(head(query, of[K.KEY], of[K.VALUE], output, room))
    if not made:
        return []
    labels = max((labels for _, labels in made), key=len)
    return [Line(items, labels=labels) for items in wrapped([item for item, _ in made], room)]


def hang(graph: InsideGraph, layer: int, stacks: Sequence[list[Line]]) -> None:
    """Puts biases, and the rest of sums, on the side of the lines that they flow into.

    What flows into a sum stands at the end of its bar; what flows into many parts of a line stands
    on the side of the line below.
    """
    where = {key: (lines, number) for lines in stacks for number, line in enumerate(lines)
             for key in line.parts}  # fmt: skip
    for node in graph.nodes:
        key = node.key
        if key.layer != layer or not (key.kind is K.BIAS or key.of):
            continue
        line = _host(graph, key, where.get)
        if line is not None:
            line.side.append(key)


def _host(
    graph: InsideGraph,
    key: PartKey,
    where: Callable[[PartKey], tuple[list[Line], int] | None],
) -> Line | None:
    if key.of:
        found = where(PartKey(key.of, key.layer, key.index, key.source))
        return found[0][found[1]] if found and found[0][found[1]].bar else None
    places = [where(edge.target) for edge in graph.edges if edge.source == key]
    found = [(lines, number) for lines, number in filter(None, places)]
    if not found:
        return None
    lines, number = min(found, key=lambda place: place[1])
    return lines[number] if lines[number].bar else lines[max(number - 1, 0)]
