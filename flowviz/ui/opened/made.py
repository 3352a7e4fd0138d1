"""What a page has open, and what a press of a button makes of it. All of it comes from a browser's
store, so that every text is read and checked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowviz.errors import RequestError
from flowviz.factors.use.places import OpenAt, parse_opened, write_opened

Count = Callable[[str, str], int | None]  # of tokens, by model and prompt; None if not known


@dataclass(frozen=True)
class OpenedMade:
    """What is opened, and in the pass of which prompt."""

    opened: tuple[OpenAt, ...] = ()
    prompt: str = ""
    model: str = ""

    @classmethod
    def read(cls, stored: object) -> OpenedMade:
        """Reads a store back. Raises RequestError for what opens no node."""
        stored = stored if isinstance(stored, dict) else {}
        opened = parse_opened(stored.get("opened"))
        return cls(opened, str(stored.get("prompt") or ""), str(stored.get("model") or ""))

    def stored(self) -> dict[str, str]:
        """As a page's store holds it; `opened` as a request reads it."""
        return {"opened": write_opened(self.opened), "prompt": self.prompt, "model": self.model}


def edited(made: OpenedMade, edit: Mapping[str, Any]) -> OpenedMade:
    """What is opened after a press of a button.

    Args:
        edit: `do` is "open", "close" or "clear"; `node` as in `resid_mid:3@7`.

    Raises:
        RequestError: it names no node, or there are too many.
    """
    if edit.get("do") == "clear":
        return replace(made, opened=())
    one = OpenAt.parse(str(edit.get("node")), str(edit.get("dictionary") or "") or "coding")
    others = tuple(
        each for each in made.opened if (each.site, each.position) != (one.site, one.position)
    )
    if edit.get("do") == "close":
        return replace(made, opened=others)
    if edit.get("do") == "open":
        return replace(made, opened=parse_opened((*others, one)))
    raise RequestError(f"{str(edit.get('do'))[:40]!r} is not done to nodes that are opened.")


def carried(made: OpenedMade, prompt: str, model: str, count: Count) -> OpenedMade:
    """What stays open for a prompt: all, where it has as many tokens for the same model; else
    none, since positions mean others."""
    there = replace(made, prompt=prompt, model=model)
    if (made.prompt, made.model) == (prompt, model) or not made.opened:
        return there
    first, second = count(model, made.prompt), count(model, prompt)
    same = made.model == model and first is not None and first == second
    return there if same else replace(there, opened=())
