"""Eight visitors at once: who changes a pass changes it for nobody else.

Half of them ask for clean graphs, half for changed ones and for checks, of a session that can keep
next to nothing, so that the model runs again and again. Whatever comes out is, to the last bit,
what one visitor gets who is alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from flowviz import answering, standins
from flowviz.causal import passes
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Verdict
from flowviz.errors import NotKept
from flowviz.explanation import explain_request
from flowviz.graph.types import FlowGraph
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import ExplainRequest
from flowviz.results import Question
from flowviz.session import JobState, Session

VISITORS = 8
QUESTIONS = 6  # of each visitor; who has checks run asks for two, since each is many passes
CHECKS = 2
LONG = 120.0
PATIENCE = 20  # times that a visitor runs again what made room before it was read
KEPT = 6 * 2**20  # bytes: one flow of these prompts and its graph, and hardly a second
JAPAN = "The capital of Japan is"
MARY = "Mary gave a book to John, and John gave it to"
EDITS = (
    "head:3:*:1=0;neuron:2:4:17=2",
    "resid_pre:3:4=0.5",
    "head:1:*:0,head:1:*:1,head:1:*:2=-1",
    "resid_mid:2:4=donor;embed:0:3=donor",
)


def asked(prompt: str = JAPAN, **more: str) -> ExplainRequest:
    """A small graph: what differs between passes differs in it, and it is soon drawn."""
    return ExplainRequest.from_mapping({"model": "demo", "prompt": prompt, "budget": "20", **more})


CLEAN = (
    asked(),
    asked(token=" London", contrast=" Tokyo"),
    asked(MARY, wiring="circuit"),
    asked(MARY, position="5", score="gradient"),
)
CHANGED = tuple(asked(interventions=edit, donor=JAPAN.replace("Japan", "Spain")) for edit in EDITS)
CHECKED = (CheckRequest(CLEAN[0]), CheckRequest(CHANGED[0]))
Answered = FlowGraph | Verdict


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model("demo")


@pytest.fixture(scope="module")
def alone(model: LoadedModel) -> dict[Question, Answered]:
    """What each question is answered with where nothing else runs."""
    session = holding(model, 2**28)
    return {question: answer(session, question, "one") for question in CLEAN + CHANGED + CHECKED}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name for each time that the model ran."""
    seen: list[str] = []
    for module, name in ((answering, "record"), (standins, "record"), (passes, "_batch")):
        monkeypatch.setattr(module, name, _told(getattr(module, name), name, seen))
    return seen


def _told(work: Callable, name: str, seen: list[str]) -> Callable:
    def tell(*args: object, **named: object) -> object:
        seen.append(name)
        return work(*args, **named)

    return tell


def holding(model: LoadedModel, cache_bytes: int) -> Session:
    session = Session(cache_bytes=cache_bytes, load=lambda _entry, _progress: model)
    session.preload()
    return session


def answer(session: Session, question: Question, visitor: str) -> Answered:
    """As a page does: submits, waits, reads, and runs again what made room meanwhile."""
    for _ in range(PATIENCE):
        job = session.submit(question, visitor)
        session._jobs._records[job.id].ended.wait(LONG)
        job = session.job(job.id, visitor)
        assert job.state is JobState.DONE, (question, job)
        try:
            return session.answer(question)
        except NotKept:
            continue
    raise AssertionError(f"{question} made room {PATIENCE} times")


def at_once(work: Callable[[int], None]) -> None:
    """Every visitor's work in a thread of its own, all begun together."""
    errors: list[BaseException] = []
    begin = threading.Barrier(VISITORS)

    def guarded(number: int) -> None:
        try:
            begin.wait(LONG)
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[number]) for number in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert errors == []
    assert not any(thread.is_alive() for thread in threads)


def in_turn(questions: tuple[Question, ...], visitor: int) -> list[Question]:
    """So many of them, in an order of this visitor's own."""
    count = CHECKS if questions is CHECKED else QUESTIONS
    return [questions[(visitor + turn) % len(questions)] for turn in range(count)]


def test_what_the_visitors_ask_for_differs(alone: dict[Question, Answered]) -> None:
    """Else equal answers would prove nothing."""
    clean = alone[CLEAN[0]]
    for question in CHANGED:
        changed = alone[question]
        assert isinstance(changed, FlowGraph)
        assert changed.interventions
        assert changed.target.before is not None
        assert changed.target.value != clean.target.value
    values = {alone[question].target.value for question in CLEAN + CHANGED}
    assert len(values) == len(CLEAN + CHANGED)
    assert alone[CHECKED[0]] != alone[CHECKED[1]]


def test_eight_visitors_get_what_each_gets_alone(
    model: LoadedModel, alone: dict[Question, Answered], runs: list[str]
) -> None:
    session = holding(model, KEPT)
    found: list[tuple[Question, Answered]] = []

    def visit(number: int) -> None:
        mine = CLEAN if number < 4 else CHANGED if number < 6 else CHECKED
        for question in in_turn(mine, number):
            found.append((question, answer(session, question, f"visitor {number}")))

    at_once(visit)
    assert len(found) == 6 * QUESTIONS + 2 * CHECKS
    assert [question for question, got in found if got != alone[question]] == []
    assert runs.count("record") > QUESTIONS  # not all came from what was kept
    assert runs.count("_batch") > CHECKS


def test_eight_threads_explain_with_one_model_as_one_does(
    model: LoadedModel, alone: dict[Question, Answered]
) -> None:
    """Without a session's queue between them: only the model's own lock keeps passes apart."""
    requests = CLEAN + CHANGED[:3]
    found: list[tuple[ExplainRequest, FlowGraph]] = []

    def visit(number: int) -> None:
        mine = requests if number % 2 else CLEAN
        for request in in_turn(mine, number):
            assert isinstance(request, ExplainRequest)
            found.append((request, explain_request(model, request).graph))

    at_once(visit)
    assert len(found) == VISITORS * QUESTIONS
    assert [request for request, graph in found if graph != alone[request]] == []
