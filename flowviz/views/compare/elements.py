"""A comparison as Cytoscape elements: the graph of differences, in the flow graph's own look.

Places, sizes and widths are those of `views/elements.py`: a line's width says how large the
difference is, its colour whether there is more of it in the second (blue) or less (orange). Words
are of both sides.
"""

from __future__ import annotations

from typing import Any

from flowviz.compare.types import Comparison
from flowviz.graph.layout import layout
from flowviz.graph.types import NodeKind
from flowviz.views.compare.labels import (
    edge_tip,
    embedding_label,
    heading_label,
    heading_tip,
    node_tip,
)
from flowviz.views.compare.words import explained
from flowviz.views.elements import Element, elements

Words = dict[str, dict[str, Any]]


def compared_elements(comparison: Comparison, *, show_rest: bool = True) -> list[Element]:
    """Bands, headings, nodes and edges; nothing where the two do not differ."""
    if comparison.same:
        return []
    words = _words(comparison)
    drawn = elements(comparison.graph, show_rest=show_rest)
    return [
        {**element, "data": {**element["data"], **words.get(element["data"]["id"], {})}}
        for element in drawn
    ]


def _words(comparison: Comparison) -> Words:
    """For each element's id, what its data say of both sides."""
    return {**_of_headings(comparison), **_of_nodes(comparison), **_of_edges(comparison)}


def _of_headings(comparison: Comparison) -> Words:
    return {
        f"heading:{heading.first}": {
            "label": heading_label(heading, comparison),
            "tip": heading_tip(heading, comparison),
        }
        for heading in layout(comparison.graph).headings
    }


def _of_nodes(comparison: Comparison) -> Words:
    changes = {change.key: change for change in comparison.changes}
    words: Words = {}
    for node in comparison.graph.nodes:
        said = {"tip": node_tip(node, changes.get(node.key), comparison)}
        if node.key.kind is NodeKind.EMBED:
            label = embedding_label(node, comparison)
            said |= {"label": label, "text": label}
        if node.key.kind is NodeKind.TARGET and not comparison.same_number:
            label = explained(comparison).replace(" | ", "\n")
            said |= {"label": label, "text": label}
        words[str(node.key)] = said
    return words


def _of_edges(comparison: Comparison) -> Words:
    changed = {edge.id: edge for edge in comparison.edges}
    return {
        edge.id: {"tip": edge_tip(edge, changed.get(edge.id), comparison)}
        for edge in comparison.graph.edges
    }
