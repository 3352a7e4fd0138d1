"""The line under the prompt: how many tokens it has, of how many that can be explained."""

from __future__ import annotations

from flowviz.checked import MAX_PROMPT_CHARACTERS
from flowviz.errors import FlowvizError
from flowviz.session import Session, TokenCount

LONG = 500  # characters from which on they are told where tokens cannot be


def count_words(session: Session, typed: object) -> tuple[str, bool]:
    """The words, and whether the prompt is too long; for what the browser says was typed.

    Args:
        session: who counts.
        typed: `prompt` and `model`, and `characters`, the prompt's length: the prompt itself is
            empty where that is more than is ever taken.
    """
    if not isinstance(typed, dict):
        return "", False
    characters = typed.get("characters")
    if not isinstance(characters, int) or characters > MAX_PROMPT_CHARACTERS:
        return _characters(characters), True
    try:
        count = session.count_tokens(str(typed.get("model")), str(typed.get("prompt") or ""))
    except FlowvizError:
        return "", False  # running it says what is wrong
    if count is None:
        return (_characters(characters) if characters > LONG else ""), False
    return _tokens(count), count.tokens > count.most


def _tokens(count: TokenCount) -> str:
    words = f"{count.tokens:,} of {count.most:,} tokens"
    over = count.tokens - count.most
    return words if over <= 0 else f"{words}: {over:,} too many"


def _characters(characters: object) -> str:
    number = f"{characters:,}" if isinstance(characters, int) else "Too many"
    return f"{number} of {MAX_PROMPT_CHARACTERS:,} characters"
