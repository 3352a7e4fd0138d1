"""The inspector's section that changes the node, and edges that it may cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from flowviz.graph.inspection import AttentionCell
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind
from flowviz.interventions.types import CHANGEABLE, READERS, How, Site
from flowviz.ui.dom import attributes
from flowviz.ui.interventions.pieces import acts, done_words, undo
from flowviz.views.changes import Changed
from flowviz.views.words import (
    bias_name,
    opened_place,
    percent,
    put_in,
    short_label,
    token_at,
)

EVERYWHERE = frozenset(
    {NodeKind.HEAD, NodeKind.NEURON, NodeKind.BIAS, NodeKind.FACTOR, NodeKind.ERROR}
)
SOURCES = frozenset(
    {NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.HEAD, NodeKind.NEURON, NodeKind.BIAS}
)
FIXED = frozenset({"ln1", "ln2", "ln_final", "b_U"})  # see `flowviz/interventions/places.py`
MOST_SOURCES = 60
Cells = Sequence[AttentionCell]


def changeable(key: NodeKey) -> bool:
    """Whether a node of its kind can be changed."""
    if key.kind is NodeKind.BIAS:
        return not put_in(key) and bias_name(key) not in FIXED
    return key.kind in CHANGEABLE


def cuttable(source: NodeKey, reader: NodeKey) -> bool:
    """Whether an edge goes from one component to one that reads it, so that it can be cut."""
    return source.kind in SOURCES and changeable(source) and reader.kind in READERS


def change_section(
    key: NodeKey, graph: FlowGraph, cells: Cells | None = None, via: str | None = None
) -> Component | None:
    """What can be done to a node, what is done now, and how to undo it.

    Args:
        cells: of a head, what it attends to.
        via: the node from which one came to this one, along an edge that may be cut.
    """
    if put_in(key):
        return html.P("It is there because of a change; undo that, and it is gone.")
    if not changeable(key):
        edge = _edge(key, graph, via)
        return html.Section([html.H3("Change this"), edge], className="change") if edge else None
    found = Changed(graph.interventions).of(key)
    how = found[0][1] if found else None
    values = key.kind is not NodeKind.BIAS
    return html.Section(
        [
            html.H3("Change this"),
            *(_now(site, done, graph) for site, done in found),
            _scope(key, graph, cells or (), [site for site, _ in found]),
            *acts(how, graph.donor, values=values, **_clamped(key, graph)),
            _edge(key, graph, via),
            None if key.part_of else _pick(key),
        ],
        className="change",
        **attributes(data_sites=_here(key, graph)),
    )


def _clamped(key: NodeKey, graph: FlowGraph) -> dict[str, Any]:
    """Whether it is a factor, and how active it is."""
    node = graph.node(key)
    active = None if node is None else node.activation
    return {"clamps": key.kind is NodeKind.FACTOR, "active": active}


def _here(key: NodeKey, graph: FlowGraph) -> Site:
    """A node as an intervention names it: a factor with its dictionary."""
    place = opened_place(key, graph) if key.part_of else None
    return Site(key, dictionary=place.dictionary if place else None)


def _now(site: Site, how: How, graph: FlowGraph) -> html.P:
    words = f"{_where(site, graph)}: {done_words(how)} ".capitalize()
    return html.P(
        [html.Strong(words), undo()], className="change-now", **attributes(data_sites=site)
    )


def _where(site: Site, graph: FlowGraph) -> str:
    where = "at every position" if site.everywhere else "at this position"
    if site.source is None:
        return where
    return f"what it reads from {token_at(graph, site.source)} ({site.source}), {where}"


def _scope(key: NodeKey, graph: FlowGraph, cells: Cells, active: list[Site]) -> html.Select | None:
    """At which positions; of a head also one position that it reads."""
    if key.kind not in EVERYWHERE:
        return None
    own = _here(key, graph)
    chosen = active[0] if active else own
    here = [(own, f"At this position ({key.position})")]
    here.append((replace(own, key=_anywhere(key), everywhere=True), "At every position"))
    options: list[Component] = [_option(site, words, chosen) for site, words in here]
    reads = [
        _option(Site(key, source=cell.position), _cell_words(cell, graph), chosen)
        for cell in _strongest(cells)
    ]
    if reads:
        options.append(html.Optgroup(reads, label="Only what it reads from … (attention)"))
    return html.Select(options, className="scope", **attributes(aria_label="Where"))


def _anywhere(key: NodeKey) -> NodeKey:
    return replace(key, position=0)


def _option(site: Site, words: str, chosen: Site) -> html.Option:
    return html.Option(words, value=str(site), selected=site == chosen)


def _strongest(cells: Cells) -> list[AttentionCell]:
    """The cells with the most attention, in the order of the prompt."""
    most = sorted(cells, key=lambda cell: -cell.weight)[:MOST_SOURCES]
    return sorted(most, key=lambda cell: cell.position)


def _cell_words(cell: AttentionCell, graph: FlowGraph) -> str:
    return f"{cell.position} {token_at(graph, cell.position)} ({percent(cell.weight)})"


def _edge(key: NodeKey, graph: FlowGraph, via: str | None) -> html.P | None:
    """The edge along which one came, where it can be cut."""
    if not via:
        return None
    other = NodeKey.parse(via)
    for source, reader in ((other, key), (key, other)):
        if cuttable(source, reader) and _joined(source, reader, graph):
            return _cut(source, reader, graph)
    return None


def _joined(source: NodeKey, reader: NodeKey, graph: FlowGraph) -> bool:
    return any(edge.source == source and edge.target == reader for edge in graph.edges)


def _cut(source: NodeKey, reader: NodeKey, graph: FlowGraph) -> html.P:
    site = Site(source, reader=reader)
    names = f"{short_label(source, graph)} → {short_label(reader, graph)}"
    how = Changed(graph.interventions).of_edge(source, reader)
    cut = html.Button(
        "Cut this edge",
        className="small",
        type="button",
        title="The one does not see the other any more, all others do (path patching)",
        **attributes(data_how=0),
    )
    return html.P(
        [f"{names} ", undo("Undo the cut") if how is not None else cut],
        className="change-edge",
        **attributes(data_sites=site),
    )


def _pick(key: NodeKey) -> html.Button:
    return html.Button(
        "Pick it, to change several together",
        className="plain",
        type="button",
        title="Shift+click on nodes of the graph picks them, too",
        **attributes(data_part=key),
    )
