"""The box for a token to search for, and the prompt in which is opened what a search finds."""

from __future__ import annotations

from flowviz.errors import FlowvizError
from flowviz.session import Session
from flowviz.ui.tokens import token_options
from flowviz.views.analyses.links import Place
from flowviz.views.tokens import visible


def search_options(
    session: Session, model: str, typed: str, value: str | None
) -> list[dict[str, str]]:
    """What matches what was typed; where the model is not in memory, the text as it is.

    Its tokens are known only once it is loaded, which a search does.
    """
    found = token_options(session, model, typed, value, lambda: ())
    shown = {visible(value)} if value else set()
    if not typed or typed in shown or any(each["value"] != value for each in found):
        return found
    if any(choice.name == model and choice.held for choice in session.models()):
        return found
    texts = (f" {typed.strip()}", typed)
    return [*({"value": text, "label": visible(text)} for text in dict.fromkeys(texts)), *found]


def place_in(session: Session, model: str, prompt: object) -> Place | None:
    """The last token of a prompt; None where there is no prompt, or it cannot be counted."""
    if not isinstance(prompt, str) or not prompt:
        return None
    try:
        counted = session.count_tokens(model, prompt)
    except FlowvizError:
        return None
    return Place(prompt, counted.tokens - 1) if counted and counted.tokens else None
