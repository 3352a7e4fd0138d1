"""The form and the request that it stands for, in both directions.

What the second side has of its own stands in its own boxes; where those are empty it is as the
first. Everything that comes from the browser is checked in `CompareRequest.from_mapping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flowviz.compare.request import PREFIX, CompareRequest
from flowviz.interventions.types import write_interventions
from flowviz.request import ExplainRequest, GraphSettings, write

CONTROLS = ("wiring", "score", "coverage", "budget", "edge_coverage", "kinds")
ASKED = (
    "prompt", "b_prompt", "model", "b_model", "interventions", "b_interventions", "donor",
    "b_donor",
)  # fmt: skip
OF_ITS_OWN = ("interventions", "donor", "position")  # the second never takes the first's
Form = dict[str, Any]


def request_from_form(
    asked: Mapping[str, Any],
    target: Mapping[str, Any],
    settings: Mapping[str, Any],
    kept: Mapping[str, Any] | None,
) -> CompareRequest:
    """One request from what stands in the page's controls.

    Args:
        asked: of both sides what was run, under the names of a link.
        target: `token`, `contrast`, `own` (whether the second has a target of its own), `b_token`,
            `b_contrast`, and `position`, of both sides or None.
        settings: under the names of `GraphSettings`, for which there are controls.
        kept: those for which there are none.
    """
    own = bool(target.get("own"))
    flat = {name: asked.get(name) for name in ASKED}
    flat |= {name: target.get(name) for name in ("token", "contrast")}
    flat |= {name: target.get(name) for name in ("b_token", "b_contrast") if own}
    flat["position"], flat["b_position"] = _pair(target.get("position"))
    given = {name: value for name, value in flat.items() if not (value is None or value == "")}
    for name in (*OF_ITS_OWN, *(("contrast",) if own else ())):
        if name in given:
            given.setdefault(PREFIX + name, "")  # the first has one, the second has none
    kinds = _kinds(settings.get("kinds"))
    return CompareRequest.from_mapping({**dict(kept or {}), **settings, "kinds": kinds, **given})


def _pair(positions: object) -> tuple[object, object]:
    if isinstance(positions, list) and len(positions) == 2:
        return positions[0], positions[1]
    return None, None


def _kinds(chosen: object) -> object:
    return (chosen or "none") if isinstance(chosen, list) else chosen


def form_of(request: CompareRequest) -> Form:
    """What stands in the boxes for a request, under the names of a link, and `own`."""
    first, second = request.first, request.second
    own = (first.target.token, first.target.contrast) != (
        second.target.token, second.target.contrast
    )  # fmt: skip
    pair = [first.target.position, second.target.position]
    return {
        "prompt": first.prompt,
        "b_prompt": second.prompt,
        "model": first.model,
        "b_model": None if second.model == first.model else second.model,
        "interventions": write_interventions(first.interventions),
        "b_interventions": write_interventions(second.interventions),
        "donor": first.donor or "",
        "b_donor": second.donor or "",
        "token": first.target.token,
        "contrast": first.target.contrast,
        "own": own,
        "b_token": second.target.token if own else None,
        "b_contrast": second.target.contrast if own else None,
        "position": None if pair == [None, None] else pair,
    }


def alone(first: ExplainRequest) -> Form:
    """The boxes with the first side filled in, and the second yet to be said."""
    return {**form_of(CompareRequest(first, first)), "b_prompt": "", "b_interventions": ""}


def asked_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a form that is run by Run; the rest answers at once."""
    return {name: form[name] for name in ASKED}


def kept_settings(settings: GraphSettings) -> dict[str, str]:
    """The settings that have no control on this page and are not at their defaults, as text."""
    default = GraphSettings()
    return {
        item.name: write(getattr(settings, item.name))
        for item in fields(settings)
        if item.name not in CONTROLS and getattr(settings, item.name) != getattr(default, item.name)
    }
