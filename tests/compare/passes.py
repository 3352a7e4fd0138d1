"""Two passes through small random models, for the tests of their comparison."""

from __future__ import annotations

from functools import lru_cache

from flowviz.compare.build import compare
from flowviz.compare.request import CompareRequest
from flowviz.compare.types import Comparison
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.scored import Scored
from flowviz.request import ExplainRequest, GraphSettings
from flowviz.trace import record
from tests.models import random_model

ARCHITECTURES = ("gpt2", "llama", "gpt_neox", "gemma2", "opt_350m", "mixtral")
CLEAN = (5, 6, 7, 8, 9, 10, 11)
CHANGED = (5, 6, 17, 8, 9, 10, 12)
LONGER = (5, 6, 30, 31, 8, 9, 40, 10, 11)


@lru_cache(maxsize=64)
def scored(architecture: str, ids: tuple[int, ...], seed: int = 0) -> Scored:
    """The flow of one fixed target, at the last token."""
    model = random_model(architecture, seed)
    target = FlowTarget(len(ids) - 1, 7, 9)
    return Scored(flow_of(model, record(model, list(ids)), target))


def compared(first: Scored, second: Scored, settings: GraphSettings | None = None) -> Comparison:
    """The comparison of two flows; the prompts' texts play no part."""
    sides = (ExplainRequest(name, settings=settings or GraphSettings()) for name in "ab")
    return compare(first, second, CompareRequest(*sides))
