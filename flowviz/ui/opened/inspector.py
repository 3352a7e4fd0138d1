"""The inspector's section that opens a node into factors, or says what an opened one's hold."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from flowviz.contexts.kinds import WHOLE, Site, SiteKind
from flowviz.factors.request import FactorsRequest
from flowviz.factors.types import About
from flowviz.factors.use.places import SITES, OpenAt
from flowviz.graph.types import OPENABLE, FlowGraph, NodeKey, NodeKind, OpenedPlace
from flowviz.request import ExplainRequest
from flowviz.ui.dom import attributes
from flowviz.ui.links import factors_link
from flowviz.views.opened import loss_words, opened_words
from flowviz.views.words import opened_place, percent

ADDS = {NodeKind.HEAD: NodeKind.ATTN_OUT, NodeKind.NEURON: NodeKind.MLP_OUT}
WORDS = {
    NodeKind.HEAD: "Open all that this attention adds here into factors",
    NodeKind.NEURON: "Open all that this MLP adds here into factors",
}


def open_section(
    key: NodeKey, request: ExplainRequest, graph: FlowGraph, dictionaries: Sequence[About]
) -> Component | None:
    """What can be opened at a node, or how it is opened; None where there is nothing to open."""
    place = opened_place(key, graph)
    if place is not None:
        parts = _of_part(key, place, request) if key.part_of else _of_opened(place)
        return html.Section([html.H3("Factors"), *parts], className="opened")
    node = NodeKey(ADDS[key.kind], key.layer, key.position) if key.kind in ADDS else key
    if node.kind not in OPENABLE:
        return None
    known = [about for about in dictionaries if _site(node) in about.sites]
    place = opened_place(node, graph)
    if not known or place is not None:
        return None
    words = WORDS.get(key.kind, "Open into factors")
    return html.Section([html.H3("Factors"), *_offer(node, words, known)], className="opened")


def _site(node: NodeKey) -> Site:
    kind = SITES[node.kind]
    return Site(kind, WHOLE if kind is SiteKind.RESID_FINAL else node.layer)


def _offer(node: NodeKey, words: str, known: Sequence[About]) -> list[Component]:
    place = OpenAt.of(node, known[0].name)
    options = [html.Option(_about(about), value=about.name) for about in known]
    button = html.Button(
        words,
        className="small",
        type="button",
        title="It then flows on as the sum of its factors, an offset and an error",
        **attributes(data_open=f"{place.site}@{place.position}"),
    )
    box = html.Select(
        options, className="dictionary", **attributes(aria_label="By which dictionary")
    )
    return [html.Div([button, box], className="open-factors")]


def _about(about: About) -> str:
    known = "" if about.explained is None else f", {percent(about.explained)} explained"
    return f"{about.name}: {about.factors:,} factors{known}"


def _of_opened(place: OpenedPlace) -> list[Component]:
    """What an opened node's factors hold, and the way to close it."""
    text = f"{opened_words(place)}, by the dictionary {place.dictionary}. The rest is its error."
    losses = loss_words(place)
    return [html.P(text), *([html.P(losses)] if losses else []), _close(place)]


def _of_part(key: NodeKey, place: OpenedPlace, request: ExplainRequest) -> list[Component]:
    """The way from a factor to all that is known of it, and to close its node."""
    if key.kind is not NodeKind.FACTOR:
        return [
            html.P(f"{opened_words(place)}, by the dictionary {place.dictionary}."),
            _close(place),
        ]
    asked = FactorsRequest(request.model, "", place.dictionary, factor=key.index)
    link = dcc.Link(
        f"Factor {key.index} in the corpus",
        href=factors_link(asked),
        className="open-block",
        title="Its contexts, tokens, layers and neighbours",
    )
    return [link, _close(place)]


def _close(place: OpenedPlace) -> html.Button:
    one = OpenAt.of(place.key, place.dictionary)
    return html.Button(
        "Close the node",
        className="plain",
        type="button",
        **attributes(data_close=f"{one.site}@{one.position}"),
    )
