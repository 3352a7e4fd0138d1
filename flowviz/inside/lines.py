"""What stands beside each other inside a block: lines of parts, from which a layout is stacked.

A line is measured from its own lower left corner: x to the right, `up` upwards. It holds items of
equal pitch (a head with its query, keys and values; a neuron with its key and gate; a row of W_O)
or one bar, a sum as wide as all that is summed. Between any two items, and within an item between
any two columns, a gap stays free: edges to lines further up run in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flowviz.inside.types import PartKey, PartKind

K = PartKind
SIZES: dict[PartKind, tuple[float, float]] = {
    **dict.fromkeys((K.STATE, K.MID), (96.0, 28.0)),
    **dict.fromkeys((K.QUERY, K.MEMORY), (84.0, 24.0)),
    **dict.fromkeys((K.HEAD_QUERY, K.KEY, K.GATE, K.NEURON_KEY), (74.0, 21.0)),
    **dict.fromkeys((K.VALUE, K.ROW, K.NEURON), (74.0, 25.0)),
    **dict.fromkeys((K.REST, K.ELSEWHERE), (10.0, 10.0)),
    K.HEAD: (112.0, 27.0),
    K.BIAS: (66.0, 22.0),
}
BAR_HEIGHT = 21.0
GAP = 13.0  # between columns; a rest node or an edge has room in it
INNER = 7.0  # between parts that stand upon each other in an item
CAPTION = 14.0  # the height of a name between them
PART = SIZES[K.KEY][0]


@dataclass(frozen=True)
class Spot:
    """A part in its line or item: its left edge, how far up it begins, its size."""

    key: PartKey
    x: float
    up: float
    width: float
    height: float


@dataclass(frozen=True)
class Name:
    """A few words between parts: of a memory its source, of a row of W_O its head."""

    key: PartKey
    x: float  # its middle
    up: float  # its middle


@dataclass(frozen=True)
class Item:
    """Parts that belong together, one upon the other, in one or more columns."""

    spots: tuple[Spot, ...]
    names: tuple[Name, ...]
    width: float
    height: float

    def stretched(self, factor: float) -> Item:
        """The item with all widths times a factor, so that more of each token can be read."""
        spots = [replace(s, x=s.x * factor, width=s.width * factor) for s in self.spots]
        names = [replace(each, x=each.x * factor) for each in self.names]
        return Item(tuple(spots), tuple(names), self.width * factor, self.height)


@dataclass(frozen=True)
class Line:
    """One line of a stack.

    Args:
        items: what stands side by side; none for a bar.
        bar: the sum that the line is.
        labels: what its parts are, each with the height at which they begin and end.
        side: what stands on the right of the line: biases and rest that flow into it.
    """

    items: tuple[Item, ...] = ()
    bar: PartKey | None = None
    labels: tuple[tuple[str, float, float], ...] = ()
    side: list[PartKey] = field(default_factory=list)

    @property
    def height(self) -> float:
        """What the line takes; what stands on its side may need more than the line itself."""
        own = BAR_HEIGHT if self.bar else max((item.height for item in self.items), default=0.0)
        return max(own, sum(SIZES[key.kind][1] + 2 for key in self.side) - 2)

    @property
    def width(self) -> float:
        """The least that its items take, one gap on the left of each."""
        return len(self.items) * pitch(self.items)

    @property
    def parts(self) -> list[PartKey]:
        """All parts of the line but those on its side."""
        return [self.bar] if self.bar else [spot.key for item in self.items for spot in item.spots]


def pitch(items: Sequence[Item]) -> float:
    """From one item to the next."""
    return GAP + max((item.width for item in items), default=0.0)


def wrapped(items: Sequence[Item], room: float) -> list[tuple[Item, ...]]:
    """The items in as few lines as fit into the room, all of about the same length."""
    most = max(1, int(room // pitch(items)))
    lines = -(-len(items) // most)
    size = -(-len(items) // lines) if lines else 1
    return [tuple(items[first : first + size]) for first in range(0, len(items), size)]


def single(key: PartKey, *, named: bool = False) -> Item:
    """An item of one part, with a name below it or without."""
    width, height = SIZES[key.kind]
    up = CAPTION if named else 0.0
    names = (Name(key, width / 2, CAPTION / 2 - 2),) if named else ()
    return Item((Spot(key, 0.0, up, width, height),), names, width, up + height)


def neuron(column: Sequence[PartKey]) -> Item:
    """A neuron's gate, key and value, one upon the other."""
    spots, up = [], 0.0
    for key in column:
        width, height = SIZES[key.kind]
        spots.append(Spot(key, 0.0, up, width, height))
        up += height + INNER
    return Item(tuple(spots), (), PART, up - INNER)


def neuron_labels(column: Sequence[PartKey]) -> tuple[tuple[str, float, float], ...]:
    """What a line of neurons says on its left."""
    words = {K.GATE: "gates", K.NEURON_KEY: "FF1 keys", K.NEURON: "FF2 values"}
    return tuple(
        (words[spot.key.kind], spot.up, spot.up + spot.height) for spot in neuron(column).spots
    )


def head(
    query: PartKey | None,
    keys: Sequence[PartKey],
    values: Sequence[PartKey],
    output: PartKey | None,
    room: float,
) -> tuple[Item, tuple[tuple[str, float, float], ...]]:
    """A head: its query, above it the keys of its memories, their values, its output; and labels.

    Each memory is a column, with the name of its source below the key.
    """
    sources = sorted({key.source for key in (*keys, *values)})
    most = max(1, int(room // (PART + GAP)))
    runs = [sources[first : first + most] for first in range(0, len(sources), most)]
    columns = len(runs[0]) if runs else 1
    width = max(columns * (PART + GAP) - GAP, SIZES[K.HEAD][0])
    spots: list[Spot] = []
    names: list[Name] = []
    labels: list[tuple[str, float, float]] = []
    up = 0.0

    def row(label: str, row_keys: Sequence[PartKey], places: Sequence[float]) -> None:
        nonlocal up
        if not row_keys:
            return
        high = max(SIZES[key.kind][1] for key in row_keys)
        for key, middle in zip(row_keys, places, strict=True):
            size = SIZES[key.kind]
            spots.append(Spot(key, middle - size[0] / 2, up, *size))
        labels.append((label, up, up + high))
        up += high + INNER

    def middles(run: Sequence[int]) -> dict[int, float]:
        start = (width - len(run) * (PART + GAP) + GAP) / 2
        return {source: start + i * (PART + GAP) + PART / 2 for i, source in enumerate(run)}

    row("queries", [query] if query else [], [width / 2])
    for run in runs:
        places = middles(run)
        here = [[key for key in side if key.source in places] for side in (keys, values)]
        for key in {key.source: key for key in (*here[1], *here[0])}.values():
            names.append(Name(key, places[key.source], up + CAPTION / 2 - 2))
        up += CAPTION
        for label, side in zip(("keys", "values"), here, strict=True):
            row(label, side, [places[key.source] for key in side])
        up += INNER / 2
    row("heads", [output] if output else [], [width / 2])
    return Item(tuple(spots), tuple(names), width, max(up - INNER, 0.0)), tuple(labels)
