"""What becomes of changes when another prompt is run.

Changes belong to positions of a prompt. A prompt with as many tokens keeps them all; another one
keeps those at every position. What is not kept is put aside, and the page offers to bring it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flowviz.errors import FlowvizError
from flowviz.interventions.types import Intervention, Site, parse_interventions
from flowviz.session import Session
from flowviz.ui.interventions.made import Made, with_one, without

RULE = (
    "Another prompt with as many tokens keeps these changes; any other keeps those at every "
    "position, and the others are put aside."
)
Count = Callable[[str, str], int | None]  # of tokens, by model and prompt; None if not known


def carried(made: Made, prompt: str, model: str, count: Count) -> tuple[Made, Made | None]:
    """What is kept for a prompt, and what is put aside, if anything is."""
    there = replace(made, prompt=prompt, model=model)
    if not made.interventions or (made.prompt, made.model) == (prompt, model):
        return there, None
    if made.model == model and _same(count(model, made.prompt), count(model, prompt)):
        return there, None
    stay = tuple(filter(None, map(_everywhere, made.interventions)))
    kept = stay if made.model == model else ()
    gone = without(made.interventions, tuple(site for one in kept for site in one.sites))
    return replace(there, interventions=kept), replace(made, interventions=gone) if gone else None


def _same(first: int | None, second: int | None) -> bool:
    return first is not None and first == second


def _everywhere(one: Intervention) -> Intervention | None:
    sites = tuple(site for site in one.sites if _of_no_position(site))
    return replace(one, sites=sites) if sites else None


def _of_no_position(site: Site) -> bool:
    return site.everywhere and site.source is None


def brought_back(made: Made, aside: Made) -> Made:
    """The changes with those that had been put aside. Raises RequestError if they are too many."""
    all_of_them = made.interventions
    for one in aside.interventions:
        all_of_them = with_one(all_of_them, one)
    return replace(
        made,
        interventions=parse_interventions(all_of_them),
        donor=made.donor or aside.donor,
    )


def counter(session: Session) -> Count:
    """Counts tokens with the models that are in memory."""

    def count(model: str, prompt: str) -> int | None:
        try:
            found = session.count_tokens(model, prompt)
        except FlowvizError:
            return None
        return None if found is None else found.tokens

    return count
