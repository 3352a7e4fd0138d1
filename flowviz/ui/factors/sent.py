"""What was found, as the browser gets it."""

from __future__ import annotations

from typing import Any

from flowviz.factors.look.types import FactorsFound
from flowviz.factors.request import PAGE
from flowviz.models.kind import ModelKind
from flowviz.ui.contexts.asking import kind_of
from flowviz.ui.server import current_session
from flowviz.views.factors.packed_list import list_packed
from flowviz.views.factors.packed_prompt import prompt_packed, split_packed
from flowviz.views.factors.packed_told import told_packed


def sent(found: FactorsFound) -> dict[str, Any]:
    """All parts; None for those that are not there."""
    about = found.listed.about if found.listed else None
    notes = about.notes if about else ()
    gpt = kind_of(current_session(), found.request.model) in (None, ModelKind.GPT)
    opens = about.name if about and gpt else None
    return {
        "listed": list_packed(found.listed, PAGE) if found.listed else None,
        "told": told_packed(found.told) if found.told else None,
        "prompt": prompt_packed(found.prompt, notes, opens) if found.prompt else None,
        "split": split_packed(found.attributed) if found.attributed else None,
    }
