"""Measurements over a prompt, or over a set of prompts, behind the VISIT paper's figures.

    from flowviz import analyses
    model = flowviz.load_model("demo")
    prompts = analyses.shipped("phenomena")
    analyses.overlap(model, prompts, k=50).by_layer
    analyses.target_course(model, prompts).groups
    analyses.norm_filters(model, prompts).norms
    analyses.active_neurons(model, prompts, n=100, threshold=0.85).neurons
    analyses.search_token(model, " Tokyo").promoting_neurons

Prompts are texts, or `Prompt`s with the answer that should come next. docs/analyses.md says what
each measures and how to read it. Names are imported when they are first used, because torch takes
seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowviz.analyses.neurons import active_neurons
    from flowviz.analyses.norms import norm_filters
    from flowviz.analyses.overlaps import overlap
    from flowviz.analyses.prompts import read_prompts, shipped
    from flowviz.analyses.request import Analysis, AnalysisRequest
    from flowviz.analyses.run import analyse
    from flowviz.analyses.search import search_token
    from flowviz.analyses.tables import result_json
    from flowviz.analyses.target import target_course
    from flowviz.analyses.types import Prompt

__all__ = [
    "Analysis",
    "AnalysisRequest",
    "Prompt",
    "active_neurons",
    "analyse",
    "norm_filters",
    "overlap",
    "read_prompts",
    "result_json",
    "search_token",
    "shipped",
    "target_course",
]

_HOMES = {
    "Analysis": "request",
    "AnalysisRequest": "request",
    "Prompt": "types",
    "active_neurons": "neurons",
    "analyse": "run",
    "norm_filters": "norms",
    "overlap": "overlaps",
    "read_prompts": "prompts",
    "result_json": "tables",
    "search_token": "search",
    "shipped": "prompts",
    "target_course": "target",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
