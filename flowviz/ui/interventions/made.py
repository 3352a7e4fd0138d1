"""The changes that a page asks for, and what a press of a button makes of them.

Everything here comes from a browser's store, so that every text is read and checked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowviz.checked import check_prompt
from flowviz.errors import RequestError
from flowviz.interventions.types import (
    Instead,
    Intervention,
    Site,
    parse_interventions,
    write_interventions,
)

NO_DONOR = "Type the other prompt, whose values are to take the place of these."


@dataclass(frozen=True)
class Made:
    """What is changed, and in the pass of which prompt.

    Args:
        donor: the other prompt; it stays while nothing takes values from it, to be offered again.
        prompt, model: those that the changes were made on.
    """

    interventions: tuple[Intervention, ...] = ()
    donor: str | None = None
    prompt: str = ""
    model: str = ""

    @classmethod
    def read(cls, stored: object) -> Made:
        """Reads a store back. Raises RequestError for what is no intervention."""
        stored = stored if isinstance(stored, dict) else {}
        donor = stored.get("donor") or None
        return cls(
            parse_interventions(stored.get("interventions")),
            None if donor is None else check_prompt(donor),
            str(stored.get("prompt") or ""),
            str(stored.get("model") or ""),
        )

    def stored(self) -> dict[str, str | None]:
        """As a page's store holds it; `interventions` and `donor` as a request reads them."""
        return {
            "interventions": write_interventions(self.interventions),
            "donor": self.donor,
            "prompt": self.prompt,
            "model": self.model,
        }


def edited(made: Made, edit: Mapping[str, Any]) -> Made:
    """The changes after a press of a button.

    Args:
        made: the changes before it.
        edit: `do` is "set", "undo", "clear" or "donor"; `sites` and `how` in the text form of an
            intervention; `donor` the other prompt.

    Raises:
        RequestError: it names no part of a pass, or there are too many.
    """
    match edit.get("do"):
        case "set":
            return _set(made, str(edit.get("sites")), str(edit.get("how")), edit.get("donor"))
        case "undo":
            return replace(made, interventions=without(made.interventions, _sites(edit)))
        case "clear":
            return replace(made, interventions=())
        case "donor":
            return replace(made, donor=_donor(edit.get("donor")))
    raise RequestError(f"{str(edit.get('do'))[:40]!r} is not done to changes.")


def _set(made: Made, sites: str, how: str, donor: object) -> Made:
    one = Intervention.parse(f"{sites}={how}")
    if one.how is Instead.DONOR:
        made = replace(made, donor=_donor(donor or made.donor))
    if one.how == 1.0:  # as it is
        return replace(made, interventions=without(made.interventions, one.sites))
    return replace(made, interventions=with_one(made.interventions, one))


def _sites(edit: Mapping[str, Any]) -> tuple[Site, ...]:
    return tuple(Site.parse(text) for text in str(edit.get("sites")).split(","))


def _donor(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise RequestError(NO_DONOR)
    return check_prompt(text)


def with_one(
    interventions: tuple[Intervention, ...], one: Intervention
) -> tuple[Intervention, ...]:
    """One more intervention, which takes its parts out of the others; the same parts keep their
    place in the list. Raises RequestError where there are too many."""
    sites = [each.sites for each in interventions]
    if one.sites in sites:
        place = sites.index(one.sites)
        return (*interventions[:place], one, *interventions[place + 1 :])
    return parse_interventions((*without(interventions, one.sites), one))


def without(
    interventions: tuple[Intervention, ...], sites: tuple[Site, ...]
) -> tuple[Intervention, ...]:
    """What is left when nothing happens to these parts any more."""
    gone = frozenset(sites)
    left = [
        replace(one, sites=tuple(site for site in one.sites if site not in gone))
        for one in interventions
    ]
    return tuple(one for one in left if one.sites)
