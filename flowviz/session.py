"""One server's state: models held once, bounded caches, and jobs with progress and cancel.

Pages ask a `Session`; it never hands out anything of one visitor to another, and it takes model
names only from its catalogue.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from cachetools import LRUCache

from flowviz.errors import RequestError
from flowviz.explanation import resolve_target
from flowviz.flow import flow_of
from flowviz.graph.build import Scored, build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.inspection import Inspection
from flowviz.graph.types import FlowGraph, NodeKey, PromptToken
from flowviz.jobs import Job, Jobs, JobState, Progress
from flowviz.models.catalogue import Catalogue
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import ExplainRequest, Score, check_prompt
from flowviz.trace import Trace, record, trace_bytes

__all__ = ["Job", "JobState", "ModelChoice", "Session", "TokenChoice"]

FLOW_TO_TRACE = 1.5  # a flow with its scores, as a multiple of its trace: measured, see README
GIGABYTE = 2**30


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
    """What pages may ask for. Every method is safe to call from many threads.

    Args:
        catalogue: the models that visitors may choose.
        models: how many models are held at once; the least recently used one goes first.
        cache_bytes: the memory that traces and flows may take; a prompt that would take more
            than all of it is refused.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        models: int = 2,
        cache_bytes: int = 2 * GIGABYTE,
        jobs: Jobs | None = None,
    ) -> None:
        self._catalogue = catalogue or Catalogue.from_environment()
        self._cache_bytes = cache_bytes
        self._jobs = jobs or Jobs()
        self._models: LRUCache[str, LoadedModel] = LRUCache(models)
        self._scored: LRUCache[ExplainRequest, Scored] = LRUCache(cache_bytes, _held_bytes)
        self._graphs: LRUCache[ExplainRequest, FlowGraph] = LRUCache(256)
        self._lock = threading.RLock()  # around the caches, for moments
        self._working = threading.RLock()  # around loading and computing

    def models(self) -> tuple[ModelChoice, ...]:
        """The models that visitors may choose, the default first."""
        with self._lock:
            loaded = {name: model.context for name, model in self._models.items()}
        return tuple(
            ModelChoice(entry.name, entry.title, entry.description, loaded.get(entry.name))
            for entry in self._catalogue.entries
        )

    def submit(self, request: ExplainRequest, visitor: str) -> Job:
        """Starts work on a request; returns at once, DONE where the result is cached.

        What takes milliseconds (a flow that is cached, only pruned again) is done before it
        returns. A visitor has one job at a time: a new one cancels the last.

        Raises:
            RequestError, ModelError: the model is not offered, or too many jobs are waiting.
        """
        self._catalogue.entry(request.model)
        if self._cached(request) is not None:
            return self._jobs.done(visitor)
        return self._jobs.submit(lambda progress: self._work(request, progress), visitor)

    def job(self, job_id: str, visitor: str) -> Job:
        """How that job stands. Raises RequestError where the visitor has no such job."""
        return self._jobs.job(job_id, visitor)

    def cancel(self, job_id: str, visitor: str) -> Job:
        """Stops that job as soon as it can be stopped."""
        return self._jobs.cancel(job_id, visitor)

    def graph(self, request: ExplainRequest) -> FlowGraph:
        """The finished graph, from the cache, or computed now where it was evicted."""
        return self._work(request, _silent)

    def inspect(self, request: ExplainRequest, key: NodeKey) -> Inspection:
        """A closer look at one node, drawn or not."""
        graph = self._work(request, _silent)
        return inspect_node(self._score(request, _silent), graph, request.settings, key)

    def tokenize(self, model: str, prompt: str) -> tuple[PromptToken, ...]:
        """The prompt's tokens; empty while the model is not loaded yet."""
        loaded = self._if_loaded(model)
        if loaded is None or not prompt:
            return ()
        vocabulary = loaded.vocabulary
        ids = vocabulary.encode(check_prompt(prompt), loaded.context)
        return tuple(PromptToken(place, i, vocabulary.text(i)) for place, i in enumerate(ids))

    def find_tokens(self, model: str, text: str, limit: int = 50) -> tuple[TokenChoice, ...]:
        """Tokens of the vocabulary that match what was typed, the best match first."""
        loaded = self._if_loaded(model)
        if loaded is None:
            return ()
        vocabulary = loaded.vocabulary
        found = vocabulary.find(text[:100], min(limit, 200))
        return tuple(TokenChoice(vocabulary.name(i), vocabulary.text(i), i) for i in found)

    def preload(self) -> None:
        """Loads the default model now, so that the first visitor does not wait for it."""
        self._model(self._catalogue.entries[0].name, _silent)

    def _if_loaded(self, name: str) -> LoadedModel | None:
        self._catalogue.entry(name)
        with self._lock:
            return self._models.get(name)

    def _work(self, request: ExplainRequest, progress: Progress) -> FlowGraph:
        graph = self._cached(request)
        if graph is not None:
            return graph
        with self._working:
            graph = self._cached(request)  # another visitor may have asked for the same
            if graph is not None:
                return graph
            scored = self._score(request, progress)
            if request.settings.score is Score.GRADIENT:
                progress("Attribution patching: one pass backwards", 0.7)
                _ = scored.gradient
            progress("Pruning and reading the graph", 0.85)
            graph = build_graph(scored, request.settings)
            with self._lock:
                self._graphs[request] = graph
        return graph

    def _cached(self, request: ExplainRequest) -> FlowGraph | None:
        with self._lock:
            return self._graphs.get(request)

    def _score(self, request: ExplainRequest, progress: Progress) -> Scored:
        key = replace(request, settings=type(request.settings)())
        with self._lock:
            scored = self._scored.get(key)
        if scored is not None:
            return scored
        with self._working:
            return self._compute(request, key, progress)

    def _compute(self, request: ExplainRequest, key: ExplainRequest, progress: Progress) -> Scored:
        model = self._model(request.model, lambda stage, part: progress(stage, 0.5 * part))
        ids = model.vocabulary.encode(request.prompt, model.context)
        self._check_size(model, len(ids))
        progress(f"Running {model.shape.name} on {len(ids)} tokens", 0.5)
        trace = self._trace_of(request, model, ids)
        progress("Carrying the flow back to the prompt", 0.6)
        scored = Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))
        with self._lock:
            self._scored[key] = scored
        return scored

    def _trace_of(self, request: ExplainRequest, model: LoadedModel, ids: list[int]) -> Trace:
        """The trace of that prompt, from another target's flow where there is one."""
        with self._lock:
            for key, scored in self._scored.items():
                same = (key.model, key.prompt) == (request.model, request.prompt)
                if same and scored.flow.model is model:
                    return scored.flow.trace
        return record(model, ids)

    def _check_size(self, model: LoadedModel, tokens: int) -> None:
        needed = trace_bytes(model, tokens) * (1 + FLOW_TO_TRACE)
        if needed > self._cache_bytes:
            raise RequestError(
                f"The prompt's {tokens:,} tokens would take {needed / GIGABYTE:.1f} GB here; "
                f"{self._cache_bytes / GIGABYTE:.1f} GB are set aside. Shorten it."
            )

    def _model(self, name: str, progress: Progress) -> LoadedModel:
        entry = self._catalogue.entry(name)
        with self._lock:
            model = self._models.get(name)
        if model is None:
            with self._working:
                model = self._models.get(name) or load_model(entry, progress=progress)
            with self._lock:
                self._models[name] = model
        return model


def _held_bytes(scored: Scored) -> int:
    return int(scored.flow.trace.bytes * (1 + FLOW_TO_TRACE))


def _silent(stage: str, fraction: float) -> None:
    """Progress that nobody watches."""
