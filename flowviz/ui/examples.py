"""The examples: what each runs, and what is said while it is on the page."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from flowviz.request import ExplainRequest
from flowviz.session import ModelChoice
from flowviz.ui.server import Example

DEMO = "demo"


def example_requests(
    examples: Sequence[Example], models: Sequence[ModelChoice]
) -> list[dict[str, str | None]]:
    """What each example runs: on the demo model where it is offered, else on the default one.

    Target and contrast were chosen for the demo model; another says what it says.
    """
    names = [model.name for model in models]
    if DEMO in names:
        return [
            {"prompt": each.prompt, "model": DEMO, "target": each.target, "contrast": each.contrast}
            for each in examples
        ]
    return [
        {"prompt": each.prompt, "model": names[0], "target": None, "contrast": None}
        for each in examples
    ]


def look_for(request: ExplainRequest, examples: Sequence[Example]) -> list[Component | str]:
    """The sentence on what to look for, where the prompt is that of an example."""
    for example in examples:
        if example.prompt == request.prompt:
            return [html.Strong(example.title), " ", example.look_for]
    return []
