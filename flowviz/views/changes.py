"""What was changed in a pass: in words, and which nodes and edges of a graph it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.interventions.types import (
    Clamp,
    How,
    Instead,
    Intervention,
    Site,
    parse_interventions,
)
from flowviz.views.words import Picture, place, signed, target_name, token_at

HOW = {Instead.MEAN: "its mean", Instead.DONOR: "from the other prompt"}


def how_words(how: How) -> str:
    """What happens to a part: "off", "× 2.5", "its mean", "set to 4.5"."""
    if isinstance(how, Instead):
        return HOW[how]
    if isinstance(how, Clamp):
        return f"set to {how.activation:.4g}".replace("-", "−")
    return "off" if how == 0 else f"× {how:.4g}".replace("-", "−")


def site_words(site: Site, graph: Picture | None) -> str:
    """What is changed, such as "L3 H1 at ␣Mary (7)"; its text form where no graph is there."""
    if graph is None:
        return str(site)
    words = _at(site.key, graph, site.everywhere)
    if site.source is not None:
        words += f", what it reads from {token_at(graph, site.source)} ({site.source})"
    return words if site.reader is None else f"{words} → {_at(site.reader, graph)}"


def _at(key: NodeKey, graph: Picture, everywhere: bool = False) -> str:
    if key.kind is NodeKind.TARGET:
        return target_name(graph)
    name = "position embedding" if key.kind is NodeKind.POS_EMBED else place(key, graph.model)
    name += f" of {place(key.whole(), graph.model)}" if key.part_of else ""
    there = "every position" if everywhere else f"{token_at(graph, key.position)} ({key.position})"
    return f"{name} at {there}"


def intervention_words(one: Intervention, graph: Picture | None) -> str:
    """An intervention in a few words: "L3 H1 at ␣Mary (7): off", or "3 parts: off"."""
    return f"{parts_words(one, graph)}: {how_words(one.how)}"


def parts_words(one: Intervention, graph: Picture | None) -> str:
    """What an intervention concerns: "L3 H1 at ␣Mary (7)", or "3 parts"."""
    many = len(one.sites) > 1
    return f"{len(one.sites)} parts" if many else site_words(one.sites[0], graph)


def changed_words(key: NodeKey, changed: Changed, graph: FlowGraph) -> list[str]:
    """What interventions do to a node, a line each: "changed: off"."""
    return [_changed_line(site, how, graph) for site, how in changed.of(key)]


def _changed_line(site: Site, how: How, graph: FlowGraph) -> str:
    where = " at every position" if site.everywhere else ""
    if site.source is not None:
        where += f", what it reads from {token_at(graph, site.source)} ({site.source})"
    return f"changed{where}: {how_words(how)}"


def was_words(
    before: float | None, write: Callable[[float], str] = signed, now: float | None = None
) -> str:
    """What a number was without the interventions, to stand behind it.

    Nothing where there are none, or where it reads the same as what it is now.
    """
    if before is None or (now is not None and write(now) == write(before)):
        return ""
    return f" ← {write(before)}"


class Changed:
    """Which nodes and edges interventions name.

    Args:
        interventions: their text forms, as a graph holds them.
    """

    def __init__(self, interventions: tuple[str, ...]) -> None:
        self._made = parse_interventions(interventions)

    def __bool__(self) -> bool:
        return bool(self._made)

    @cached_property
    def _sites(self) -> tuple[tuple[Site, How], ...]:
        return tuple((site, one.how) for one in self._made for site in one.sites)

    def of(self, key: NodeKey) -> tuple[tuple[Site, How], ...]:
        """What is changed of a node itself, or of what it reads."""
        return tuple(self._matching(key, reader=None))

    def of_edge(self, source: NodeKey, target: NodeKey) -> How | None:
        """What happens to an edge: one that is named itself, or that a head reads along."""
        for _, how in self._matching(source, reader=target):
            return how
        for site, how in self.of(target):
            if site.source is not None and site.source == source.position:
                return how
        return None

    def _matching(self, key: NodeKey, reader: NodeKey | None) -> Iterator[tuple[Site, How]]:
        for site, how in self._sites:
            if site.reader == reader and _is(site, key):
                yield site, how


def _is(site: Site, key: NodeKey) -> bool:
    there = site.everywhere or site.key.position == key.position
    same = (site.key.kind, site.key.layer, site.key.index) == (key.kind, key.layer, key.index)
    return there and same and key.of is None and site.key.part_of is key.part_of
