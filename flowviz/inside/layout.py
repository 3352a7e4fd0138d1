"""Where each part of an opened block stands: the stream on the left, all else beside it.

1. A block is read from its input at the bottom to its output on top; several blocks are stacked.
   The stream is a straight *spine* on the left: the state before the block, mid, the state after.
2. Beside it stand two *stacks* of lines (`lines.py`), each with a panel behind it. Attention: norm,
   query and memories, heads (each a group of its query, keys, values and output), all heads
   together, rows of W_O, output. MLP: norm, neurons (each a column of gate, key and value), output.
   In a sequential block the MLP's stack stands upon attention's, in a parallel one beside it.
3. A sum (a norm, all heads together, an output) is a *bar* as wide as what it sums, so that its
   parts lie below it and their edges go straight up into it.
4. More heads or neurons than fit one line go on in the next, in the same columns. Between columns a
   *lane* stays free, and a corridor under and over each line: there run the edges that must pass
   others.
5. Biases and the rest of a sum stand at its right end, the rest of other parts at their lower left
   corner.

The same graph always has the same layout, and no two boxes overlap. y grows downwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from flowviz.graph.layout import Band, Box
from flowviz.inside.lines import BAR_HEIGHT, CAPTION, GAP, INNER, SIZES, Item, Line, pitch
from flowviz.inside.stacks import attention_stack, hang, mlp_stack
from flowviz.inside.types import InsideGraph, PartKey, PartKind

K = PartKind
Ends = tuple[float, float]
ROOM = 1135.0  # that a line may take
ROOM_OF_TWO = (710.0, 440.0)  # of attention and of the MLP beside each other
LEAST = 320.0  # of a bar, for its words
MOST_SPREAD = 1.7  # of a few items over a wide line
MOST_STRETCH = 1.6  # of their parts
CORRIDOR = 17.0  # between lines
PASSES = INNER + CAPTION + 1.0  # a longer way up within an item passes one of its parts
RAISED = CORRIDOR / 2 + CAPTION + 1.0  # a part that is further above its corridor stands on another
SPINE = SIZES[K.STATE][0]
ASIDE = 26.0  # between the spine and the bars
SIDE_GAP = 14.0  # between a bar and what stands at its end
SIDE = SIDE_GAP + SIZES[K.BIAS][0]
BESIDE = 34.0  # between two stacks
HANGING = 2.0  # between a part and what hangs on it
MARGIN = 9.0  # of a panel around its stack
LABEL_WIDTH = 124.0  # of a row's label, left of the spine


@dataclass(frozen=True)
class Place:
    """Where a part stands, and where edges can pass it.

    Args:
        lane: the x of the free lane on the left of its item.
        entry: the x of the free lane from which its side can be reached, inside its item.
        under, over: the y of the free corridors below and above its line.
        line: which line of its picture, counted from the bottom.
        base: the first of the lines that have the same columns, and so the same lanes.
        bar: whether it is a sum, as wide as what it sums.
    """

    box: Box
    lane: float
    under: float
    over: float
    line: int
    base: int
    bar: bool = False
    entry: float | None = None


@dataclass(frozen=True)
class Caption:
    """A name below a part: of a key its source, of a row of W_O its head."""

    key: PartKey
    x: float
    y: float


@dataclass(frozen=True)
class InsideLayout:
    """A place for every node; bands with the rows' labels; the panels behind them; names.

    Where two stacks stand side by side, the rows of the second have `notes` at their right end.
    """

    places: Mapping[PartKey, Place]
    bands: tuple[Band, ...]
    panels: tuple[Band, ...]
    captions: tuple[Caption, ...]
    notes: tuple[Band, ...]

    @property
    def boxes(self) -> dict[PartKey, Box]:
        """All boxes."""
        return {key: place.box for key, place in self.places.items()}


def layout(graph: InsideGraph) -> InsideLayout:
    """The graph's one layout; see the head of this module."""
    board = _Board()
    for layer in range(graph.layers[0], graph.layers[1] + 1):
        _block(board, graph, layer)
    last = PartKey(K.STATE, graph.layers[1] + 1)
    if graph.node(last):
        board.spine(last, 0.0)
        board.label(f"block {graph.layers[1]} out", board.up, board.up + SIZES[K.STATE][1])
    _hanging(board, graph)
    return board.finished()


