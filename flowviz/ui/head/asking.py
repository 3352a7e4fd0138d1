"""From the page's form to a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.models.kind import ModelKind
from flowviz.session import Session
from flowviz.ui.head.question import submitted


def asked(
    form: Mapping[str, Any],
    visitor: str,
    session: Session,
    unless: Mapping[str, Any] | None,
    moved: bool = False,
) -> dict[str, Any] | None:
    """The job of what the form says; None where nothing is asked, or what `unless` asked.

    Args:
        moved: whether the token that looks was moved just now: a key behind it is let go.
    """
    question = form.get("asked")
    if not isinstance(question, Mapping):
        return None
    flat = {name: form.get(name) for name in ("layer", "head", "query", "key", "rank")}
    flat |= {name: form.get(name) for name in ("view", "over", "group")}
    flat |= {"prompt": question.get("prompt"), "model": question.get("model")}
    looks_back = is_gpt(session, question.get("model"))
    if moved and looks_back and _behind(flat["query"], flat["key"]):
        flat["key"] = None
    passed = form.get("passed")
    if isinstance(passed, Mapping):
        flat |= {name: passed.get(name) for name in ("second", "mask")}
    if has_parts(session, question.get("model")):
        flat["part"] = form.get("part")
    return submitted(flat, visitor, session, unless)


def is_gpt(session: Session, model: object) -> bool:
    """Whether a model has a flow and looks back only; so taken where that is not known yet."""
    kinds = [each.kind for each in session.models() if each.name == model]
    return all(kind in (None, ModelKind.GPT) for kind in kinds)


def _behind(query: object, key: object) -> bool:
    return isinstance(query, int) and isinstance(key, int) and key > query


def again(form: Mapping[str, Any], visitor: str, session: Session) -> dict[str, Any] | None:
    """An answer that had to make room, asked for once more."""
    shown = form.get("request")
    return submitted(shown if isinstance(shown, Mapping) else {}, visitor, session)


def has_parts(session: Session, model: object) -> bool:
    """Whether a model has more than one kind of attention."""
    return any(each.name == model and each.kind is ModelKind.BOTH for each in session.models())
