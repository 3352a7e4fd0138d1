"""What every page asks of a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowviz.checked import MAX_PROMPT_CHARACTERS
from flowviz.errors import RequestError


def check_model(query: Mapping[str, object], models: Sequence[str]) -> None:
    """Raises RequestError where the link names a model that is not offered."""
    name = query.get("model") or models[0]
    if name not in models:
        raise RequestError(
            f"No model {str(name)[:60]!r} is offered here. Choose one of: {', '.join(models)}."
        )


def kept_prompt(query: Mapping[str, object]) -> str:
    """The prompt of a link in which something is wrong, as far as a box can hold it."""
    prompt = query.get("prompt")
    kept = prompt if isinstance(prompt, str) and len(prompt) <= MAX_PROMPT_CHARACTERS else ""
    return kept.replace("\0", "")