class _Board:
    """Places while they are found, measured upwards from the bottom."""

    def __init__(self) -> None:
        self.up = 0.0
        self.lines = 0
        self.base = 0
        self.places: dict[PartKey, Place] = {}
        self.labels: list[tuple[str, float, float]] = []
        self.panels: list[Band] = []
        self.notes: list[Band] = []
        self.captions: list[Caption] = []

    def put(self, key: PartKey, box: Box, lane: float, ends: Ends, bar: bool = False) -> None:
        """Notes a place; `ends` is where its line begins and ends."""
        under, over = ends[0] - CORRIDOR / 2, ends[1] + CORRIDOR / 2
        self.places[key] = Place(box, lane, under, over, self.lines, self.base, bar)

    def spine(self, key: PartKey, height: float) -> None:
        """A state, in the middle of a line of that height."""
        width, own = SIZES[key.kind]
        whole = max(height, own)
        box = Box(0.0, self.up + whole / 2, width, own)
        self.put(key, box, -width / 2 - GAP, (self.up, self.up + whole))

    def label(self, words: str, begin: float, end: float) -> None:
        """What stands on the left of a row."""
        self.labels.append((words, begin, end))

    def finished(self) -> InsideLayout:
        """All of it turned over, so that y grows downwards."""
        right = max((place.box.right for place in self.places.values()), default=0.0) + MARGIN
        left = min((place.box.left for place in self.places.values()), default=0.0) - LABEL_WIDTH
        bands = [
            Band(words, Box((left + right) / 2, (begin + end) / 2, right - left, end - begin))
            for words, begin, end in self.labels
        ]
        return InsideLayout(
            MappingProxyType({key: _turned(place) for key, place in self.places.items()}),
            tuple(Band(band.label, _flipped(band.box)) for band in bands),
            tuple(Band(panel.label, _flipped(panel.box)) for panel in self.panels),
            tuple(replace(each, y=-each.y) for each in self.captions),
            tuple(Band(note.label, _flipped(note.box)) for note in self.notes),
        )


def _flipped(box: Box) -> Box:
    return replace(box, y=-box.y)


def _turned(place: Place) -> Place:
    return replace(place, box=_flipped(place.box), under=-place.under, over=-place.over)


def _block(board: _Board, graph: InsideGraph, layer: int) -> None:
    nodes = [node.key for node in graph.nodes if node.key.layer == layer]
    parallel = PartKey(K.MID, layer) not in nodes
    rooms = ROOM_OF_TWO if parallel else (ROOM, ROOM)
    early, late = attention_stack(nodes, rooms[0]), mlp_stack(nodes, rooms[1])
    hang(graph, layer, [early, late])
    left = SPINE / 2 + ASIDE
    if not parallel:
        wide = max(_width(early), _width(late))
        _stack(board, early, PartKey(K.STATE, layer), left, wide, "attention")
        _stack(board, late, PartKey(K.MID, layer), left, wide, "MLP")
        return
    first, bottom, number = _width(early), board.up, board.lines
    _stack(board, early, PartKey(K.STATE, layer), left, first, "attention")
    top, lines, board.up, board.lines = board.up, board.lines, bottom, number
    beside = left + first + SIDE + BESIDE
    _stack(board, late, None, beside, _width(late), "MLP")
    board.up, board.lines = max(top, board.up), max(lines, board.lines)
    shared = PartKey(K.LN1, layer)
    if PartKey(K.LN2, layer) not in nodes and shared in board.places:
        _widen(board, shared, beside + _width(late))


def _widen(board: _Board, bar: PartKey, right: float) -> None:
    """One norm before both: its bar reaches from the one stack to the end of the other."""
    place = board.places[bar]
    width = right - place.box.left
    box = replace(place.box, x=place.box.left + width / 2, width=width)
    board.places[bar] = replace(place, box=box)


def _width(lines: Sequence[Line]) -> float:
    return max(LEAST, *(line.width for line in lines))


def _stack(
    board: _Board,
    lines: Sequence[Line],
    state: PartKey | None,
    left: float,
    width: float,
    name: str,
) -> None:
    """Puts lines upon each other, the first beside the state that it reads."""
    columns = {family: max(len(line.items) for line in lines if _family(line) == family)
               for family in {_family(line) for line in lines}}  # fmt: skip
    begin = board.up
    for number, line in enumerate(lines):
        height = line.height
        if number == 0 or not line.items or _family(line) != _family(lines[number - 1]):
            board.base = board.lines
        if number == 0:
            height = max(height, SIZES[K.STATE][1])
            if state is not None:
                board.spine(state, height)
                words = f"block {state.layer} in" if state.kind is K.STATE else "mid"
                board.label(words, board.up, board.up + height)
        _line(board, line, (left, width, height), columns[_family(line)], beside=state is None)
        board.up += height + CORRIDOR
        board.lines += 1
        begin = board.up - CORRIDOR / 2 if number == 0 else begin
    end, right = board.up - CORRIDOR + MARGIN, left + width + SIDE + MARGIN
    box = Box((left - MARGIN + right) / 2, (begin + end) / 2, right - left + MARGIN, end - begin)
    board.panels.append(Band(name, box))


