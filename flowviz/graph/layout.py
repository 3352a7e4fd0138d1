"""Where everything stands: columns for prompt positions, rows from embeddings up to the target.

1. Every node but rest has a *row*: its layer, and its rank within the layer (`rows.py`), from the
   embeddings at the bottom to the target on top. Rows in which nothing is drawn take no height.
2. Every drawn position is a *column*. Its hidden states, embedding and target stand on the
   column's spine; heads, neurons and biases stand side by side on the right of it, so that the
   residual stream runs straight. Where no states are drawn (the circuit wiring) they are centred.
   More than fit one line wrap to the next. A column is as wide as its fullest cell needs.
3. A rest node stands at the lower left corner of the node that it feeds, inside that node's cell.
4. Positions where nothing is drawn become narrow columns, or, when they are many, each run of
   them becomes one.

The same graph always has the same layout, and no two boxes overlap. y grows downwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flowviz.graph.columns import Column, columns
from flowviz.graph.rows import BOTTOM, TOP, Row, row_of
from flowviz.graph.types import STATES, FlowGraph, NodeKey, NodeKind

SIZES: dict[NodeKind, tuple[float, float]] = {
    NodeKind.EMBED: (96.0, 34.0),
    NodeKind.POS_EMBED: (56.0, 26.0),
    NodeKind.RESID_PRE: (96.0, 32.0),
    NodeKind.RESID_MID: (96.0, 32.0),
    NodeKind.RESID_FINAL: (96.0, 32.0),
    NodeKind.HEAD: (88.0, 44.0),
    NodeKind.ATTN_OUT: (96.0, 32.0),
    NodeKind.NEURON: (96.0, 44.0),
    NodeKind.MLP_OUT: (96.0, 32.0),
    NodeKind.BIAS: (68.0, 26.0),
    NodeKind.FACTOR: (96.0, 44.0),
    NodeKind.OFFSET: (68.0, 26.0),
    NodeKind.ERROR: (68.0, 26.0),
    NodeKind.REST: (14.0, 14.0),
    NodeKind.TARGET: (132.0, 50.0),
}
SPINE = STATES | {NodeKind.EMBED, NodeKind.TARGET}
ORDER = {kind: place for place, kind in enumerate(NodeKind)}
MOST_IN_LINE = 5  # nodes of one cell beside each other
GAP = 14.0  # between nodes of one cell
LINE = 56.0  # from one line of a cell to the next
ROW_GAP = 24.0
BAND_GAP = 14.0  # between a band's edge and its nodes
REST_GAP = 4.0  # between a node and its rest node
LABEL_WIDTH = 104.0  # of a band's label
HEADING_HEIGHT = 24.0


@dataclass(frozen=True)
class Box:
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """The left edge."""
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        """The upper edge, where y is smallest."""
        return self.y - self.height / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The lower edge, where y is largest."""
        return self.y + self.height / 2

    def overlaps(self, other: Box) -> bool:
        """Whether the two share any area."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > 1e-6
            and min(self.bottom, other.bottom) - max(self.top, other.top) > 1e-6
        )


@dataclass(frozen=True)
class Band:
    """One layer's stripe behind its nodes."""

    label: str
    box: Box


@dataclass(frozen=True)
class Heading:
    """Below a column: the prompt positions, first to last, for which it stands."""

    first: int
    last: int
    drawn: bool
    box: Box


@dataclass(frozen=True)
class _Place:
    """Where a node stands in its cell: its centre from the spine, and which line of how many."""

    x: float
    line: int = 0
    lines: int = 1


@dataclass(frozen=True)
class Layout:
    """A box for every node, the bands behind them and the headings below them."""

    boxes: Mapping[NodeKey, Box]
    bands: tuple[Band, ...]
    headings: tuple[Heading, ...]
    width: float
    height: float


def layout(graph: FlowGraph) -> Layout:
    """The graph's one layout; see the head of this module."""
    cells, satellites = _cells(graph)
    places = _places(cells, satellites)
    rows = {key: row for (row, _), keys in cells.items() for key in keys}
    stripes = columns(_extents(places, satellites), len(graph.tokens))
    lines, ends = _lines(rows, places)
    spines = {stripe.first: stripe.spine for stripe in stripes if stripe.drawn}
    middles = {key: (spines[key.position], lines[row]) for key, row in rows.items()}
    boxes = _boxes(places, satellites, middles)
    width = stripes[-1].right if stripes else 0.0
    height = max((bottom for _, bottom in ends.values()), default=0.0)
    return Layout(
        boxes=MappingProxyType(boxes),
        bands=tuple(_band(layer, top, bottom, width) for layer, (top, bottom) in ends.items()),
        headings=tuple(_heading(stripe, height) for stripe in stripes),
        width=width,
        height=height + BAND_GAP + HEADING_HEIGHT,
    )


def _cells(graph: FlowGraph) -> tuple[dict[tuple[Row, int], list[NodeKey]], set[NodeKey]]:
    """What stands in each row and column, in order, and the nodes that a rest node hangs on."""
    keys = {node.key for node in graph.nodes}
    satellites = {key.cut() for key in keys if key.of and key.cut() in keys}
    cells = defaultdict(list)
    strength = {node.key: -abs(node.flow) for node in graph.nodes if node.key.part_of}
    for key in sorted(keys, key=lambda key: _order(key, strength)):
        if not (key.of and key.cut() in keys):
            cells[row_of(key, graph.model.parallel), key.position].append(key)
    return dict(cells), satellites


