"""One server's state: models held once, bounded caches, and jobs with progress and cancel.

Pages ask a `Session`; it never hands out anything of one visitor to another, and it takes model
names only from its catalogue.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from flowviz.errors import RequestError
from flowviz.explanation import resolve_target
from flowviz.flow import flow_of
from flowviz.graph.build import Scored, build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.inspection import Inspection
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.jobs import Job, Jobs, JobState, Progress
from flowviz.models.catalogue import Catalogue
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.models.memory import free_memory
from flowviz.request import ExplainRequest, Score
from flowviz.results import Results, scored_bytes
from flowviz.trace import record

__all__ = ["Job", "JobState", "ModelChoice", "Session", "TokenChoice"]

GIGABYTE = 2**30
MOST_CACHE_BYTES = 4 * GIGABYTE


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
        models: how many models are held at once; the least recently used one goes once another
            has been loaded.
        cache_bytes: the memory that traces, flows and graphs may take (`results.py` says how
            much one prompt takes); a prompt that would take more than all of it is refused.
            None for half of the memory that is free now, at most 4 GB.
        jobs: the job table.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        models: int = 2,
        cache_bytes: int | None = None,
        jobs: Jobs | None = None,
    ) -> None:
        self._catalogue = catalogue or Catalogue.of(["demo"])
        self._results = Results(_default_cache_bytes() if cache_bytes is None else cache_bytes)
        self._jobs = jobs or Jobs()
        self._most_models = models
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()
        self._lock = threading.Lock()  # around the table of models, for moments
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
        if self._results.graph(request) is not None:
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
        self._catalogue.entry(request.model)
        graph = self._results.graph(request)
        if graph is not None:
            return graph
        with self._working:
            graph = self._results.graph(request)  # another visitor may have asked for the same
            return self._build(request, progress) if graph is None else graph

    def _build(self, request: ExplainRequest, progress: Progress) -> FlowGraph:
        scored = self._score(request, progress)
        if request.settings.score is Score.GRADIENT:
            progress("Attribution patching: one pass backwards", 0.7)
            _ = scored.gradient
        progress("Pruning and reading the graph", 0.85)
        graph = build_graph(scored, request.settings)
        self._results.keep_graph(request, graph)
        return graph

    def _score(self, request: ExplainRequest, progress: Progress) -> Scored:
        scored = self._results.scored(request)
        if scored is not None:
            return scored
        with self._working:
            return self._results.scored(request) or self._compute(request, progress)

    def _compute(self, request: ExplainRequest, progress: Progress) -> Scored:
        model = self._model(request.model, lambda stage, part: progress(stage, 0.5 * part))
        ids = model.vocabulary.encode(request.prompt, model.context)
        self._check_size(model, len(ids))
        progress(f"Running {model.shape.name} on {len(ids)} tokens", 0.5)
        trace = self._results.trace(request) or record(model, ids)
        progress("Carrying the flow back to the prompt", 0.6)
        scored = Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))
        self._results.keep_scored(request, scored)
        return scored

    def _check_size(self, model: LoadedModel, tokens: int) -> None:
        needed, most = scored_bytes(model, tokens), self._results.most_bytes
        if needed > most:
            raise RequestError(
                f"The prompt's {tokens:,} tokens would take {needed / GIGABYTE:.2f} GB here; "
                f"{most / GIGABYTE:.2f} GB are set aside. Shorten it."
            )

    def _model(self, name: str, progress: Progress) -> LoadedModel:
        """The model of that name, loaded once however many ask for it."""
        entry = self._catalogue.entry(name)
        with self._working:
            with self._lock:
                model = self._models.get(name)
            if model is None:
                model = load_model(entry, progress=progress)
            self._hold(name, model)
        return model

    def _hold(self, name: str, model: LoadedModel) -> None:
        with self._lock:
            self._models[name] = model
            self._models.move_to_end(name)
            extra = list(self._models)[: max(0, len(self._models) - self._most_models)]
            for old in extra:
                del self._models[old]
        for old in extra:
            self._results.forget(old)


def _default_cache_bytes() -> int:
    free = free_memory()
    return MOST_CACHE_BYTES if free is None else min(MOST_CACHE_BYTES, free // 2)


def _silent(stage: str, fraction: float) -> None:
    """Progress that nobody watches."""
