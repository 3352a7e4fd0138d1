"""How questions are answered: from what is kept, or by passes of the model.

Flows are kept by what they depend on, so that another setting, an opened block or a check of the
same prompt needs no pass of its own. Nothing here knows who asks.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

from cachetools import LRUCache

from flowviz.analyses.passes import read_all
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.run import analyse
from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.neurons import decay_over, neuron_view
from flowviz.attention.patterns import (
    asked_maps,
    average_over,
    check_asked,
    check_part,
    find_over,
    maps_bytes,
)
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.split import why
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.causal.baselines import Baseline
from flowviz.causal.check import check
from flowviz.causal.parts import OpenedPart
from flowviz.causal.request import CheckRequest
from flowviz.compare.build import compare
from flowviz.compare.request import CompareRequest, explaining
from flowviz.compare.sides import check_comparable
from flowviz.compare.values import compared_bytes
from flowviz.contexts.encode import open_reader
from flowviz.contexts.find import find_contexts
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.shelf import Shelf
from flowviz.contexts.sites import asked_site
from flowviz.encoders.answers import ask, attention_alone
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.errors import RequestError
from flowviz.explanation import changed_flow, resolve_target
from flowviz.factors.asking import Looking
from flowviz.factors.request import FactorsRequest
from flowviz.factors.use.checked import parts_to_check, scores_of_parts
from flowviz.factors.use.opened import open_with_losses
from flowviz.factors.use.split import splitting
from flowviz.flow import flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.opened import Opened
from flowviz.graph.scored import Scored
from flowviz.inside.build import open_blocks
from flowviz.inside.request import InsideRequest
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, GraphSettings, Score
from flowviz.results import Question, Results, scored_bytes
from flowviz.standins import StandIns
from flowviz.trace import record

GIGABYTE = 2**30
MOST_OPENED = 64  # pictures whose opened nodes are kept; one takes a few hundred vectors
BYTES_A_PLACE = 30  # of a check, for each component: three scores, their order, a few sets


class Answering:
    """Answers questions into a table of results. Safe to call from many threads.

    Args:
        results: where answers and flows are kept.
        shelf: the corpora in which contexts are searched.
        looking: who answers what is asked of factors.
    """

    def __init__(self, results: Results, shelf: Shelf, looking: Looking) -> None:
        self._results = results
        self._shelf = shelf
        self._looking = looking
        self._looking = looking
        self._stand_ins = StandIns(self._check_size)
        self._opened: LRUCache[ExplainRequest, Opened] = LRUCache(MOST_OPENED)
        self._opening = threading.Lock()

    def forget(self, model: str) -> None:
        """Lets go of what was computed from a model, which would hold the model itself."""
        self._results.forget(model)
        with self._opening:
            for request in [each for each in self._opened if each.model == model]:
                del self._opened[request]
        self._stand_ins.forget()

    def answer(
        self,
        question: Question,
        models: tuple[LoadedModel | LoadedEncoder, ...],
        progress: Progress,
    ) -> None:
        """Computes an answer and keeps it, unless it is kept: another visitor may have asked.

        Args:
            models: the question's model; of a comparison of two models, both in its order.

        Raises:
            RequestError: it cannot be answered, or would take more memory than is set aside.
        """
        model, other = models[0], models[-1]
        if isinstance(question, ContextRequest):
            self._find_contexts(question, model, progress)
            return
        if isinstance(question, FactorsRequest):
            if self._results.answer(question) is None:
                told = partial(_second_half, progress)
                self._results.keep(question, self._looking.answer(question, model, told))
            return
        if isinstance(model, LoadedEncoder):
            self._ask_encoder(question, model, progress)
            return
        if isinstance(other, LoadedEncoder):
            raise attention_alone(other.shape.name, other.kind)
        if isinstance(question, AnalysisRequest):
            self._analyse(question, model, progress)
            return
        if isinstance(question, CompareRequest):
            self._compare(question, model, other, progress)
            return
        if isinstance(question, HeadsRequest):  # a question about distances is one, too
            self._read_heads(question, model, progress)
            return
        if isinstance(question, WhyRequest | NeuronRequest):
            self._look_into_head(question, model, progress)
            return
        if isinstance(question, AttentionRequest):
            if question.average:
                self._average(question, model, progress)
                return
            self._check_maps(question, model)
        request = _explained(question)
        scored = self._scored(request, model, progress)
        gone = isinstance(question, ExplainRequest) and self.opened(request) is None
        if gone or self._results.answer(question) is None:
            if isinstance(question, CheckRequest):
                self._check(question, scored, progress)
            else:
                self._draw(question, scored, progress)

    def _ask_encoder(self, question: Question, model: LoadedEncoder, progress: Progress) -> None:
        """Answers what can be asked of a model that reads both ways; it needs no flow."""
        if self._results.answer(question) is None:
            most, told = self._results.most_answer_bytes, partial(_second_half, progress)
            self._results.keep(question, ask(model, question, most, told))

    def _find_contexts(
        self, question: ContextRequest, model: LoadedModel | LoadedEncoder, progress: Progress
    ) -> None:
        if self._results.answer(question) is None:
            reader = open_reader(model)
            site = asked_site(reader, question)
            asked = question.corpus, question.model, reader, site
            store = self._shelf.store(*asked, partial(_part, progress, 0.5, 0.8))
            told = partial(_part, progress, 0.8, 1.0)
            self._results.keep(question, find_contexts(reader, store, question, told))

    def _average(self, question: AttentionRequest, model: LoadedModel, progress: Progress) -> None:
        if self._results.answer(question) is None:
            prompts, told = question.prompts(), partial(_second_half, progress)
            self._check_size(model, max(len(one.ids) for one in read_all(model, prompts)))
            maps = average_over(model, prompts, question.weighting, told)
            self._results.keep(question, maps)

    def _compare(
        self,
        question: CompareRequest,
        first: LoadedModel,
        second: LoadedModel,
        progress: Progress,
    ) -> None:
        if self._results.answer(question) is not None:
            return
        check_comparable(first, second)
        tokens = [
            _length("first", first, question.first),
            _length("second", second, question.second),
        ]
        more = scored_bytes(second, tokens[1]) + compared_bytes(first, sum(tokens))
        self._check_size(first, tokens[0], more)
        one = self._scored(question.first, first, progress)
        token = one.flow.target.token
        asked = explaining(question.second, token)
        same = asked == explaining(question.first, token)
        other = one if same else self._scored(asked, second, progress)
        progress("Comparing the two passes", 0.85)
        self._results.keep(question, compare(one, other, question))

    def _scored(self, request: ExplainRequest, model: LoadedModel, progress: Progress) -> Scored:
        kept = self._results.scored(request)
        if kept is not None:
            return kept
        score = self._change if request.interventions else self._score
        scored = score(request, model, progress)
        self._results.keep_scored(request, scored)
        return scored

    def _change(self, request: ExplainRequest, model: LoadedModel, progress: Progress) -> Scored:
        clean = self._scored(request.clean, model, progress)
        tokens = len(clean.flow.trace.ids)
        self._check_size(model, tokens, scored_bytes(model, tokens))
        values = partial(self._stand_ins.intervention, model, request.donor, progress)
        split = None
        if request.needs_dictionary:
            split = splitting(model, self._looking.named(model))
        return changed_flow(clean, request, values, partial(_changing, progress), split)

    def _check(self, question: CheckRequest, scored: Scored, progress: Progress) -> None:
        flow = scored.flow
        places = flow.positions * flow.model.shape.layers * _components(flow.model)
        self._check_size(flow.model, len(flow.trace.ids), BYTES_A_PLACE * places)
        opened = self._open(question.explained, scored)
        graph = build_graph(scored, question.explained.settings, opened)
        asked = flow.model, flow.positions, question
        baseline = self._stand_ins.ablation(*asked, progress)
        ahead = partial(_second_half, progress)
        parts = self._parts(question.explained, scored, opened, baseline, progress)
        said = scores_of_parts(scored, opened, parts)
        asked_of = {"share": question.smallest, "progress": ahead}
        verdict = check(scored, graph, baseline, **asked_of, opened=parts, of_parts=said)
        self._results.keep(question, verdict)

    def _parts(
        self,
        request: ExplainRequest,
        scored: Scored,
        opened: Opened,
        baseline: Baseline,
        progress: Progress,
    ) -> tuple[OpenedPart, ...]:
        """What a check needs of the nodes that are opened."""
        if not request.opened:
            return ()
        named = self._looking.named(scored.flow.model)
        told = partial(progress, "Reading the reference set again, for what is opened", 0.5)
        return parts_to_check(scored, opened, request.opened, named, baseline, told)

    def _analyse(self, request: AnalysisRequest, model: LoadedModel, progress: Progress) -> None:
        if self._results.answer(request) is None:
            if request.analysis is not Analysis.SEARCH:
                asked = read_all(model, request.prompts())
                self._check_size(model, max(len(one.ids) for one in asked))
            self._results.keep(request, analyse(model, request, partial(_second_half, progress)))

    def _look_into_head(
        self, question: WhyRequest | NeuronRequest, model: LoadedModel, progress: Progress
    ) -> None:
        if self._results.answer(question) is None:
            explained = ExplainRequest(question.text, question.model)
            trace = self._scored(explained, model, progress).flow.trace
            progress("Looking into the head", 0.85)
            if isinstance(question, WhyRequest):
                self._results.keep(question, why(model, trace, question))
            else:
                self._results.keep(question, neuron_view(model, trace, question))

    def _read_heads(self, request: HeadsRequest, model: LoadedModel, progress: Progress) -> None:
        if self._results.answer(request) is None:
            check_part(model.shape.name, request.part)
            prompts, told = request.prompts(), partial(_second_half, progress)
            self._check_size(model, max(len(one.ids) for one in read_all(model, prompts)))
            if isinstance(request, DecayRequest):
                found = decay_over(model, prompts, request.layer, request.head, told)
                self._results.keep(request, found)
            else:
                self._results.keep(request, find_over(model, prompts, told))

    def _check_maps(self, request: AttentionRequest, model: LoadedModel) -> None:
        """Refuses a prompt whose maps could not be kept, before any pass."""
        check_asked(model.shape.name, request)
        tokens = len(model.vocabulary.encode(request.text, model.context))
        needed, most = maps_bytes(model.shape, tokens), self._results.most_answer_bytes
        if needed > most:
            raise RequestError(
                f"The attention of {tokens:,} tokens in {model.shape.layers} x "
                f"{model.shape.heads} heads would take {needed / GIGABYTE:.2f} GB here; "
                f"{most / GIGABYTE:.2f} GB are set aside for it. Shorten the prompt."
            )

    def _score(self, request: ExplainRequest, model: LoadedModel, progress: Progress) -> Scored:
        ids = model.vocabulary.encode(request.prompt, model.context)
        self._check_size(model, len(ids))
        progress(f"Running {model.shape.name} on {len(ids)} tokens", 0.5)
        trace = self._results.trace(request) or record(model, ids)
        progress("Carrying the flow back to the prompt", 0.6)
        return Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))

    def _draw(
        self,
        request: ExplainRequest | InsideRequest | AttentionRequest,
        scored: Scored,
        progress: Progress,
    ) -> None:
        if isinstance(request, AttentionRequest):
            progress("Reading the attention of all heads", 0.85)
            self._results.keep(request, asked_maps(scored, request))
            return
        if isinstance(request, InsideRequest):
            progress("Opening the block", 0.85)
            self._results.keep(request, open_blocks(scored.flow.model, scored, request))
            return
        if request.settings.score is Score.GRADIENT:
            progress("Attribution patching: one pass backwards", 0.7)
            _ = scored.gradient
        if request.opened:
            progress("Splitting what is opened into factors", 0.75)
        opened = self._open(request, scored)
        progress("Pruning and reading the graph", 0.85)
        self._results.keep(request, build_graph(scored, request.settings, opened))

    def _open(self, request: ExplainRequest, scored: Scored) -> Opened:
        """The nodes that a request opens; kept, so that a closer look finds them."""
        kept = self.opened(request)
        if kept is not None:
            return kept
        named = self._looking.named(scored.flow.model)
        opened = open_with_losses(scored, request.opened, named)
        with self._opening:
            self._opened[_opening_key(request)] = opened
        return opened

    def opened(self, request: ExplainRequest) -> Opened | None:
        """The nodes that a request opens; None where they are not kept."""
        if not request.opened:
            return Opened()
        with self._opening:
            return self._opened.get(_opening_key(request))

    def _check_size(self, model: LoadedModel, tokens: int, more: int = 0) -> None:
        needed, most = scored_bytes(model, tokens) + more, self._results.most_bytes
        if needed > most:
            raise RequestError(
                f"The prompt's {tokens:,} tokens would take {needed / GIGABYTE:.2f} GB here; "
                f"{most / GIGABYTE:.2f} GB are set aside. Shorten it."
            )


def _opening_key(request: ExplainRequest) -> ExplainRequest:
    """What opened nodes depend on: all but the graph's settings."""
    return replace(request, settings=GraphSettings())


def _explained(
    question: ExplainRequest | InsideRequest | CheckRequest | AttentionRequest,
) -> ExplainRequest:
    """The request for the flow that a question is about."""
    if isinstance(question, InsideRequest | AttentionRequest):
        return question.explained()
    return question.explained if isinstance(question, CheckRequest) else question


def _components(model: LoadedModel) -> int:
    return model.shape.heads + model.shape.neurons


def _length(which: str, model: LoadedModel, request: ExplainRequest) -> int:
    """How many tokens one side's prompt has; where it has too many, the message says whose."""
    try:
        return len(model.vocabulary.encode(request.prompt, model.context))
    except RequestError as error:
        raise RequestError(f"The {which} of the two: {error}") from None


def _changing(progress: Progress, done: int, parts: int) -> None:
    progress("Running it again with the interventions", 0.6 + 0.2 * done / parts)


def _second_half(progress: Progress, stage: str, fraction: float) -> None:
    _part(progress, 0.5, 1.0, stage, fraction)


def _part(progress: Progress, start: float, end: float, stage: str, fraction: float) -> None:
    progress(stage, start + (end - start) * fraction)
