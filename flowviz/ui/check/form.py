"""From what is chosen and drawn to a check's job, unless it is too much to run by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.causal.request import CheckRequest
from flowviz.errors import FlowvizError, NotKept
from flowviz.graph.types import FlowGraph
from flowviz.session import JobState, Session
from flowviz.ui.jobs import MAX_NAME, failed, submitted

SUFFIX = ":check"  # makes it a job of its own: it never cancels the graph's
PASSES = 220  # the model, random graphs, curves and components one by one, on most prompts
MOST_BY_ITSELF = 5e11  # operations: 2e11 took ten seconds on two busy cores


def owner(visitor: str) -> str:
    """Whose job a visitor's check is."""
    return visitor[: MAX_NAME - len(SUFFIX)] + SUFFIX


def checked(asked: Mapping[str, Any], visitor: str, session: Session) -> dict[str, Any]:
    """The job of a check.

    What is wrong with it reads as a failed job; a check that must wait, as a cancelled one.
    """
    try:
        request = request_from(asked)
        waits = _waits(request, session) if asked.get("itself") else None
    except NotKept:
        raise
    except FlowvizError as error:
        return failed(str(error))
    if waits:
        return {**failed(waits), "state": str(JobState.CANCELLED)}
    return submitted(lambda: request, owner(visitor), session) or failed("")


def request_from(asked: Mapping[str, Any]) -> CheckRequest:
    """The check of a drawn graph with what is chosen. Raises RequestError."""
    explained = asked.get("explained")
    explained = explained if isinstance(explained, dict) else {}
    chosen = {name: asked.get(name) for name in ("against", "other", "smallest")}
    return CheckRequest.from_mapping({**explained, **chosen})


def _waits(request: CheckRequest, session: Session) -> str | None:
    """Why a check waits until somebody asks for it; None where it need not."""
    try:
        session.answer(request)
    except NotKept:
        graph = session.graph(request.explained)
        if operations(graph) > MOST_BY_ITSELF:
            tokens = graph.target.position + 1
            return (
                f"It takes about {PASSES} passes of {tokens:,} tokens, so it waits for your click."
            )
    return None


def operations(graph: FlowGraph) -> float:
    """About how many a check takes: two for each weight of the blocks, token and pass."""
    shape = graph.model
    weights = shape.layers * (4 * shape.d_model**2 + 2 * shape.d_model * shape.neurons)
    return 2.0 * weights * (graph.target.position + 1) * PASSES
