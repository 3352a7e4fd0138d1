"""Tokens as a request names them, and what the boxes for target and contrast offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowviz.errors import FlowvizError
from flowviz.graph.types import Prediction
from flowviz.session import Session
from flowviz.views.words import percent, visible

LIMIT = 30


def token_value(text: str, token_id: int) -> str:
    """How a request names a token: its text, or its id where the text may not be its own."""
    plain = text and "�" not in text and not text.startswith("#") and "\0" not in text
    return text if plain else f"#{token_id}"


def token_options(
    session: Session,
    model: str,
    typed: str,
    value: str | None,
    predictions: Callable[[], Sequence[Prediction]],
) -> list[dict[str, str]]:
    """The token that is chosen, then what matches; before anything is typed, the predictions."""
    chosen = {value: visible(value)} if value else {}
    if typed and typed != chosen.get(value or ""):
        found = {each.value: visible(each.text) for each in _matches(session, model, typed)}
    else:
        found = {
            token_value(each.token, each.id): f"{visible(each.token)}  {percent(each.probability)}"
            for each in predictions()
        }
    return [{"value": value, "label": label} for value, label in {**found, **chosen}.items()]


def _matches(session: Session, model: str, typed: str):
    try:
        return session.find_tokens(model, typed, LIMIT)
    except FlowvizError:
        return ()
