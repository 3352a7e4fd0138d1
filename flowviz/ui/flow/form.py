"""The form's values as a request. Everything that comes from the browser is checked there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.request import ExplainRequest

SPANS = ("layers", "positions")


def request_from_form(
    asked: Mapping[str, Any],
    target: Mapping[str, Any],
    settings: Mapping[str, Any],
    ends: Mapping[str, Any],
    made: object = None,
    opened: object = None,
) -> ExplainRequest:
    """One request from what stands in the page's controls.

    Args:
        asked: the prompt and model that were run.
        target: token, contrast and position.
        settings: the graph's settings, under the names of `GraphSettings`.
        ends: the last layer and the last position that the range sliders can show.
        made: what is changed in the pass.
        opened: which nodes are opened into factors.
    """
    flat = {"prompt": asked.get("prompt"), "model": asked.get("model"), **target, **settings}
    changes = made if isinstance(made, dict) else {}
    flat |= {name: changes.get(name) for name in ("interventions", "donor")}
    flat["opened"] = opened.get("opened") if isinstance(opened, dict) else None
    flat["kinds"] = _kinds(settings.get("kinds"))
    for name in SPANS:
        if _whole_range(flat.get(name), ends.get(name)):
            flat[name] = None
    return ExplainRequest.from_mapping(flat)


def _kinds(chosen: object) -> object:
    if isinstance(chosen, list):
        return chosen if chosen else "none"
    return chosen


def _whole_range(span: object, end: object) -> bool:
    return isinstance(span, list) and len(span) == 2 and span[0] == 0 and span[1] == end
