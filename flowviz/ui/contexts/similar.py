"""The way from what other pages show to the search of contexts like it."""

from __future__ import annotations

from dash import dcc

from flowviz.attention.request import AttentionRequest
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.request import ExplainRequest
from flowviz.ui.links import contexts_link

WORDS = "Similar contexts"
SITES = {
    NodeKind.EMBED: SiteKind.RESID_PRE,
    NodeKind.RESID_PRE: SiteKind.RESID_PRE,
    NodeKind.RESID_MID: SiteKind.RESID_MID,
    NodeKind.RESID_FINAL: SiteKind.RESID_FINAL,
    NodeKind.HEAD: SiteKind.HEADS,
    NodeKind.NEURON: SiteKind.NEURONS,
}
CHOSEN = (NodeKind.HEAD, NodeKind.NEURON)
TIPS = {
    SiteKind.HEADS: "Where in a corpus this head writes the same",
    SiteKind.NEURONS: "Where in a corpus this neuron is most active",
}
STATE_TIP = "Where else in a corpus the model is in this state"


def of_node(key: NodeKey, request: ExplainRequest) -> dcc.Link | None:
    """Contexts like a node of the flow; None where it is none that could be searched for.

    It is the pass without interventions that they are like.
    """
    kind = SITES.get(key.kind)
    if kind is None:
        return None
    site = Site(kind) if kind is SiteKind.RESID_FINAL else Site(kind, key.layer)
    chosen = (key.index,) if key.kind in CHOSEN else ()
    asked = ContextRequest(
        request.prompt, request.model, position=key.position, site=site, chosen=chosen
    )
    words = f"{WORDS}, without the changes" if request.interventions else WORDS
    tip = TIPS.get(kind, STATE_TIP)
    return dcc.Link(words, href=contexts_link(asked), className="open-block", title=tip)


def of_heads(
    request: AttentionRequest, layer: int, heads: tuple[int, ...], position: int
) -> ContextRequest:
    """The question where the same heads (none: all) of a block write the same as at a token."""
    return ContextRequest(
        request.prompt,
        request.model,
        position=position,
        second=request.second,
        mask=request.mask,
        site=Site(SiteKind.HEADS, layer),
        chosen=heads,
    )
