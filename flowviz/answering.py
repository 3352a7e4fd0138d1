"""How questions are answered: from what is kept, or by passes of the model.

Flows are kept by what they depend on, so that another setting, an opened block or a check of the
same prompt needs no pass of its own. Nothing here knows who asks.
"""

from __future__ import annotations

from functools import partial

from flowviz.analyses.passes import read_all
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.run import analyse
from flowviz.causal.baselines import Baseline, mean, resample, zero
from flowviz.causal.check import check
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Ablation
from flowviz.compare.build import compare
from flowviz.compare.request import CompareRequest, explaining
from flowviz.compare.sides import check_comparable
from flowviz.compare.values import compared_bytes
from flowviz.errors import RequestError
from flowviz.explanation import changed_flow, reference_prompts, resolve_target
from flowviz.flow import flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.scored import Scored
from flowviz.inside.build import open_blocks
from flowviz.inside.request import InsideRequest
from flowviz.interventions.types import Instead
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, Score
from flowviz.results import Question, Results, scored_bytes
from flowviz.trace import record

GIGABYTE = 2**30
BYTES_A_PLACE = 30  # of a check, for each component: three scores, their order, a few sets


class Answering:
    """Answers questions into a table of results. Safe to call from many threads.

    Args:
        results: where answers and flows are kept.
    """

    def __init__(self, results: Results) -> None:
        self._results = results
        self._means: tuple[LoadedModel, Baseline] | None = None  # of the model asked last

    def forget(self, model: str) -> None:
        """Lets go of what was computed from a model, which would hold the model itself."""
        self._results.forget(model)
        self._means = None

    def answer(
        self, question: Question, models: tuple[LoadedModel, ...], progress: Progress
    ) -> None:
        """Computes an answer and keeps it, unless it is kept: another visitor may have asked.

        Args:
            models: the question's model; of a comparison of two models, both in its order.

        Raises:
            RequestError: it cannot be answered, or would take more memory than is set aside.
        """
        model = models[0]
        if isinstance(question, AnalysisRequest):
            self._analyse(question, model, progress)
            return
        if isinstance(question, CompareRequest):
            self._compare(question, model, models[-1], progress)
            return
        request = _explained(question)
        scored = self._scored(request, model, progress)
        if self._results.answer(question) is None:
            if isinstance(question, CheckRequest):
                self._check(question, scored, progress)
            else:
                self._draw(question, scored, progress)

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
        values = partial(self._instead, model, request.donor, progress)
        return changed_flow(clean, request, values, partial(_changing, progress))

    def _instead(
        self, model: LoadedModel, donor: str | None, progress: Progress, instead: Instead
    ) -> Baseline:
        """What an intervention puts in."""
        if instead is Instead.MEAN:
            return self._mean(model, progress)
        assert donor is not None
        return self._other(model, donor, None)

    def _check(self, question: CheckRequest, scored: Scored, progress: Progress) -> None:
        flow = scored.flow
        places = flow.positions * flow.model.shape.layers * _components(flow.model)
        self._check_size(flow.model, len(flow.trace.ids), BYTES_A_PLACE * places)
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
            return self._other(model, question.other, positions)
        return self._mean(model, progress)

    def _other(self, model: LoadedModel, prompt: str, positions: int | None) -> Baseline:
        """The values on another prompt: at so many positions, or at all that it has."""
        ids = model.vocabulary.encode(prompt, model.context)
        self._check_size(model, len(ids))
        return resample(record(model, ids), positions or len(ids), "the values on another prompt")

    def _mean(self, model: LoadedModel, progress: Progress) -> Baseline:
        means = self._means
        if means is None or means[0] is not model:
            texts = reference_prompts()
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
        return Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))

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

    def _check_size(self, model: LoadedModel, tokens: int, more: int = 0) -> None:
        needed, most = scored_bytes(model, tokens) + more, self._results.most_bytes
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


def _components(model: LoadedModel) -> int:
    return model.shape.heads + model.shape.neurons


def _cut(model: LoadedModel, text: str) -> list[int]:
    """A prompt of the reference set, as much of it as the model takes."""
    return model.vocabulary.encode(text, None)[: model.context]


def _reference_read(progress: Progress, total: int, done: int) -> None:
    progress(f"Reading the reference set: {done} of {total} prompts", 0.5)


def _length(which: str, model: LoadedModel, request: ExplainRequest) -> int:
    """How many tokens one side's prompt has; where it has too many, the message says whose."""
    try:
        return len(model.vocabulary.encode(request.prompt, model.context))
    except RequestError as error:
        raise RequestError(f"The {which} of the two: {error}") from None


def _changing(progress: Progress, done: int, parts: int) -> None:
    progress("Running it again with the interventions", 0.6 + 0.2 * done / parts)


def _second_half(progress: Progress, stage: str, fraction: float) -> None:
    progress(stage, 0.5 + 0.5 * fraction)