def _family(line: Line) -> str:
    """Lines of one family share their columns."""
    return line.labels[-1][0] if line.labels else ""


def _line(
    board: _Board, line: Line, room: tuple[float, float, float], columns: int, *, beside: bool
) -> None:
    left, width, height = room
    ends = (board.up, board.up + height)
    middle = board.up + height / 2
    if line.bar:
        box = Box(left + width / 2, middle, width, BAR_HEIGHT)
        board.put(line.bar, box, left - GAP / 2, ends, bar=True)
    for offset, item in _spread(line.items, width, columns):
        edge = left + offset
        for spot in item.spots:
            x, y = edge + spot.x + spot.width / 2, board.up + spot.up + spot.height / 2
            lane = edge - GAP / 2
            box = Box(x, y, spot.width, spot.height)
            board.put(spot.key, box, lane, ends)
            if spot.key.kind in (K.KEY, K.VALUE):
                right = x > edge + item.width / 2 + 1
                entry = box.right + GAP / 2 if right else box.left - GAP / 2
                board.places[spot.key] = replace(board.places[spot.key], entry=entry)
        for each in item.names:
            board.captions.append(Caption(each.key, edge + each.x, board.up + each.up))
    for words, begin, end in line.labels:
        begin, end = board.up + begin, board.up + end
        if beside:
            box = Box(left + width + SIDE_GAP + SIDE / 2, (begin + end) / 2, SIDE, end - begin)
            board.notes.append(Band(words, box))
        else:
            board.label(words, begin, end)
    _side(board, line, left + width + SIDE_GAP, middle, ends)


def _spread(items: Sequence[Item], width: float, columns: int) -> Iterator[tuple[float, Item]]:
    """Items in their columns, each with its left edge, and as wide as there is room for."""
    step = min(width / columns, MOST_SPREAD * pitch(items)) if columns else 0.0
    start = (width - step * columns) / 2
    for number, item in enumerate(items):
        wide = item.stretched(max(1.0, min(MOST_STRETCH, (step - GAP) / item.width)))
        yield start + number * step + (step - wide.width) / 2, wide


def _side(board: _Board, line: Line, left: float, middle: float, ends: Ends) -> None:
    """What flows into a line from the right, one upon the other."""
    total = sum(SIZES[key.kind][1] + 2 for key in line.side) - 2
    up = middle - total / 2
    for key in line.side:
        width, height = SIZES[key.kind]
        box = Box(left + width / 2, up + height / 2, width, height)
        board.put(key, box, left - SIDE_GAP / 2, ends)
        up += height + 2


def _hanging(board: _Board, graph: InsideGraph) -> None:
    """Rest nodes at the lower left corner of what they feed, elsewhere nodes at the upper left.

    Biases of a state, and whatever else has no place, stand on the left of the spine.
    """
    loose: dict[int, int] = {}
    for node in graph.nodes:
        key = node.key
        if key in board.places:
            continue
        on = PartKey(key.of, key.layer, key.index, key.source) if key.of else None
        width, height = SIZES.get(key.kind, SIZES[K.KEY])
        there = board.places.get(on) if on else None
        if there:
            box = there.box
            x = box.left - HANGING - width / 2
            top = key.kind is K.ELSEWHERE
            y = (box.y + box.height / 2 - height / 2) if top else (
                box.y - box.height / 2 + height / 2)  # fmt: skip
            board.places[key] = replace(there, box=Box(x, y, width, height), bar=False)
            continue
        beside = _state_of(board, graph, key)
        number = loose[key.layer] = loose.get(key.layer, 0) + 1
        x = -SPINE / 2 - 2 * GAP - width / 2 - (number - 1) * (width + GAP)
        y = beside.box.y if beside else board.up
        box = Box(x, y, width, height)
        ends = (y - height / 2, y + height / 2)
        board.put(key, box, x - width / 2 - GAP / 2, ends)


def _state_of(board: _Board, graph: InsideGraph, key: PartKey) -> Place | None:
    """The first placed part that it flows into."""
    targets = (edge.target for edge in graph.edges if edge.source == key)
    return next((board.places[target] for target in targets if target in board.places), None)
