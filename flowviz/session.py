"""One server's state: models held within a bound, bounded caches, and jobs with progress.

Pages ask a `Session`; it never hands out anything of one visitor to another, and it takes model
names only from its catalogue. What takes long is a job: models are loaded on one thread, passes
run on another, and a visitor's own call only reads what is there (`NotKept` where it is not any
more), so that no visitor can hold the server's threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import overload

from flowviz.analyses.passes import read_all
from flowviz.analyses.prompts import shipped
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.run import analyse
from flowviz.analyses.types import Result
from flowviz.causal.baselines import Baseline, mean, resample, zero
from flowviz.causal.check import check
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Ablation, Verdict
from flowviz.checked import MAX_PROMPT_CHARACTERS
from flowviz.errors import NotKept, RequestError
from flowviz.explanation import resolve_target
from flowviz.flow import flow_of
from flowviz.graph.build import Scored, build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.inspection import Inspection
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.held import HeldModels, Lease, Loader
from flowviz.inside.build import open_blocks
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import InsideGraph
from flowviz.jobs import Errand, Job, Jobs, JobState, Progress
from flowviz.models.catalogue import Catalogue, ModelEntry
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model, weight_bytes
from flowviz.request import ExplainRequest, Score
from flowviz.results import Answer, Question, Results, most_tokens, scored_bytes
from flowviz.shares import default_cache_bytes, default_models_bytes
from flowviz.trace import record

__all__ = ["Job", "JobState", "ModelChoice", "Session", "TokenChoice", "TokenCount"]

GIGABYTE = 2**30
REFERENCE = "phenomena"  # the set that the mean is over, whatever the model
PARAMETER_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}


@dataclass(frozen=True)
class ModelChoice:
    """A model that visitors may choose.

    Args:
        held: whether it is in memory now.
        bytes: what its weights take there, or will take; None where that is not known yet.
    """

    name: str
    title: str
    description: str
    context: int | None
    held: bool = False
    bytes: int | None = None


@dataclass(frozen=True)
class TokenChoice:
    """A token of the vocabulary, for the target's picker. `value` is what a request takes."""

    value: str
    text: str
    id: int


@dataclass(frozen=True)
class TokenCount:
    """How many tokens a text has, and how many can be explained here."""

    tokens: int
    most: int


