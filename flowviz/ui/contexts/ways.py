"""From a context to the other pages, and from those to the search of contexts."""

from __future__ import annotations

from flowviz.attention.request import AttentionRequest
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import ContextsFound, Hit
from flowviz.request import ExplainRequest, TargetSpec
from flowviz.ui.links import attention_link, contexts_link, flow_link
from flowviz.views.contexts.words import asked_site


def ways(found: ContextsFound, hit: Hit, gpt: bool) -> list[dict[str, str]]:
    """Where a hit leads: its words, its tip, its address."""
    at = f"at {hit.position}"
    made = [
        {"words": "Attention", "tip": f"Where the heads look {at}", "href": _attention(found, hit)},
    ]
    if gpt:
        made.append({"words": "Flow", "tip": f"What the model says {at}, as a flow",
                     "href": _flow(found, hit)})  # fmt: skip
    tip = "The contexts that are most similar to this one"
    made.append({"words": "Similar contexts", "tip": tip, "href": _contexts(found, hit)})
    return made


def _attention(found: ContextsFound, hit: Hit) -> str:
    request = AttentionRequest(hit.text, found.request.model)
    site = asked_site(found)
    layers = {layer for layer, _ in found.heads}
    layer = min(layers) if layers else max(0, min(site.layer, found.model.layers - 1))
    heads = [head for each, head in found.heads if each == layer]
    chosen = () if len(heads) in (0, found.model.heads) else tuple(heads)
    return attention_link(request, layer, chosen, hit.position)


def _flow(found: ContextsFound, hit: Hit) -> str:
    target = TargetSpec(position=hit.position)
    return flow_link(ExplainRequest(hit.text, found.request.model, target))


def _contexts(found: ContextsFound, hit: Hit) -> str:
    asked = found.request
    return contexts_link(
        ContextRequest(
            hit.text,
            asked.model,
            asked.corpus,
            hit.position,
            site=asked.site,
            chosen=asked.chosen,
            metric=asked.metric,
            count=asked.count,
            heads=asked.heads,
        )
    )
