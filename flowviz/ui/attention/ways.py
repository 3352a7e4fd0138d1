"""From the pinned token and the chosen heads into one head, and into the flow."""

from __future__ import annotations

from urllib.parse import urlencode

import dash
from dash import dcc, html
from dash.development.base_component import Component

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import AttentionMaps
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.ui.contexts.similar import of_heads
from flowviz.ui.links import contexts_link, flow_link
from flowviz.views.attention.look import Pin, Side
from flowviz.views.attention.words import has_flow, head_name

HEAD = "/head"
MOST_LINKS = 12
TITLE = "Look inside a head"
HINT = "Click a token on the reading side, and look into its heads from here."
NEURONS_TIP = "Its query and keys, dimension by dimension"
WHY_TIP = "Why it looks there: the score, split by what wrote query and key"
CONTEXTS_TIP = "Where in a corpus the same is written"
FLOW_TIP = "What it writes, in the flow of the prediction"


def ways(
    request: AttentionRequest,
    maps: AttentionMaps,
    layer: int,
    heads: tuple[int, ...] | None,
    pin: Pin | None,
) -> list[Component]:
    """Ways from the pinned token and each chosen head to what is inside it."""
    if maps.model is None or request.average:  # a mean is of no pass that could be looked into
        return []
    side = maps.queries if pin is None or pin.side is Side.QUERY else maps.keys
    if pin is None or pin.position >= len(side):
        return [html.H3(TITLE), html.P(HINT, className="dim")]
    layer = min(layer, maps.layers - 1)
    chosen = range(maps.heads) if heads is None else [h for h in heads if h < maps.heads]
    rows = [_row(request, maps, layer, head, pin) for head in list(chosen)[:MOST_LINKS]]
    where = "from" if pin.side is Side.QUERY else "at"
    every = _every(request, maps, layer, tuple(chosen), pin)
    return [html.H3(f"{TITLE} {where} {pin.position}"), html.Ul(rows), *every]


def _every(
    request: AttentionRequest, maps: AttentionMaps, layer: int, chosen: tuple[int, ...], pin: Pin
) -> list[Component]:
    """From all chosen heads together to where they write the same."""
    if not _has_contexts(maps) or pin.side is not Side.QUERY or len(chosen) < 2:
        return []
    heads = () if len(chosen) == maps.heads else chosen
    href = contexts_link(of_heads(request, layer, heads, pin.position))
    words = f"Similar contexts of these {len(chosen)} heads"
    return [html.P(dcc.Link(words, href=href, title=CONTEXTS_TIP))]


def _has_contexts(maps: AttentionMaps) -> bool:
    """Whether what its heads write can be searched for: not yet of an encoder with a decoder."""
    return len(maps.parts) == 1


def _row(
    request: AttentionRequest, maps: AttentionMaps, layer: int, head: int, pin: Pin
) -> html.Li:
    name, reads = head_name(layer, head), pin.side is Side.QUERY
    place = {
        "prompt": request.prompt,
        "model": request.model,
        "layer": layer,
        "head": head,
        "query": pin.position if reads else None,
        "second": request.second,
        "mask": request.mask,
        "part": request.part,
    }
    neurons = NeuronRequest(**place)
    why = WhyRequest(**place, key=None if reads else pin.position)
    of = f" of {name} at {pin.position}"
    links = [
        _link("neurons", of, NEURONS_TIP, head_link(neurons, "neurons")),
        _link("why", of, WHY_TIP, head_link(why, "why")),
    ]
    if has_flow(maps) and reads:
        node = NodeKey(NodeKind.HEAD, layer, pin.position, head)
        links.append(_link("flow", of, FLOW_TIP, flow_link(request.explained(), node)))
    if _has_contexts(maps) and reads:
        asked = of_heads(request, layer, (head,), pin.position)
        links.append(_link("contexts", of, CONTEXTS_TIP, contexts_link(asked)))
    return html.Li([html.Span(name, className="head-name"), *links])


def _link(words: str, of: str, tip: str, href: str) -> dcc.Link:
    """A short link, whose name for who does not see it says of which head it is."""
    return dcc.Link([words, html.Span(of, className="unseen")], href=href, title=tip)


def head_link(request: NeuronRequest | WhyRequest, view: str) -> str:
    """The page of one head, with the view of its neurons or of what its score is made of."""
    query = urlencode(request.to_mapping() | {"view": view})
    return f"{dash.get_relative_path(HEAD)}?{query}"
