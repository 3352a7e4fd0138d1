"""Hand-made results of the analyses, and a session that answers with them."""

from __future__ import annotations

from dataclasses import replace

from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.types import (
    ActiveNeuron,
    ActiveNeurons,
    HeadMatch,
    LayerOfNeurons,
    NeuronMatch,
    NormFilter,
    NormFilters,
    Overlap,
    Prompt,
    PromptOutcome,
    RankedToken,
    Result,
    Series,
    SourceToken,
    TargetCourse,
    TargetGroup,
    TokenChange,
    TokenSearch,
)
from flowviz.errors import NotKept, RequestError
from flowviz.session import Job, JobState
from tests.fakes import FakeSession
from tests.graphs import projection


def series(name: str, *means: float, first: int = 0) -> Series:
    """A line whose deviations are 0.1, each of 8 figures."""
    x = tuple(range(first, first + len(means)))
    return Series(name, f"the {name}", x, means, (0.1,) * len(means), (8,) * len(means))


OVERLAP = Overlap(
    model="demo",
    k=50,
    prompts=2,
    chance=0.01,
    by_layer=(
        series("head_raw~attention_output", 0.05, 0.02),
        series("head_raw~final_output", 0.04, 0.02),
        series("head_through_W_O~attention_output", 0.3, 0.25),
        series("head_through_W_O~final_output", 0.02, 0.5),
    ),
    by_norm_rank=(series("head~attention_output", 0.4, 0.2, first=1),),
    by_attention_rank=(series("value~head", 0.7, 0.3, first=1),),
    among=(series("query~key", 0.1, 0.95), series("query~value", 0.1, 0.0)),
    notes=("The keys of this model are shared.",),
)


def outcome(text: str, answer: str | None, said: str, rank: int) -> PromptOutcome:
    right = None if answer is None else answer == said
    told = Prompt(text, answer, "capitals")
    return PromptOutcome(told, answer or said, said, right, rank, 0.5 / rank, 7, 9)


def group(name: str, prompts: int, probability: float, rank: float) -> TargetGroup:
    return TargetGroup(
        name, prompts, (0.0, probability), (0.0, 0.2), (900.0, rank), (300.0, 1.0), (800.0, rank)
    )


TARGET = TargetCourse(
    model="demo",
    stages=("0 pre", "final"),
    groups=(group("right", 2, 0.9, 1.0), group("wrong", 1, 0.1, 4.0), group("all", 3, 0.6, 2.0)),
    outcomes=(
        outcome("The capital of Japan is", " Tokyo", " Tokyo", 1),
        outcome("=The capital of France is", " Paris", " Rome", 4),
        outcome("The capital of <b>Peru</b> is", " Lima", " Lima", 1),
    ),
)


def change(number: int, text: str, before: float, after: float) -> TokenChange:
    return TokenChange(number, text, before, after, after - before, 0.01, 0.002)


def norm(name: str, layer: int, shift: float) -> NormFilter:
    return NormFilter(
        name=name,
        layer=layer,
        vectors=12,
        losers=(change(1, " the", 0.5, 0.25), change(2, "<b>", 0.1, 0.05)),
        gainers=(change(3, " Paris", 0.1, 0.4),),
        top_before=(RankedToken(1, " the", 0.5), RankedToken(3, " Paris", 0.1)),
        top_after=(RankedToken(3, " Paris", 0.4), RankedToken(4, " Rome", 0.3)),
        overlap=0.5,
        shift=shift,
        entropy_change=-0.5,
        control_overlap=0.8,
        control_shift=0.1,
        control_entropy_change=0.25,
    )


NORMS = NormFilters(
    "demo",
    prompts=2,
    k=2,
    norms=(norm("ln1", 0, 0.2), norm("ln2", 0, 0.6), norm("ln1", 1, 0.3), norm("ln_final", 2, 0.1)),
)


def neuron(layer: int, index: int, share: float) -> ActiveNeuron:
    return ActiveNeuron(layer, index, share, -2.0, 3.0, 4.0, projection(), "The cat sat", 2)


def layer_of(number: int, *shares: int) -> LayerOfNeurons:
    return LayerOfNeurons(number, 16, 2.0, 0.5, 5.0, 0.5, shares, 0.25)


NEURONS = ActiveNeurons(
    "demo",
    prompts=4,
    n=4,
    threshold=0.85,
    neurons=(neuron(0, 5, 1.0), neuron(1, 7, 0.9)),
    layers=(layer_of(0, *[16] * 10, *[2] * 11), layer_of(1, *[16] * 5, *[1] * 15, 0)),
    found=2,
)
SEARCH = TokenSearch(
    "demo",
    " Paris",
    7,
    promoting_neurons=(NeuronMatch(1, 7, 1.5, 0.3, 1), NeuronMatch(0, 5, 1.0, 0.2, 4)),
    suppressing_neurons=(NeuronMatch(1, 9, -2.0, -0.4, 2),),
    promoting_heads=(HeadMatch(1, 3, 9.0, (SourceToken(2, " France", 9.0),)),),
    suppressing_heads=(),
)
RESULTS: dict[Analysis, Result] = {
    Analysis.OVERLAP: OVERLAP,
    Analysis.TARGET: TARGET,
    Analysis.NORMS: NORMS,
    Analysis.NEURONS: NEURONS,
    Analysis.SEARCH: SEARCH,
}


class AnalysesSession(FakeSession):
    """Answers analyses from the results above. A prompt chooses: "slow" takes until it is released
    or cancelled, "fail" fails with the way out."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[AnalysisRequest] = []
        self.held: set[AnalysisRequest] = set()

    def submit(self, request, visitor, *, to_inspect=False):  # type: ignore[override]
        if not isinstance(request, AnalysisRequest):
            return super().submit(request, visitor, to_inspect=to_inspect)
        if request.model not in ("demo", "gpt2"):
            raise RequestError(f"There is no model {request.model!r} here.")
        self.asked.append(request)
        number = str(next(self.numbers))
        job = Job(number, JobState.DONE, "Done", 1.0)
        if "slow" in request.text:
            job = Job(number, JobState.RUNNING, "Prompt 1 of 2", 0.25)
        elif "fail" in request.text:
            job = Job(number, JobState.FAILED, "", 1.0, "Prompt 1 is too long. Shorten it.")
        else:
            self.held.add(request)
        self.jobs[number] = (visitor, request, job, 0.0)
        return job

    def job(self, job_id, visitor):
        job = super().job(job_id, visitor)
        if job.state is JobState.DONE:
            self.held.add(self.jobs[job_id][1])
        return job

    def answer(self, question):
        if question not in self.held:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        return with_model(RESULTS[question.analysis], question.model)


def with_model(result: Result, model: str) -> Result:
    """The same result, of another model."""
    return replace(result, model=model)
