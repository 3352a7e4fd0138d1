"""Flows through small random models, for the tests of everything behind the trace."""

from __future__ import annotations

from functools import cache

from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.scored import Scored
from flowviz.trace import record
from tests.models import random_model

IDS = tuple(range(3, 20))
TARGET = FlowTarget(position=14, token=7, contrast=9)


@cache
def scored(architecture: str, target: FlowTarget = TARGET, seed: int = 0) -> Scored:
    """The flow of a target through a random model on a fixed prompt."""
    model = random_model(architecture, seed)
    return Scored(flow_of(model, record(model, list(IDS)), target))
