"""The form's values as a request. Everything that comes from the browser is checked there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.inside.request import InsideRequest


def request_from_form(
    asked: Mapping[str, Any],
    target: Mapping[str, Any],
    place: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> InsideRequest:
    """One request from what stands in the page's controls.

    Args:
        asked: the prompt and model that were run.
        target: token, contrast and position of the target.
        place: `layers`, first and last, and `at`, the position.
        settings: under the names of `InsideSettings`.
    """
    question = {"prompt": asked.get("prompt"), "model": asked.get("model")}
    return InsideRequest.from_mapping({**question, **target, **place, **settings})
