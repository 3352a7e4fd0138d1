"""The prompt's tokens for their strip, and the predictions of the picture that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.graph.types import FlowGraph, Prediction
from flowviz.request import ExplainRequest
from flowviz.session import Session
from flowviz.views.words import visible


def token_strip(request: ExplainRequest, graph: FlowGraph) -> dict[str, Any]:
    """What a script makes the prompt's chips of: texts, ids, which are drawn, the target's."""
    return {
        "tokens": [visible(token.text) for token in graph.tokens],
        "ids": [token.id for token in graph.tokens],
        "target": graph.target.position,
        "drawn": sorted({node.key.position for node in graph.nodes}),
        "span": request.settings.positions,
    }


def shown_predictions(session: Session, shown: Mapping[str, str] | None) -> tuple[Prediction, ...]:
    """The predictions of the picture on the page; none where there is no picture."""
    if not shown:
        return ()
    return session.graph(ExplainRequest.from_mapping(shown)).predictions
