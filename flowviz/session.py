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

from flowviz.analyses.request import AnalysisRequest
from flowviz.analyses.types import Result
from flowviz.answering import Answering
from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import AttentionMaps, HeadsFound
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.attention.why_types import WhyThere
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Verdict
from flowviz.checked import MAX_PROMPT_CHARACTERS
from flowviz.compare.request import CompareRequest
from flowviz.compare.types import Comparison
from flowviz.contexts.encode import open_reader
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.shelf import CorpusChoice, Shelf
from flowviz.contexts.types import ContextsFound
from flowviz.encoders.answers import attention_alone, most_read
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_any
from flowviz.errors import NotKept, RequestError
from flowviz.factors.asking import Looking
from flowviz.factors.look.types import FactorsFound
from flowviz.factors.request import FactorsRequest
from flowviz.factors.shelf import Dictionaries
from flowviz.factors.types import About, Dictionary
from flowviz.graph.inspect import inspect_node
from flowviz.graph.inspection import Inspection
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.held import HeldModels, Lease, Loader
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import InsideGraph
from flowviz.jobs import Errand, Job, Jobs, JobState, Progress
from flowviz.models.catalogue import Catalogue, ModelEntry, ModelKind
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import weight_bytes
from flowviz.request import ExplainRequest
from flowviz.results import Answer, Question, Results, most_tokens
from flowviz.shares import default_cache_bytes, default_models_bytes

__all__ = ["CorpusChoice", "Job", "JobState", "ModelChoice", "Session", "TokenChoice", "TokenCount"]

ASKED_OF_ALL = (AttentionRequest, HeadsRequest, WhyRequest, NeuronRequest, ContextRequest,
                FactorsRequest)  # fmt: skip
PARAMETER_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}