class Session:
    """What pages may ask for. Every method is safe to call from many threads.

    Args:
        catalogue: the models that visitors may choose.
        models_bytes: the memory that the weights of all models in it may take; the least
            recently used ones go to make room, and a model that takes more than all of it is
            refused. None for two thirds of what is free now beside the cache.
        cache_bytes: the memory that traces, flows and graphs may take (`results.py` says how
            much one prompt takes); a prompt that would take more than all of it is refused.
            None for half of the memory that is free now, at most 4 GB.
        jobs: the job table.
        load: loads a model, where not with `load_model`.
        size: how many bytes a model's weights will take, before they are loaded.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        models_bytes: int | None = None,
        cache_bytes: int | None = None,
        jobs: Jobs | None = None,
        load: Loader | None = None,
        size: Callable[[ModelEntry], int] = weight_bytes,
    ) -> None:
        self._catalogue = catalogue or Catalogue.of(["demo"])
        device = self._catalogue.entries[0].placement.device
        cache = default_cache_bytes(device) if cache_bytes is None else cache_bytes
        self._results = Results(cache)
        self._jobs = jobs or Jobs()
        self._means: tuple[LoadedModel, Baseline] | None = None  # of the model asked last
        self._models = HeldModels(
            default_models_bytes(device, cache) if models_bytes is None else models_bytes,
            load or (lambda entry, progress: load_model(entry, progress=progress)),
            size,
            self._forget,
        )

    def models(self) -> tuple[ModelChoice, ...]:
        """The models that visitors may choose, the default first."""
        return tuple(self._choice(entry) for entry in self._catalogue.entries)

    def _choice(self, entry: ModelEntry) -> ModelChoice:
        model, size = self._models.look(entry.name), self._models.known_bytes(entry.name)
        if size is None and entry.millions is not None:
            size = entry.millions * PARAMETER_BYTES.get(entry.placement.dtype, 4) * 1_000_000
        return ModelChoice(
            entry.name,
            entry.title,
            entry.description,
            model.context if model else None,
            held=model is not None,
            bytes=size,
        )

    def submit(self, question: Question, visitor: str, *, to_inspect: bool = False) -> Job:
        """Starts work on a question; returns at once, DONE where the answer is kept.

        What takes milliseconds (a flow that is kept, only pruned again) is done before it
        returns. A visitor has one job at a time: a new one cancels the last.

        Args:
            question: what to explain, to open, or to analyse.
            visitor: who asks.
            to_inspect: whether `inspect` must be able to answer afterwards, not only `graph`.

        Raises:
            RequestError, ModelError: the model is not offered, or too many jobs are waiting.
        """
        entry = self._catalogue.entry(question.model)
        kept = self._results.answer(question) is not None
        if to_inspect and isinstance(question, ExplainRequest):
            kept = kept and self._results.scored(question) is not None
        if kept:
            return self._jobs.done(visitor)
        return self._jobs.submit(self._errand(entry, question), visitor)

    def job(self, job_id: str, visitor: str) -> Job:
        """How that job stands. Raises RequestError where the visitor has no such job."""
        return self._jobs.job(job_id, visitor)

    def cancel(self, job_id: str, visitor: str) -> Job:
        """Stops that job as soon as it can be stopped."""
        return self._jobs.cancel(job_id, visitor)

    @overload
    def answer(self, question: ExplainRequest) -> FlowGraph: ...
    @overload
    def answer(self, question: InsideRequest) -> InsideGraph: ...
    @overload
    def answer(self, question: CheckRequest) -> Verdict: ...
    @overload
    def answer(self, question: AnalysisRequest) -> Result: ...
    def answer(self, question: Question) -> Answer:
        """The finished answer. Raises NotKept where it has had to make room."""
        self._catalogue.entry(question.model)
        answer = self._results.answer(question)
        if answer is None:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        return answer

    def graph(self, request: ExplainRequest) -> FlowGraph:
        """The finished graph. Raises NotKept as `answer` does."""
        return self.answer(request)

    def inspect(self, request: ExplainRequest, key: NodeKey) -> Inspection:
        """A closer look at one node, drawn or not. Raises NotKept as `graph` does."""
        graph, scored = self.graph(request), self._results.scored(request)
        if scored is None:
            raise NotKept("What is behind this picture is not kept any more. Run the prompt again.")
        return inspect_node(scored, graph, request.settings, key)

    def find_tokens(self, model: str, text: str, limit: int = 50) -> tuple[TokenChoice, ...]:
        """Tokens of the vocabulary that match what was typed, the best match first."""
        loaded = self._if_held(model)
        if loaded is None:
            return ()
        vocabulary = loaded.vocabulary
        found = vocabulary.find(text[:100], min(limit, 200))
        return tuple(TokenChoice(vocabulary.name(i), vocabulary.text(i), i) for i in found)

    def count_tokens(self, model: str, text: str) -> TokenCount | None:
        """How many tokens a text has for a model, where that is held; it waits for no pass.

        Raises:
            RequestError: the text is longer than any prompt may be.
        """
        loaded = self._if_held(model)
        if len(text) > MAX_PROMPT_CHARACTERS:
            raise RequestError(
                f"The prompt has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are "
                "taken. Shorten it."
            )
        if loaded is None:
            return None
        ids = loaded.vocabulary.tokenizer(text, verbose=False)["input_ids"]
        return TokenCount(len(ids), most_tokens(loaded, self._results.most_bytes))

    def _forget(self, model: str) -> None:
        """Lets go of what was computed from a model, which would hold the model itself."""
        self._results.forget(model)
        self._means = None

    def preload(self) -> None:
        """Loads the default model now, so that the first visitor does not wait for it."""
        self._models.load(self._catalogue.entries[0], _silent)
        self._models.measure(self._catalogue.entries)

    def _if_held(self, name: str) -> LoadedModel | None:
        return self._models.look(self._catalogue.entry(name).name)

    def _errand(self, entry: ModelEntry, question: Question) -> Errand:
        lease = Lease(self._models, entry.name)
        return Errand(
            work=lambda progress: self._work(question, lease.model, progress),
            ready=lease.take,
            prepare=lambda progress: self._models.load(entry, partial(_first_half, progress)),
            key=entry.name,
            release=lease.give_back,
            long=isinstance(question, AnalysisRequest | CheckRequest),
        )

    def _work(self, question: Question, model: LoadedModel, progress: Progress) -> None:
        """On a working thread: another visitor may have asked for the same just before."""
        if isinstance(question, AnalysisRequest):
            self._analyse(question, model, progress)
            return
        request = _explained(question)
        scored = self._results.scored(request) or self._score(request, model, progress)
        if self._results.answer(question) is None:
            if isinstance(question, CheckRequest):
                self._check(question, scored, progress)
            else:
                self._draw(question, scored, progress)

    def _check(self, question: CheckRequest, scored: Scored, progress: Progress) -> None:
        graph = build_graph(scored, question.explained.settings)
        baseline = self._baseline(question, scored, progress)
        ahead = partial(_second_half, progress)
        verdict = check(scored, graph, baseline, share=question.smallest, progress=ahead)
        self._results.keep(question, verdict)

    def _baseline(self, question: CheckRequest, scored: Scored, progress: Progress) -> Baseline:
        model, positions = scored.flow.model, scored.flow.positions
        if question.against is Ablation.ZERO:
            return zero(model)
        if question.against is Ablation.RESAMPLE:
            assert question.other is not None
            ids = model.vocabulary.encode(question.other, model.context)
            self._check_size(model, len(ids))
            return resample(record(model, ids), positions, "the values on another prompt")
        means = self._means
        if means is None or means[0] is not model:
            texts = [prompt.text for prompt in shipped(REFERENCE)]
            told = partial(_reference_read, progress, len(texts))
            means = model, mean(model, (_cut(model, text) for text in texts), told)
            self._means = means
        return means[1]

    def _analyse(self, request: AnalysisRequest, model: LoadedModel, progress: Progress) -> None:
        if self._results.answer(request) is None:
            if request.analysis is not Analysis.SEARCH:
                asked = read_all(model, request.prompts())
                self._check_size(model, max(len(one.ids) for one in asked))
            self._results.keep(request, analyse(model, request, partial(_second_half, progress)))

    def _score(self, request: ExplainRequest, model: LoadedModel, progress: Progress) -> Scored:
        ids = model.vocabulary.encode(request.prompt, model.context)
        self._check_size(model, len(ids))
        progress(f"Running {model.shape.name} on {len(ids)} tokens", 0.5)
        trace = self._results.trace(request) or record(model, ids)
        progress("Carrying the flow back to the prompt", 0.6)
        scored = Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))
        self._results.keep_scored(request, scored)
        return scored

    def _draw(
        self, request: ExplainRequest | InsideRequest, scored: Scored, progress: Progress
    ) -> None:
        if isinstance(request, InsideRequest):
            progress("Opening the block", 0.85)
            self._results.keep(request, open_blocks(scored.flow.model, scored, request))
            return
        if request.settings.score is Score.GRADIENT:
            progress("Attribution patching: one pass backwards", 0.7)
            _ = scored.gradient
        progress("Pruning and reading the graph", 0.85)
        self._results.keep(request, build_graph(scored, request.settings))

    def _check_size(self, model: LoadedModel, tokens: int) -> None:
        needed, most = scored_bytes(model, tokens), self._results.most_bytes
        if needed > most:
            raise RequestError(
                f"The prompt's {tokens:,} tokens would take {needed / GIGABYTE:.2f} GB here; "
                f"{most / GIGABYTE:.2f} GB are set aside. Shorten it."
            )


def _explained(question: ExplainRequest | InsideRequest | CheckRequest) -> ExplainRequest:
    """The request for the flow that a question is about."""
    if isinstance(question, InsideRequest):
        return question.explained()
    return question.explained if isinstance(question, CheckRequest) else question


def _cut(model: LoadedModel, text: str) -> list[int]:
    """A prompt of the reference set, as much of it as the model takes."""
    return model.vocabulary.encode(text, None)[: model.context]


def _reference_read(progress: Progress, total: int, done: int) -> None:
    progress(f"Reading the reference set: {done} of {total} prompts", 0.5)


def _first_half(progress: Progress, stage: str, fraction: float) -> None:
    progress(stage, 0.5 * fraction)


def _second_half(progress: Progress, stage: str, fraction: float) -> None:
    progress(stage, 0.5 + 0.5 * fraction)


def _silent(stage: str, fraction: float) -> None:
    """Progress that nobody watches."""
