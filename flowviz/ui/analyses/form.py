"""The form's values as a request. Everything that comes from the browser is checked there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.checked import choice
from flowviz.errors import RequestError
from flowviz.ui.analyses.opening import SET

# the numbers that an analysis has; the others stay out of its request, so that one result is one
NUMBERS = {
    Analysis.OVERLAP: ("k",),
    Analysis.TARGET: (),
    Analysis.NORMS: ("k",),
    Analysis.NEURONS: ("n", "threshold"),
    Analysis.SEARCH: (),
}


def request_from_form(form: Mapping[str, Any]) -> AnalysisRequest:
    """One request from what stands in the page's form. Raises RequestError.

    Args:
        form: `analysis`, `model`, `source`, `set`, `group`, `text`, `token`, `k`, `n` and
            `threshold`, of which only those count that the analysis has.
    """
    analysis = choice("analysis", form.get("analysis"), Analysis) or Analysis.OVERLAP
    flat = {"analysis": str(analysis), "model": form.get("model")}
    flat |= {name: form.get(name) for name in NUMBERS[analysis]}
    if analysis is Analysis.SEARCH:
        return AnalysisRequest.from_mapping({**flat, "token": form.get("token")})
    return AnalysisRequest.from_mapping({**flat, **prompts_of(form)})


def prompts_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """Where the prompts come from: a set that ships with its group, or the form's own text."""
    if form.get("source") == SET:
        if not form.get("set"):
            raise RequestError("No set of prompts is chosen. Choose one, or type your own.")
        return {"set": form.get("set"), "group": form.get("group")}
    return {"text": form.get("text")}
