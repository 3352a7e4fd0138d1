"""How found contexts are looked at: choices of the page that need no new search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowviz.checked import choice, shown
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Role
from flowviz.errors import RequestError

FARTHEST = 4
OFFSETS = tuple(range(-FARTHEST, FARTHEST + 1))
NEAR = (-2, -1, 0, 1, 2)
PLAIN = "none"
COLOURED = tuple(each for each in ANNOTATIONS if each is not Feature.LEMMA)


@dataclass(frozen=True)
class Look:
    """All choices.

    Args:
        colour: the annotation whose values colour the words; None for none.
        offsets: which words have colours, counted in words from the matched one.
        role: the word whose summaries are open.
    """

    colour: Feature | None = Feature.UPOS
    offsets: tuple[int, ...] = NEAR
    role: Role = Role.MATCHED

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> Look:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        base = cls()
        return cls(
            colour=_colour(flat.get("colour"), base.colour),
            offsets=_offsets(flat.get("offsets")),
            role=choice("role", flat.get("role"), Role) or base.role,
        )


def _colour(value: object, default: Feature | None) -> Feature | None:
    if value is None or value == "":
        return default
    if value == PLAIN:
        return None
    found = next((each for each in COLOURED if each.value == value), None)
    if found is None:
        names = ", ".join((*(each.value for each in COLOURED), PLAIN))
        raise RequestError(f"colour is {shown(value)}; it takes one of {names}.")
    return found


def _offsets(value: object) -> tuple[int, ...]:
    if value is None or value == "":
        return NEAR
    if value == PLAIN:
        return ()
    known = {str(each): each for each in OFFSETS}
    parts = value.split(",") if isinstance(value, str) else []
    if not parts or any(part not in known for part in parts[: len(OFFSETS)]):
        raise RequestError(
            f"offsets is {shown(value)}; it takes numbers from −{FARTHEST} to {FARTHEST}, "
            f"as in -1,0,1, or {PLAIN}."
        )
    return tuple(sorted({known[part] for part in parts[: len(OFFSETS)]}))
