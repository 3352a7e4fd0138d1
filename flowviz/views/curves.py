"""How an edge bends: up out of its source, across, and up into its target.

Cytoscape wants control points as a weight along the straight line between the nodes' centres and
a distance off it. Two of them, one above the source and one below the target, make an S whose
ends stand upright and whose middle slants, so that edges from many places into one head can be
told apart. Between neighbouring rows the S stays in the gap between them. Where an edge would run
straight through the nodes between its ends, one control point bows it out to the left.
"""

from __future__ import annotations

import math

from flowviz.graph.layout import ROW_GAP, SIZES, Box
from flowviz.graph.types import NodeKind

STRAIGHT = 3.0  # a smaller sideways step needs no S
UPRIGHT = 60.0  # how far the ends of a long edge stand upright
UPRIGHT_SHARE = 0.32  # of a short one, as a share of the gap that it crosses
LONG = 2 * (SIZES[NodeKind.HEAD][1] + ROW_GAP)  # from here on a row lies between the ends
BOW = 0.16  # how far a bow reaches out, as a share of its length

Point = tuple[float, float]


def curve(source: Box, target: Box, *, bow: bool = False) -> dict[str, list[float]]:
    """`cw` and `cd`, the control points' weights and distances; nothing for a straight edge.

    With `bow`, long upright edges go around what stands between their ends.
    """
    dx, dy = target.x - source.x, target.y - source.y
    if bow and abs(dx) < SIZES[NodeKind.BIAS][0] and abs(dy) >= LONG:
        return control([(0.5, BOW * dy)])
    if abs(dx) < STRAIGHT or abs(dy) < STRAIGHT:
        return {}
    upright = min(UPRIGHT_SHARE * (source.top - target.bottom), UPRIGHT) if dy < 0 else UPRIGHT
    ends = ((source.x, source.top - upright), (target.x, target.bottom + upright))
    return control([relative(source, dx, dy, end) for end in ends])


def relative(source: Box, dx: float, dy: float, point: Point) -> Point:
    """A point as Cytoscape wants it: its weight along the way (dx, dy), its distance off it."""
    length = math.hypot(dx, dy)
    px, py = point[0] - source.x, point[1] - source.y
    return (px * dx + py * dy) / length**2, (py * dx - px * dy) / length


def control(points: list[Point]) -> dict[str, list[float]]:
    """Control points as the data of an edge."""
    return {
        "cw": [round(weight, 4) for weight, _ in points],
        "cd": [round(distance, 2) for _, distance in points],
    }