@dataclass(frozen=True)
class ModelChoice:
    """A model that visitors may choose.

    Args:
        held: whether it is in memory now.
        bytes: what its weights take there, or will take; None where that is not known yet.
        kind: what it is; None where that is not known before it is loaded.
    """

    name: str
    title: str
    description: str
    context: int | None
    held: bool = False
    bytes: int | None = None
    kind: ModelKind | None = None


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
        shelf: the corpora in which contexts are searched; None for the demo corpus alone.
        dictionaries: of factors; None for those that ship alone.
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
        shelf: Shelf | None = None,
        dictionaries: Dictionaries | None = None,
        jobs: Jobs | None = None,
        load: Loader | None = None,
        size: Callable[[ModelEntry], int] = weight_bytes,
    ) -> None:
        self._catalogue = catalogue or Catalogue.of(["demo", "demo-bert"])
        device = self._catalogue.entries[0].placement.device
        cache = default_cache_bytes(device) if cache_bytes is None else cache_bytes
        self._results = Results(cache)
        self._shelf = shelf or Shelf()
        self._dictionaries = dictionaries or Dictionaries()
        self._looking = Looking(self._dictionaries, self._shelf)
        self._answering = Answering(self._results, self._shelf, self._looking)
        self._jobs = jobs or Jobs()
        self._models = HeldModels(
            default_models_bytes(device, cache) if models_bytes is None else models_bytes,
            load or (lambda entry, progress: load_any(entry, progress=progress)),
            size,
            self._answering.forget,
        )

    def models(self, *, gpt: bool = False) -> tuple[ModelChoice, ...]:
        """The models that visitors may choose, the default first.

        Args:
            gpt: only those of which everything can be asked, as far as that is known; all where
                there is none, so that a page can say why it cannot answer.
        """
        choices = tuple(self._choice(entry) for entry in self._catalogue.entries)
        explained = tuple(each for each in choices if each.kind in (None, ModelKind.GPT))
        return explained if gpt and explained else choices

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
            kind=_kind_of(model) or entry.kind,
        )

    def corpora(self) -> tuple[CorpusChoice, ...]:
        """The corpora in which contexts can be searched, the demo corpus first."""
        return self._shelf.choices()

    def dictionaries(self, model: str) -> tuple[About, ...]:
        """The dictionaries of factors for a model, those that ship first.

        As long as nobody has asked for factors of the model, all that there are: which fit it is
        found by looking at its weights, and this waits for no pass.
        """
        loaded = self._if_held(model)
        known = None if loaded is None else self._dictionaries.known(loaded)
        return self._dictionaries.offered() if known is None else known

    def dictionary(self, model: LoadedModel | LoadedEncoder, name: str) -> Dictionary:
        """A dictionary of a model in memory. Raises RequestError where it has none of that name."""
        return self._dictionaries.dictionary(name, open_reader(model))

    def submit(self, question: Question, visitor: str, *, to_inspect: bool = False) -> Job:
        """Starts work on a question; returns at once, DONE where the answer is kept.

        What takes milliseconds (a flow that is kept, only pruned again) is done before it
        returns. A visitor has one job at a time: a new one cancels the last.

        Args:
            question: what to explain, to open, to check, to compare, or to analyse.
            visitor: who asks.
            to_inspect: whether `inspect` must be able to answer afterwards, not only `graph`.

        Raises:
            RequestError, ModelError: the model is not offered, cannot be asked that, or too many
                jobs are waiting.
        """
        entries = self._entries(question)
        _check_kind(entries, question)
        kept = self._results.answer(question) is not None
        if to_inspect and isinstance(question, ExplainRequest):
            behind = self._results.scored(question), self._answering.opened(question)
            kept = kept and None not in behind
        if kept:
            return self._jobs.done(visitor)
        return self._jobs.submit(self._errand(entries, question), visitor)

    def _entries(self, question: Question) -> tuple[ModelEntry, ...]:
        """The models that a question asks; names that are not offered are refused."""
        if isinstance(question, ContextRequest | FactorsRequest):
            self._shelf.check(question.corpus)
        two = isinstance(question, CompareRequest)
        names = question.models if two else (question.model,)
        return tuple(self._catalogue.entry(name) for name in names)

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
    @overload
    def answer(self, question: CompareRequest) -> Comparison: ...
    @overload
    def answer(self, question: AttentionRequest) -> AttentionMaps: ...
    @overload
    def answer(self, question: DecayRequest) -> Decay: ...
    @overload
    def answer(self, question: HeadsRequest) -> HeadsFound: ...
    @overload
    def answer(self, question: WhyRequest) -> WhyThere: ...
    @overload
    def answer(self, question: ContextRequest) -> ContextsFound: ...
    @overload
    def answer(self, question: FactorsRequest) -> FactorsFound: ...
    @overload
    def answer(self, question: NeuronRequest) -> NeuronView: ...
    def answer(self, question: Question) -> Answer:
        """The finished answer. Raises NotKept where it has had to make room."""
        self._entries(question)
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
        opened = self._answering.opened(request)
        if scored is None or opened is None:
            raise NotKept("What is behind this picture is not kept any more. Run the prompt again.")
        return inspect_node(scored, graph, request.settings, key, opened)

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
        if isinstance(loaded, LoadedEncoder):
            most = most_read(loaded, self._results.most_answer_bytes)
        else:
            most = most_tokens(loaded, self._results.most_bytes)
        return TokenCount(len(ids), most)

    def preload(self) -> None:
        """Loads the default model now, so that the first visitor does not wait for it."""
        self._models.load(self._catalogue.entries[0], _silent)
        self._models.measure(self._catalogue.entries)

    def _if_held(self, name: str) -> LoadedModel | LoadedEncoder | None:
        return self._models.look(self._catalogue.entry(name).name)

    def _errand(self, entries: tuple[ModelEntry, ...], question: Question) -> Errand:
        lease = Lease(self._models, *(entry.name for entry in entries))
        return Errand(
            work=lambda progress: self._answering.answer(question, lease.models, progress),
            ready=lease.take,
            prepare=lambda progress: self._models.load_together(
                entries, partial(_first_half, progress)
            ),
            key="\n".join(entry.name for entry in entries),
            release=lease.give_back,
            long=self._takes_long(question),
        )

    def _takes_long(self, question: Question) -> bool:
        """Whether it takes many passes."""
        if isinstance(question, AttentionRequest):
            return bool(question.average)
        if isinstance(question, ContextRequest):
            return not self._shelf.at_hand(question.corpus, question.model, question.site)
        if isinstance(question, FactorsRequest):
            return not self._looking.at_hand(question)
        return isinstance(question, AnalysisRequest | CheckRequest | HeadsRequest)


def _check_kind(entries: tuple[ModelEntry, ...], question: Question) -> None:
    """Refuses, before a model is loaded, what it is known that it cannot be asked."""
    if isinstance(question, ASKED_OF_ALL):
        return
    for entry in entries:
        if entry.kind is not None and entry.kind is not ModelKind.GPT:
            raise attention_alone(entry.title, entry.kind)


def _kind_of(model: LoadedModel | LoadedEncoder | None) -> ModelKind | None:
    if model is None:
        return None
    return model.kind if isinstance(model, LoadedEncoder) else ModelKind.GPT


def _first_half(progress: Progress, stage: str, fraction: float) -> None:
    progress(stage, 0.5 * fraction)


def _silent(stage: str, fraction: float) -> None:
    """Progress that nobody watches."""
