"""From the page's form to a job, and from a job to what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.exceptions import PreventUpdate

from flowviz.checked import whole
from flowviz.contexts.request import MOST_HITS, ContextRequest
from flowviz.contexts.types import ContextsFound
from flowviz.models.kind import ModelKind
from flowviz.session import Session
from flowviz.ui.contexts.stores import STEP
from flowviz.ui.contexts.ways import ways
from flowviz.ui.server import current_session
from flowviz.views.contexts.packed import hits_packed


def shown_contexts(shown: object) -> tuple[ContextRequest, ContextsFound]:
    """What is on the page; nothing happens where nothing is."""
    if not isinstance(shown, Mapping) or not shown:
        raise PreventUpdate
    request = ContextRequest.from_mapping(shown)
    return request, current_session().answer(request)


def kind_of(session: Session, name: str) -> ModelKind | None:
    """What a model is; None where that is not known."""
    return next((each.kind for each in session.models() if each.name == name), None)


def packed(shown: object, limit: object) -> dict[str, Any]:
    """The hits that the browser lists."""
    request, found = shown_contexts(shown)
    gpt = kind_of(current_session(), request.model) in (None, ModelKind.GPT)
    count = whole("limit", limit, 1, MOST_HITS) or STEP
    return hits_packed(found, count, lambda hit: ways(found, hit, gpt))