def _order(key: NodeKey, strength: dict[NodeKey, float]) -> tuple[int, float, int, str]:
    """Factors stand by their flow, the strongest first; all else by its index."""
    return ORDER[key.of or key.kind], strength.get(key, 0.0), key.index, str(key)


def _places(
    cells: dict[tuple[Row, int], list[NodeKey]], satellites: set[NodeKey]
) -> dict[NodeKey, _Place]:
    """Where each node stands in its cell."""
    spined = {at for (_, at), keys in cells.items() if any(key.kind in STATES for key in keys)}
    places: dict[NodeKey, _Place] = {}
    for (_, at), keys in cells.items():
        spine = [key for key in keys if key.kind in SPINE][:1]
        places.update(dict.fromkeys(spine, _Place(0.0)))
        start = SIZES[spine[0].kind][0] / 2 + GAP if spine else GAP if at in spined else None
        lines = _wrapped([key for key in keys if key not in spine])
        for number, line in enumerate(lines):
            for key, x in _line_offsets(line, satellites, start):
                places[key] = _Place(x, number, len(lines))
    return places


def _wrapped(keys: list[NodeKey]) -> list[list[NodeKey]]:
    """Lines of about the same length, none of them too long; heads and neurons do not mix."""
    heads = [key for key in keys if (key.of or key.kind) is NodeKind.HEAD]
    if len(keys) > MOST_IN_LINE and any(key.kind is NodeKind.NEURON for key in keys) and heads:
        return _even(heads) + _even([key for key in keys if key not in heads])
    return _even(keys)


def _even(keys: list[NodeKey]) -> list[list[NodeKey]]:
    count = -(-len(keys) // MOST_IN_LINE)
    size = -(-len(keys) // count) if count else 1
    return [keys[first : first + size] for first in range(0, len(keys), size)]


def _line_offsets(
    line: list[NodeKey], satellites: set[NodeKey], start: float | None
) -> Iterator[tuple[NodeKey, float]]:
    """Each node's centre, from a start or, without one, around the spine."""
    length = sum(_reach(key, satellites) + SIZES[key.kind][0] + GAP for key in line) - GAP
    edge = -length / 2 if start is None else start
    for key in line:
        centre = edge + _reach(key, satellites) + SIZES[key.kind][0] / 2
        yield key, centre
        edge = centre + SIZES[key.kind][0] / 2 + GAP


def _reach(key: NodeKey, satellites: set[NodeKey]) -> float:
    """What the rest node takes on the left of its node."""
    return REST_GAP + SIZES[NodeKind.REST][0] if key in satellites else 0.0


def _extents(
    places: dict[NodeKey, _Place], satellites: set[NodeKey]
) -> dict[int, tuple[float, float]]:
    """How far each drawn column reaches to the left and to the right of its spine."""
    extents: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for key, place in places.items():
        left, right = extents[key.position]
        half = SIZES[key.kind][0] / 2
        reach = half + _reach(key, satellites) - place.x
        extents[key.position] = max(left, reach), max(right, half + place.x)
    return dict(extents)


def _lines(
    rows: dict[NodeKey, Row], places: dict[NodeKey, _Place]
) -> tuple[dict[Row, float], dict[int, tuple[float, float]]]:
    """The y of every row's middle, and where every layer's band begins and ends."""
    heights: dict[Row, float] = defaultdict(float)
    for key, place in places.items():
        heights[rows[key]] = max(heights[rows[key]], _height(key, place))
    lines, ends, y = {}, {}, 0.0
    for row in sorted(heights, reverse=True):
        new = row[0] not in ends
        y += 2 * BAND_GAP if new and ends else 0.0 if new else ROW_GAP
        half = heights[row] / 2
        lines[row] = y + half
        top = ends[row[0]][0] if not new else y - BAND_GAP
        y = lines[row] + half
        ends[row[0]] = top, y + BAND_GAP
    return lines, ends


def _height(key: NodeKey, place: _Place) -> float:
    """What the lines of a node's cell take together."""
    return (place.lines - 1) * LINE + SIZES[key.kind][1]


def _boxes(
    places: dict[NodeKey, _Place],
    satellites: set[NodeKey],
    middles: dict[NodeKey, tuple[float, float]],
) -> dict[NodeKey, Box]:
    """Boxes around places, given where each node's spine meets its row."""
    boxes = {}
    side = SIZES[NodeKind.REST][0]
    for key, place in places.items():
        width, height = SIZES[key.kind]
        below = (place.line - (place.lines - 1) / 2) * LINE
        spine, line = middles[key]
        box = Box(spine + place.x, line + below, width, height)
        boxes[key] = box
        if key in satellites:
            x, y = box.left - REST_GAP - side / 2, box.bottom - side / 2
            boxes[key.rest()] = Box(x, y, side, side)
    return boxes


def _band(layer: int, top: float, bottom: float, width: float) -> Band:
    label = {BOTTOM: "embeddings", TOP: "logits"}.get(layer, f"layer {layer}")
    whole = width + LABEL_WIDTH + BAND_GAP
    return Band(label, Box(whole / 2 - LABEL_WIDTH, (top + bottom) / 2, whole, bottom - top))


def _heading(stripe: Column, height: float) -> Heading:
    half = min(stripe.spine - stripe.left, stripe.right - stripe.spine)
    box = Box(stripe.spine, height + BAND_GAP, 2 * half, HEADING_HEIGHT)
    return Heading(stripe.first, stripe.last, stripe.drawn, box)
