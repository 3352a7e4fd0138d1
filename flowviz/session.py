"""One server's state: models held once, bounded caches, and jobs with progress and cancel.

Pages ask a `Session`; it never hands out anything of one visitor to another, and it takes model
names only from its catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowviz.graph.inspection import Inspection
from flowviz.graph.types import FlowGraph, NodeKey, PromptToken
from flowviz.request import ExplainRequest


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Job:
    """One piece of work that a visitor asked for.

    Args:
        stage: what is being done now, in words ("Loading the model").
        fraction: how much of it is done, 0 to 1.
        error: what went wrong and the way out, where the state is FAILED.
    """

    id: str
    state: JobState
    stage: str
    fraction: float
    error: str | None = None


@dataclass(frozen=True)
class ModelChoice:
    """A model that visitors may choose."""

    name: str
    title: str
    description: str
    context: int | None


@dataclass(frozen=True)
class TokenChoice:
    """A token of the vocabulary, for the target's picker. `value` is what a request takes."""

    value: str
    text: str
    id: int


class Session:
    """What pages may ask for. Every method is safe to call from many threads."""

    def models(self) -> tuple[ModelChoice, ...]:
        """The models that visitors may choose, the default first."""
        raise NotImplementedError

    def submit(self, request: ExplainRequest, visitor: str) -> Job:
        """Starts work on a request; returns at once, DONE where the result is cached.

        What takes milliseconds (a trace that is cached, only pruned again) is done before it
        returns. A visitor has one job at a time: a new one cancels the last.
        """
        raise NotImplementedError

    def job(self, job_id: str, visitor: str) -> Job:
        """How that job stands. Raises RequestError where the visitor has no such job."""
        raise NotImplementedError

    def cancel(self, job_id: str, visitor: str) -> Job:
        """Stops that job as soon as it can be stopped."""
        raise NotImplementedError

    def graph(self, request: ExplainRequest) -> FlowGraph:
        """The finished graph, from the cache, or computed now where it was evicted."""
        raise NotImplementedError

    def inspect(self, request: ExplainRequest, key: NodeKey) -> Inspection:
        """A closer look at one node, drawn or not."""
        raise NotImplementedError

    def tokenize(self, model: str, prompt: str) -> tuple[PromptToken, ...]:
        """The prompt's tokens; empty while the model is not loaded yet."""
        raise NotImplementedError

    def find_tokens(self, model: str, text: str, limit: int = 50) -> tuple[TokenChoice, ...]:
        """Tokens of the vocabulary that match what was typed, the best match first."""
        raise NotImplementedError
