"""Which way edges take: up, round the corners, and never through a part that is not their end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flowviz.graph.layout import Box
from flowviz.inside.layout import Place, layout
from flowviz.inside.types import PartKind
from flowviz.views.inside.routes import HANGING, corners_of, route
from tests.inside_graphs import Shape, opened
from tests.views.test_inside_layout import SHAPES

Point = tuple[float, float]
CLEAR = 1.0  # how far a way may reach into a part: the width of its border


def at(place: Place, end: str) -> Point:
    """An end as Cytoscape reads it: two offsets from the middle, in pixels or per cent."""
    if end == "outside-to-node":
        return place.box.x, place.box.y
    (x, y), box = end.split(" "), place.box
    return box.x + offset(x, box.width), box.y + offset(y, box.height)


def offset(text: str, whole: float) -> float:
    return float(text[:-1]) / 100 * whole if text.endswith("%") else float(text)


def passes(start: Point, end: Point, box: Box) -> bool:
    """Whether a straight way touches the inside of a box; a slanted one is tried at many points."""
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    apart = left >= box.right - CLEAR or right <= box.left + CLEAR
    apart |= top >= box.bottom - CLEAR or bottom <= box.top + CLEAR
    if apart or right - left < CLEAR or bottom - top < CLEAR:
        return not apart
    steps = [n / 60 for n in range(61)]
    points = [
        (start[0] + s * (end[0] - start[0]), start[1] + s * (end[1] - start[1])) for s in steps
    ]
    return any(box.left < x < box.right and box.top < y < box.bottom for x, y in points)


@pytest.mark.parametrize("name", SHAPES)
def test_no_edge_runs_through_a_part(name: str) -> None:
    graph = opened(SHAPES[name])
    places = layout(graph).places
    for edge in graph.edges:
        start, end = places[edge.source], places[edge.target]
        se, te, corners = corners_of(edge.source, edge.target, start, end)
        way = [at(start, se), *corners, at(end, te)]
        others = [
            (key, place.box)
            for key, place in places.items()
            if key not in (edge.source, edge.target) and key.kind not in HANGING
        ]
        through = [
            str(key) for key, box in others if any(passes(a, b, box) for a, b in pairwise(way))
        ]
        assert through == [], edge.id


@pytest.mark.parametrize("name", SHAPES)
def test_every_edge_begins_and_ends_on_its_parts(name: str) -> None:
    graph = opened(SHAPES[name], (1, 2))
    places = layout(graph).places
    for edge in graph.edges:
        start, end = places[edge.source], places[edge.target]
        way = route(edge.source, edge.target, start, end)
        for place, text in ((start, way["se"]), (end, way["te"])):
            x, y = at(place, text)
            assert place.box.left <= x <= place.box.right
            assert place.box.top <= y <= place.box.bottom


def test_a_part_under_its_sum_goes_straight_up() -> None:
    graph = opened(Shape(rows=4))
    places = layout(graph).places
    rows = [edge for edge in graph.edges if edge.source.kind is PartKind.ROW]
    assert len(rows) == 4
    for edge in rows:
        way = route(edge.source, edge.target, places[edge.source], places[edge.target])
        assert set(way) == {"se", "te"}
        bar, part = places[edge.target].box, places[edge.source].box
        assert way["te"] == f"{part.x - bar.x:.1f} 50%"


def test_round_corners_are_two_points_each() -> None:
    graph = opened(SHAPES["at the default numbers"])
    places = layout(graph).places
    bent = 0
    for edge in graph.edges:
        start, end = places[edge.source], places[edge.target]
        way = route(edge.source, edge.target, start, end)
        corners = corners_of(edge.source, edge.target, start, end)[2]
        assert len(way.get("cw", [])) == len(way.get("cd", []))
        assert len(way.get("cw", [])) % 2 == 0
        assert bool(way.get("cw")) == bool(corners)
        bent += bool(corners)
    assert bent > 20
