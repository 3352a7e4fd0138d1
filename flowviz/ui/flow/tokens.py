"""What the boxes for target and contrast offer."""

from __future__ import annotations

from collections.abc import Mapping

from flowviz.errors import FlowvizError
from flowviz.request import ExplainRequest
from flowviz.session import Session
from flowviz.ui.flow.words import token_value
from flowviz.views.words import percent, visible

LIMIT = 30


def token_options(
    session: Session,
    model: str,
    typed: str,
    value: str | None,
    shown: Mapping[str, str] | None,
) -> list[dict[str, str]]:
    """The token that is chosen, then what matches; before anything is typed, the predictions."""
    chosen = {value: visible(value)} if value else {}
    if typed and typed != chosen.get(value or ""):
        found = {each.value: visible(each.text) for each in _matches(session, model, typed)}
    else:
        found = _predictions(session, shown)
    return [{"value": value, "label": label} for value, label in {**found, **chosen}.items()]


def _matches(session: Session, model: str, typed: str):
    try:
        return session.find_tokens(model, typed, LIMIT)
    except FlowvizError:
        return ()


def _predictions(session: Session, shown: Mapping[str, str] | None) -> dict[str, str]:
    if not shown:
        return {}
    graph = session.graph(ExplainRequest.from_mapping(shown))
    return {
        token_value(each.token, each.id): f"{visible(each.token)}  {percent(each.probability)}"
        for each in graph.predictions
    }
