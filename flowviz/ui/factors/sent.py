"""What was found, as the browser gets it."""

from __future__ import annotations

from typing import Any

from flowviz.contexts.kinds import WHOLE
from flowviz.factors.look.types import FactorsFound
from flowviz.factors.request import PAGE
from flowviz.factors.use.places import KINDS, OpenAt
from flowviz.graph.types import NodeKey, NodeKind
from flowviz.interventions.types import Clamp, Intervention, Site
from flowviz.models.kind import ModelKind
from flowviz.request import ExplainRequest
from flowviz.ui.contexts.asking import kind_of
from flowviz.ui.links import flow_link
from flowviz.ui.server import current_session
from flowviz.views.factors.packed_list import list_packed
from flowviz.views.factors.packed_prompt import prompt_packed, split_packed
from flowviz.views.factors.packed_told import told_packed
from flowviz.views.factors.words import number


def sent(found: FactorsFound) -> dict[str, Any]:
    """All parts; None for those that are not there."""
    about = found.listed.about if found.listed else None
    notes = about.notes if about else ()
    gpt = kind_of(current_session(), found.request.model) in (None, ModelKind.GPT)
    opens = about.name if about and gpt else None
    return {
        "listed": list_packed(found.listed, PAGE) if found.listed else None,
        "told": told_packed(found.told) | _switched_on(found, opens) if found.told else None,
        "prompt": prompt_packed(found.prompt, notes, opens) if found.prompt else None,
        "split": split_packed(found.attributed) if found.attributed else None,
    }


def _switched_on(found: FactorsFound, opens: str | None) -> dict[str, Any]:
    """The way to the flow of the prompt with the factor on at its last token, which is opened, as
    strong as it ever is in the corpus at that site."""
    told, prompt = found.told, found.prompt
    if told is None or opens is None or not told.top:
        return {}
    if prompt is None or told.site.kind not in KINDS or told.site.layer == WHOLE:
        return {}
    most = Clamp(float(f"{told.top[0].activation:.3g}"))
    last, kind = len(prompt.tokens) - 1, KINDS[told.site.kind]
    part = NodeKey(NodeKind.FACTOR, told.site.layer, last, told.factor, part_of=kind)
    request = ExplainRequest(
        found.request.prompt,
        found.request.model,
        interventions=(Intervention((Site(part, dictionary=opens),), most),),
        opened=(OpenAt(told.site, last, opens),),
    )
    return {"on": flow_link(request, part), "most": number(most.activation)}
