"""The prompts of the form: how many there are, what is wrong with them, what a set holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from flowviz.analyses.prompts import (
    MOST_CHARACTERS,
    groups,
    prompts_from,
    shipped,
    shipped_sets,
    write_prompts,
)
from flowviz.analyses.types import Prompt
from flowviz.checked import plain
from flowviz.errors import FlowvizError, RequestError
from flowviz.ui.analyses.form import prompts_of
from flowviz.views.analyses.words import prompts as so_many
from flowviz.views.tokens import visible

MOST_LISTED = 300


def set_options() -> list[dict[str, str]]:
    """The sets that ship, with their sizes."""
    return [
        {"value": name, "label": f"{name} ({so_many(len(shipped(name)))})"}
        for name in shipped_sets()
    ]


def group_options(name: object) -> list[dict[str, str]]:
    """The groups of a set, with their sizes; none of a set that is not there."""
    if name not in shipped_sets():
        return []
    counts = [prompt.group for prompt in shipped(str(name))]
    return [
        {"value": group, "label": f"{group} ({counts.count(group)})"} for group in groups(str(name))
    ]


def count_words(typed: object) -> tuple[str, bool]:
    """How many prompts stand in the form, or what is wrong with them, and whether something is.

    Args:
        typed: `source`, `set`, `group`, `text`, and `characters`, the text's length: the text
            itself is empty where that is more than is ever taken.
    """
    if not isinstance(typed, dict):
        return "", False
    characters = typed.get("characters")
    if isinstance(characters, int) and characters > MOST_CHARACTERS:
        return f"{characters:,} of {MOST_CHARACTERS:,} characters: too many", True
    if typed.get("source") != "set" and not str(typed.get("text") or "").strip():
        return "", False
    try:
        found = _found(typed)
    except FlowvizError as error:
        return str(error), True
    return _counted(found), False


def _found(typed: dict[str, Any]) -> tuple[Prompt, ...]:
    named = prompts_of(typed)
    if any(not isinstance(named.get(part) or "", str) for part in ("set", "text", "group")):
        raise RequestError("The prompts are no text. Give one prompt a line.")
    return prompts_from(named.get("set") or "", named.get("text") or "", named.get("group") or "")


def _counted(found: Sequence[Prompt]) -> str:
    answered = sum(prompt.answer is not None for prompt in found)
    if answered == len(found):
        return f"{so_many(len(found))}, each with its answer"
    return (
        f"{so_many(len(found))}, {answered:,} with an answer" if answered else so_many(len(found))
    )


def chosen_text(name: object, group: object) -> str:
    """The prompts of a set or of one of its groups, as a text that can be edited."""
    return write_prompts(prompts_from(plain(name), "", plain(group) if group else ""))


def listed(name: object, group: object) -> list[Component]:
    """The prompts of a set or of one of its groups, to look at."""
    try:
        found = prompts_from(plain(name), "", plain(group) if group else "") if name else ()
    except FlowvizError:
        return []
    items = [_item(prompt) for prompt in found[:MOST_LISTED]]
    more = len(found) - MOST_LISTED
    return [html.Ol(items), *([html.P(f"and {more:,} more", className="dim")] if more > 0 else [])]


def _item(prompt: Prompt) -> html.Li:
    answer = [] if prompt.answer is None else [" ", html.Code(visible(prompt.answer))]
    return html.Li([html.Span(prompt.text), *answer], title=prompt.group or None)
