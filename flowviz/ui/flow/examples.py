"""What an example is about, said while it is on the page."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from flowviz.request import ExplainRequest
from flowviz.ui.server import Example


def look_for(request: ExplainRequest, examples: Sequence[Example]) -> list[Component | str]:
    """The sentence on what to look for, where the prompt is that of an example."""
    for example in examples:
        if example.prompt == request.prompt:
            return [html.Strong(example.title), " ", example.look_for]
    return []
