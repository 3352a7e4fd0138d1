"""A comparison asked of the session: quick, kept, and of two models held together."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import flowviz.answering as answering_module
from flowviz.compare.request import CompareRequest
from flowviz.compare.types import Comparison
from flowviz.errors import ModelError, NotKept
from flowviz.explanation import explain_request
from flowviz.held import Lease
from flowviz.jobs import Job, JobState
from flowviz.models.catalogue import Catalogue
from flowviz.models.loading import load_model
from flowviz.request import ExplainRequest, GraphSettings, TargetSpec
from flowviz.results import answer_bytes
from flowviz.session import Session
from flowviz.trace import Trace
from tests.models import save_model
from tests.test_held import Shelf, entry, silent

LONG = 60.0
PROMPTS = "the cat sat", "Mary and John went"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    made = {"a": ("gpt2", 0), "b": ("gpt2", 1), "c": ("llama", 2)}
    return {name: save_model(kind, root / name, seed) for name, (kind, seed) in made.items()}


@pytest.fixture
def catalogue(folders: dict[str, Path]) -> Catalogue:
    return Catalogue.of([f"{name}={folder}" for name, folder in folders.items()])


@pytest.fixture
def session(catalogue: Catalogue) -> Session:
    return Session(catalogue, cache_bytes=2**28)


def pair(
    models: str = "aa", prompts: tuple[str, str] = PROMPTS, budget: int = 60
) -> CompareRequest:
    first, second = (
        ExplainRequest(prompt, model, settings=GraphSettings(budget=budget))
        for prompt, model in zip(prompts, models, strict=True)
    )
    return CompareRequest(first, second)


def finished(session: Session, request: CompareRequest, visitor: str = "ann") -> Job:
    job = session.submit(request, visitor)
    session._jobs._records[job.id].ended.wait(LONG)
    return session.job(job.id, visitor)


def run(session: Session, request: CompareRequest, visitor: str = "ann") -> Comparison:
    job = finished(session, request, visitor)
    assert job.state is JobState.DONE, job.error
    return session.answer(request)


def test_two_prompts_are_compared_and_kept(session: Session) -> None:
    comparison = run(session, pair())
    assert [side.prompt for side in (comparison.first, comparison.second)] == list(PROMPTS)
    assert comparison.same_number
    assert comparison.graph.nodes
    again = session.submit(pair(), "bob")
    assert again.state is JobState.DONE
    assert session.answer(pair()) is comparison


def test_the_second_explains_the_firsts_top_prediction(session: Session) -> None:
    comparison = run(session, pair())
    alone = explain_request(load_model(session._catalogue.entry("a")), pair().first).graph
    assert comparison.first.target.token.id == alone.predictions[0].id
    assert comparison.second.target.token.id == alone.predictions[0].id
    other = run(session, pair().swapped(comparison.first.target.token.id))
    assert other.graph.target.value == -comparison.graph.target.value
    assert {n.key: n.flow for n in other.graph.nodes} == {
        n.key: -n.flow for n in comparison.graph.nodes
    }


def test_equal_requests_take_one_pass_and_have_no_difference(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    record = answering_module.record

    def counted(*arguments: Any, **named: Any) -> Trace:
        passes.append(1)
        return record(*arguments, **named)

    monkeypatch.setattr(answering_module, "record", counted)
    assert run(session, pair(prompts=(PROMPTS[0], PROMPTS[0]))).same
    assert len(passes) == 1
    run(session, pair(budget=20))  # the first flow is kept; only the second prompt is run
    assert len(passes) == 2


def test_two_models_are_held_together_and_compared(session: Session) -> None:
    comparison = run(session, pair("ab", (PROMPTS[0], PROMPTS[0])))
    assert (comparison.first.model.name, comparison.second.model.name) == ("a", "b")
    assert comparison.graph.model.name == "a → b"
    assert all(column.same for column in comparison.columns)
    assert {choice.name for choice in session.models() if choice.held} == {"a", "b"}
    back = run(session, pair("ba", (PROMPTS[0], PROMPTS[0])).swapped())
    assert back.first.model.name == "a"


def test_models_of_other_shapes_are_refused_and_the_worker_goes_on(session: Session) -> None:
    job = finished(session, pair("ac"))
    assert job.state is JobState.FAILED
    assert "GPT2LMHeadModel" in str(job.error)
    assert "LlamaForCausalLM" in str(job.error)
    assert run(session, pair("aa"))
    assert all(place.runs == 0 for place in session._models._places.values())


def test_a_model_that_is_not_offered_is_refused_on_either_side(session: Session) -> None:
    for models in ("ax", "xa"):
        with pytest.raises(ModelError):
            session.submit(pair(models), "ann")
        with pytest.raises(ModelError):
            session.answer(pair(models))


def test_what_is_not_kept_is_said(session: Session) -> None:
    with pytest.raises(NotKept, match="Run the prompt again"):
        session.answer(pair(budget=7))


def test_a_target_that_cannot_be_is_told(session: Session) -> None:
    first = ExplainRequest(PROMPTS[0], "a", TargetSpec("#5", "#6"))
    second = ExplainRequest(PROMPTS[1], "a", TargetSpec("#6", "#6"))
    job = finished(session, CompareRequest(first, second))
    assert job.state is JobState.FAILED
    assert "same token" in str(job.error)


def test_two_models_that_do_not_fit_together_are_refused(catalogue: Catalogue) -> None:
    size = weights(catalogue, "a")
    session = Session(catalogue, cache_bytes=2**28, models_bytes=int(1.5 * size))
    job = finished(session, pair("ab"))
    assert job.state is JobState.FAILED
    assert "together take" in str(job.error)
    assert run(session, pair("aa"))
    assert run(session, pair("bb"))


def weights(catalogue: Catalogue, name: str) -> int:
    session = Session(catalogue, cache_bytes=2**28)
    return session._models._needed(session._catalogue.entry(name))


def test_two_passes_that_do_not_fit_into_memory_are_refused(catalogue: Catalogue) -> None:
    session = Session(catalogue, cache_bytes=200_000)
    job = finished(session, pair(prompts=("a cat " * 40, "a mat " * 40)))
    assert job.state is JobState.FAILED
    assert "Shorten it" in str(job.error)


def test_a_comparison_is_counted_at_what_it_takes(session: Session) -> None:
    comparison = run(session, pair())
    nodes = len(comparison.graph.nodes) + 2 * len(comparison.changes)
    assert answer_bytes(comparison) > 1000 * nodes


def test_many_visitors_with_both_orders_of_two_models_all_get_an_answer(
    catalogue: Catalogue,
) -> None:
    size = weights(catalogue, "a")
    session = Session(catalogue, cache_bytes=2**28, models_bytes=int(2.5 * size))
    found: dict[int, float] = {}

    def visit(number: int) -> None:
        models = ("ab", "ba", "cc", "ba")[number % 4]
        request = pair(models, (PROMPTS[0], PROMPTS[1]), budget=10 + number)
        found[number] = run(session, request, f"visitor {number}").graph.target.value

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert len(found) == 8
    assert found[0] == found[4]
    assert found[1] == found[3]
    assert all(place.runs == 0 for place in session._models._places.values())


def test_none_of_two_makes_room_for_the_other() -> None:
    shelf = Shelf(room=2.5)
    for name in "ab":
        shelf.get(name)
    shelf.held.load_together((entry("a"), entry("c")), silent)
    assert set(shelf.names) == {"a", "c"}
    assert shelf.forgotten == ["b"]


def test_a_lease_takes_all_its_models_or_none() -> None:
    shelf = Shelf()
    shelf.get("a")
    lease = Lease(shelf.held, "a", "b")
    assert not lease.take()
    assert shelf.held._places["a"].runs == 0
    with pytest.raises(RuntimeError, match="without having been taken"):
        _ = lease.models
    shelf.get("b")
    assert lease.take()
    assert lease.take()
    assert [shelf.held._places[name].runs for name in "ab"] == [1, 1]
    assert len(lease.models) == 2
    lease.give_back()
    lease.give_back()
    assert [shelf.held._places[name].runs for name in "ab"] == [0, 0]


def test_together_they_must_fit() -> None:
    shelf = Shelf(room=1.5)
    shelf.get("a")
    with pytest.raises(ModelError, match=r"Model a and Model b together take .* smaller models"):
        shelf.held.load_together((entry("a"), entry("b")), silent)
    assert shelf.names == ["a"]
