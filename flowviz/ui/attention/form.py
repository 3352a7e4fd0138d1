"""The form's values as a request. Everything that comes from the browser is checked there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import Weighting
from flowviz.models.kind import ModelKind
from flowviz.session import ModelChoice
from flowviz.ui.attention.sets import chosen_set


def request_from_form(
    asked: Mapping[str, Any], target: Mapping[str, Any], ways: Mapping[str, Any], flows: bool
) -> AttentionRequest:
    """One request from what stands in the page's controls.

    Args:
        asked: the texts and the model that were run.
        target: token, contrast and position of the target; left aside where there is no flow.
        ways: the weighting, the mask, the part, and the set to average over.
        flows: whether the model may have a flow.
    """
    question = {name: asked.get(name) for name in ("prompt", "second", "model")}
    average = chosen_set(ways["over"]) if ways["mean"] else ""
    weighting = ways["weighting"]
    if weighting == Weighting.FLOW and (average or not flows):
        weighting = None
    about = target if flows else {}
    more = {"weighting": weighting, "average": average}
    return AttentionRequest.from_mapping({**question, **about, **ways, **more})


def may_flow(models: Sequence[ModelChoice], name: object) -> bool:
    """Whether a model may have a flow: it is a GPT, or not known yet."""
    kinds = {model.name: model.kind for model in models}
    return kinds.get(str(name)) in (None, ModelKind.GPT)
