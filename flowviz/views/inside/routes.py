"""Which way an edge takes through an opened block, so that it never runs through a part.

A part below a sum goes straight up into its bar, and a bar straight up into the parts above it.
What must pass other lines leaves into the corridor, runs in the lane beside its end's column, and
enters from below; or from the left, where other parts of the same item stand below. Corners are
round: each becomes two control points of Cytoscape's unbundled Bézier curve, one a little before
and one a little behind it.
"""

from __future__ import annotations

import math
from typing import Any

from flowviz.graph.layout import Box
from flowviz.inside.layout import PASSES, RAISED, Place
from flowviz.inside.types import PartKey, PartKind
from flowviz.views.curves import Point, control, relative

K = PartKind
SPINE = frozenset({K.STATE, K.MID})
HANGING = frozenset({K.REST, K.ELSEWHERE})
ROUND = 9.0  # how far from a corner its two control points stand
ENTRY = 32.0  # right of the spine's middle: where sums enter a state
INSET = 5.0  # from a bar's end
NEAR = 60.0  # a longer way along a line may run into another bar
UP, DOWN, LEFT, RIGHT = "0 -50%", "0 50%", "-50% 0", "50% 0"
Route = tuple[str, str, list[Point]]


def route(source: PartKey, target: PartKey, start: Place, end: Place) -> dict[str, Any]:
    """An edge's ends (`se`, `te`), and its control points (`cw`, `cd`) where it bends."""
    se, te, corners = corners_of(source, target, start, end)
    return {"se": se, "te": te} | _bend(start.box, end.box, corners)


def corners_of(source: PartKey, target: PartKey, start: Place, end: Place) -> Route:
    """Where an edge leaves, where it enters, and the corners between."""
    if source.kind in SPINE and target.kind in SPINE:
        return UP, DOWN, []
    if _hangs(source, target) or _hangs(target, source):
        return _short(start, end)
    if target.kind in SPINE:
        return _to_spine(start, end)
    if start.line == end.line:
        return _along(source, start, end)
    return _upwards(source, start, end)


def _hangs(one: PartKey, other: PartKey) -> bool:
    return one.kind in HANGING and one.of is other.kind and one.index == other.index


def _short(start: Place, end: Place) -> Route:
    """Between a part and what hangs on it, or between a sum and what stands at its end."""
    if end.bar:
        return LEFT, RIGHT, []
    if start.bar:
        return RIGHT, LEFT, []
    return "outside-to-node", "outside-to-node", []


def _to_spine(start: Place, end: Place) -> Route:
    """A sum into the stream: from its left end; over what stands between, where it must."""
    x = end.box.x + ENTRY
    if not start.bar:
        return RIGHT, LEFT, []
    if start.box.left - end.box.right < NEAR:
        return LEFT, f"{ENTRY:g} 50%", [(x, start.box.y)]
    leave = start.box.left + ENTRY
    corners = [(leave, end.under), (x, end.under)]
    return _on(start, leave, "-50%"), f"{ENTRY:g} 50%", corners


def _along(source: PartKey, start: Place, end: Place) -> Route:
    """Within one line: from a state into its norm, within a head or a neuron."""
    if source.kind in SPINE and end.box.left - start.box.right > NEAR:
        x, enter = start.box.x + ENTRY, end.box.left + ENTRY
        corners = [(x, start.under), (enter, start.under)]
        return f"{ENTRY:g} 50%", _on(end, enter, "50%"), corners
    if end.bar or start.bar or source.kind in SPINE:
        return (RIGHT, LEFT, []) if start.box.x < end.box.x else (LEFT, RIGHT, [])
    if start.box.top - end.box.bottom > PASSES:
        return LEFT, LEFT, [(start.lane, start.box.y), (start.lane, end.box.y)]
    return UP, DOWN, []


def _upwards(source: PartKey, start: Place, end: Place) -> Route:
    if end.bar:
        return _into_bar(start, end)
    below = end.under - end.box.bottom > RAISED
    goal = (end.entry or end.lane) if below else end.box.x
    leave, corners = _leaving(source, start, end, goal)
    corners.append((goal, end.under))
    if not below:
        return leave, DOWN, corners
    return leave, RIGHT if goal > end.box.x else LEFT, [*corners, (goal, end.box.y)]


def _leaving(source: PartKey, start: Place, end: Place, goal: float) -> tuple[str, list[Point]]:
    """From the start to the corridor under the end's line."""
    x = start.box.x + (ENTRY if source.kind in SPINE else 0.0)
    if start.bar and end.line - start.line == 1:
        return _on(start, _within(start, goal), "-50%"), []
    if (start.bar or source.kind in SPINE) and end.base - start.line > 1:
        if start.bar:  # other columns lie between: pass them at the nearer end
            x = start.box.right - INSET if goal > start.box.right else start.box.left + INSET
        return _on(start, x, "-50%"), [(x, end.under)]
    if start.bar:
        return _on(start, _within(start, end.lane), "-50%"), [(end.lane, end.under)]
    corners = [(x, start.over)]
    if source.kind is K.BIAS:  # another may stand on it
        corners = [(start.lane, start.box.y), (start.lane, start.over)]
    if end.line - start.line > 1:
        corners += [(end.lane, start.over), (end.lane, end.under)]
    return LEFT if source.kind is K.BIAS else _on(start, x, "-50%"), corners


def _into_bar(start: Place, end: Place) -> Route:
    if start.bar:
        x = min(start.box.right, end.box.right) - INSET
        return _on(start, x, "-50%"), _on(end, x, "50%"), []
    if end.line - start.line == 1:
        x = _within(end, start.box.x)
        return UP, _on(end, x, "50%"), [] if x == start.box.x else [(x, start.over)]
    x = _within(end, start.lane)
    return UP, _on(end, x, "50%"), [(start.box.x, start.over), (x, start.over)]


def _within(place: Place, x: float) -> float:
    return min(max(x, place.box.left + INSET), place.box.right - INSET)


def _on(place: Place, x: float, side: str) -> str:
    """A point on the upper or lower side of a place."""
    return f"{x - place.box.x:.1f} {side}"


def _bend(start: Box, end: Box, corners: list[Point]) -> dict[str, list[float]]:
    dx, dy = end.x - start.x, end.y - start.y
    if not corners or math.hypot(dx, dy) < 1:
        return {}
    corners = [p for p, before in zip(corners, [None, *corners], strict=False) if p != before]
    points = [(start.x, start.y), *corners, (end.x, end.y)]
    doubled = [
        _towards(corner, beside)
        for before, corner, after in zip(points, corners, points[2:], strict=False)
        for beside in (before, after)
    ]
    return control([relative(start, dx, dy, point) for point in doubled])


def _towards(corner: Point, other: Point) -> Point:
    """A little from the corner to the other point, at most half the way."""
    away = math.hypot(other[0] - corner[0], other[1] - corner[1])
    share = min(ROUND / away, 0.5) if away else 0.0
    return (
        corner[0] + share * (other[0] - corner[0]),
        corner[1] + share * (other[1] - corner[1]),
    )
