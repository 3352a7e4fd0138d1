"""The session: many visitors, several models, bounded memory, equal answers."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import flowviz.answering as answering_module
import flowviz.explanation as explanation_module
import flowviz.session as session_module
import flowviz.standins as standins_module
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.types import Prompt, TargetCourse
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Ablation
from flowviz.errors import ModelError, NotKept, RequestError
from flowviz.explanation import explain_request
from flowviz.flow import Flow
from flowviz.graph.scored import Scored
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.held import weights_of
from flowviz.inside.request import InsideRequest
from flowviz.jobs import Job, Jobs, JobState
from flowviz.models.catalogue import Catalogue
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, GraphSettings, Score, TargetSpec, Wiring
from flowviz.results import Question, Results, answer_bytes, flow_key, most_tokens, scored_bytes
from flowviz.session import Session, TokenCount
from flowviz.trace import Trace
from tests.models import random_model, save_model

LONG = 60.0
PROMPTS = ("the cat sat", "Mary and John went to the store", "on a mat in Japan", "She said that")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    made = {"a": ("gpt2", 0), "b": ("llama", 1), "c": ("gpt2", 2)}
    return {name: save_model(kind, root / name, seed) for name, (kind, seed) in made.items()}


@pytest.fixture
def catalogue(folders: dict[str, Path], tmp_path: Path) -> Catalogue:
    """Three models that work and one that does not."""
    (tmp_path / "broken").mkdir()
    every = {**folders, "broken": tmp_path / "broken"}
    return Catalogue.of([f"{name}={folder}" for name, folder in every.items()])


@pytest.fixture
def session(catalogue: Catalogue) -> Session:
    return Session(catalogue, cache_bytes=2**28)


class Counted:
    """A function that counts its calls, and can be held up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.calls, self.begun, self.let = 0, threading.Event(), threading.Event()
        self.let.set()
        known = (session_module, answering_module, standins_module)
        modules = [module for module in known if hasattr(module, name)]
        self._real: Callable[..., object] = getattr(modules[0], name)
        for module in modules:
            monkeypatch.setattr(module, name, self)

    def __call__(self, *arguments: object, **named: object) -> object:
        self.calls += 1
        self.begun.set()
        assert self.let.wait(LONG)
        return self._real(*arguments, **named)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    counted = Counted(monkeypatch, "load_any")
    yield counted
    counted.let.set()


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch, "record")


def asked(prompt: str = PROMPTS[0], model: str = "a", **settings: object) -> ExplainRequest:
    target = settings.pop("target", TargetSpec())
    assert isinstance(target, TargetSpec)
    return ExplainRequest(prompt, model, target, GraphSettings(**settings))  # type: ignore[arg-type]


def finished(session: Session, job: Job, visitor: str) -> Job:
    """The job's end, without asking in a loop: its own event says when."""
    session._jobs._records[job.id].ended.wait(LONG)
    return session.job(job.id, visitor)


def run(session: Session, request: Question, visitor: str = "ann") -> Job:
    return finished(session, session.submit(request, visitor), visitor)


def drawn(session: Session, request: ExplainRequest, visitor: str = "ann") -> FlowGraph:
    """The graph of a request, run where it is not there."""
    job = run(session, request, visitor)
    assert job.state is JobState.DONE, job.error
    return session.graph(request)


def model_of(session: Session, name: str = "a") -> LoadedModel:
    model = session._models.look(name)
    assert model is not None
    return model


def held(session: Session) -> list[str]:
    return [choice.name for choice in session.models() if choice.held]


def at_once(count: int, work: Callable[[int], None]) -> None:
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert errors == []


# ---- the same answers ----------------------------------------------------------------------------


def test_a_job_ends_with_the_graph_that_explain_makes(session: Session) -> None:
    request = asked()
    assert run(session, request).state is JobState.DONE
    assert session.graph(request) == explain_request(model_of(session), request).graph


def test_eight_threads_get_what_one_gets(catalogue: Catalogue) -> None:
    requests = [asked(p, m, wiring=w) for p in PROMPTS for m in "ab" for w in Wiring]
    serial = Session(catalogue, cache_bytes=2**28)
    expected = {request: drawn(serial, request) for request in requests}
    together = Session(catalogue, cache_bytes=2**28)
    found: list[tuple[ExplainRequest, FlowGraph]] = []

    def visit(number: int) -> None:
        for turn in range(len(requests)):
            request = requests[(turn * 5 + number * 3) % len(requests)]
            found.append((request, drawn(together, request, f"visitor {number}")))
            together.inspect(request, NodeKey.parse("head:1:0:1"))

    at_once(8, visit)
    assert len(found) == 8 * len(requests)
    assert all(graph == expected[request] for request, graph in found)


def test_two_visitors_who_ask_the_same_compute_once(
    session: Session, loads: Counted, passes: Counted
) -> None:
    at_once(8, lambda number: run(session, asked(), f"visitor {number}") and None)
    assert (loads.calls, passes.calls) == (1, 1)


def test_the_model_is_loaded_once_however_many_want_it(session: Session, loads: Counted) -> None:
    def want(number: int) -> None:
        if number % 2:
            drawn(session, asked(PROMPTS[number % 4]), f"visitor {number}")
        else:
            session.preload()

    at_once(8, want)
    assert loads.calls == 1


def test_targets_and_settings_share_one_pass(session: Session, passes: Counted) -> None:
    drawn(session, asked())
    drawn(session, asked(wiring=Wiring.CIRCUIT))
    drawn(session, asked(score=Score.GRADIENT))
    drawn(session, asked(target=TargetSpec(token="#7", contrast="#9")))
    assert passes.calls == 1


def test_what_is_cached_is_done_at_once_and_cancels_the_visitors_last_job(
    session: Session, loads: Counted
) -> None:
    run(session, asked())
    loads.let.clear()
    loads.begun.clear()
    slow = session.submit(asked(model="b"), "ann")
    assert loads.begun.wait(LONG)
    assert session.submit(asked(), "ann").state is JobState.DONE
    assert session.job(slow.id, "ann").state is JobState.CANCELLED


def test_the_precision_that_another_thread_loads_in_changes_no_number(session: Session) -> None:
    """Transformers changes torch's default for the whole process while it builds a model."""
    node, circuit = NodeKey.parse("head:1:0:1"), asked(wiring=Wiring.CIRCUIT, score=Score.GRADIENT)
    expected = [drawn(session, request) for request in (asked(), circuit)]
    seen = session.inspect(circuit, node)
    session._results._answers.clear()
    session._results.forget("a")
    torch.set_default_dtype(torch.bfloat16)
    try:
        assert [drawn(session, request) for request in (asked(), circuit)] == expected
        assert session.inspect(circuit, node) == seen
    finally:
        torch.set_default_dtype(torch.float32)


# ---- jobs ----------------------------------------------------------------------------------------


def test_a_visitor_sees_only_their_own_jobs(session: Session) -> None:
    job = run(session, asked(), "ann")
    for ask in (session.job, session.cancel):
        with pytest.raises(RequestError):
            ask(job.id, "bob")


def test_cancel_works_while_the_model_loads_and_the_next_one_says_that_it_waits(
    session: Session, loads: Counted
) -> None:
    loads.let.clear()
    job = session.submit(asked(), "ann")
    assert loads.begun.wait(LONG)
    waiting = session.submit(asked(model="b"), "bob")
    assert waiting.stage == "Waiting for 1 other model"
    assert session.cancel(job.id, "ann").state is JobState.CANCELLED
    loads.let.set()
    assert finished(session, waiting, "bob").state is JobState.DONE
    assert session.job(job.id, "ann").state is JobState.CANCELLED
    assert held(session) == ["b"]  # what was cancelled was not kept


def test_a_model_that_is_held_is_used_while_another_loads(session: Session, loads: Counted) -> None:
    drawn(session, asked())
    loads.let.clear()
    loads.begun.clear()
    slow = session.submit(asked(model="b"), "ann")
    assert loads.begun.wait(LONG)
    for number, prompt in enumerate(PROMPTS):
        drawn(session, asked(prompt), f"visitor {number}")
        session.inspect(asked(prompt), NodeKey.parse("head:1:0:1"))
    assert session.count_tokens("a", "the cat") is not None
    assert not session.job(slow.id, "ann").state.ended
    loads.let.set()
    assert finished(session, slow, "ann").state is JobState.DONE


def test_two_visitors_see_one_model_load(session: Session, loads: Counted) -> None:
    loads.let.clear()
    first = session.submit(asked(), "ann")
    assert loads.begun.wait(LONG)
    second = session.submit(asked(PROMPTS[1]), "bob")
    assert (second.stage, second.state) == (first.stage, JobState.RUNNING)
    loads.let.set()
    assert finished(session, first, "ann").state is JobState.DONE
    assert finished(session, second, "bob").state is JobState.DONE
    assert loads.calls == 1


def test_a_model_that_fails_leaves_the_others_working(session: Session) -> None:
    run(session, asked())
    failed = run(session, asked(model="broken"), "bob")
    assert failed.state is JobState.FAILED
    assert "config.json" in (failed.error or "")
    assert run(session, asked(PROMPTS[1])).state is JobState.DONE


def test_running_out_of_memory_is_said_and_survived(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Trace:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(answering_module, "record", fail)
        failed = run(session, asked())
    assert "not enough memory" in (failed.error or "")
    assert run(session, asked()).state is JobState.DONE


def test_a_full_queue_turns_away(catalogue: Catalogue, loads: Counted) -> None:
    session = Session(catalogue, cache_bytes=2**28, jobs=Jobs(most_waiting=1))
    loads.let.clear()
    session.submit(asked(), "ann")
    with pytest.raises(RequestError, match="Many visitors"):
        session.submit(asked(PROMPTS[1]), "bob")


# ---- what visitors may not -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/etc", "../a", "gpt2", "lab/small", "", ".", "A", "a\0", "a "])
def test_a_visitors_text_never_becomes_a_path_or_a_hub_name(
    session: Session, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the disk or the hub was asked")

    for function in ("flowviz.session.load_any", "flowviz.models.hub.model_folder",
                     "pathlib.Path.is_dir", "pathlib.Path.exists", "builtins.open"):  # fmt: skip
        monkeypatch.setattr(function, touched)
    for text in (name, str(folders["a"])):
        request = ExplainRequest("the cat", text)
        asks: tuple[Callable[[], object], ...] = (
            lambda request=request: session.submit(request, "ann"),
            lambda request=request: session.graph(request),
            lambda request=request: session.inspect(request, NodeKey.parse("head:0:0:0")),
            lambda text=text: session.find_tokens(text, "the"),
            lambda text=text: session.count_tokens(text, "the"),
        )
        for ask in asks:
            with pytest.raises(ModelError, match="Choose one of: a, b, c, broken"):
                ask()


def test_tokens_are_told_once_the_model_is_there(session: Session, loads: Counted) -> None:
    assert session.find_tokens("a", "cat") == ()
    assert loads.calls == 0
    drawn(session, asked())
    found = session.find_tokens("a", "cat", 10**9)
    assert found[0].text.strip() == "cat"
    assert model_of(session).vocabulary.resolve(found[0].value) == found[0].id


@pytest.mark.parametrize("prompt", [" ", "\n", "a", "שלום", "🙂", "<script>", "\u202e"])
def test_odd_prompts_are_explained(session: Session, prompt: str) -> None:
    graph = drawn(session, asked(prompt))
    assert graph.checks.exact
    assert len(graph.tokens) > 0


# ---- memory --------------------------------------------------------------------------------------


def storage(scored: Scored) -> int:
    """The bytes of every tensor that a scored flow holds, those of the model aside."""
    seen: dict[int, int] = {}
    weights = scored.flow.model.W_U.untyped_storage().data_ptr()

    def walk(value: object) -> None:
        if isinstance(value, torch.Tensor):
            whole = value.untyped_storage()
            seen[whole.data_ptr()] = whole.nbytes()
        elif isinstance(value, dict):
            walk(tuple(value.values()))
        elif isinstance(value, tuple | list):
            for part in value:
                walk(part)
        elif hasattr(value, "__dict__") and not isinstance(value, LoadedModel):
            walk(tuple(vars(value).values()))

    walk(scored)
    return sum(size for place, size in seen.items() if place != weights)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_the_size_of_a_prompt_is_known_before_it_runs(architecture: str) -> None:
    model = random_model(architecture)
    ids = list(range(60))
    explanation = explain_request(model, asked(model.vocabulary.tokenizer.decode(ids)))
    _ = explanation.scored.gradient, explanation.scored.blend
    tokens = len(explanation.scored.flow.trace.ids)
    assert storage(explanation.scored) == pytest.approx(scored_bytes(model, tokens), rel=0.03)


def test_a_prompt_larger_than_the_whole_bound_is_refused(catalogue: Catalogue) -> None:
    session = Session(catalogue, cache_bytes=2**18)
    job = run(session, asked("the cat " * 30))
    assert job.state is JobState.FAILED
    assert "are set aside. Shorten it." in (job.error or "")


def test_results_stay_within_their_bound_and_come_back(
    catalogue: Catalogue, passes: Counted
) -> None:
    model = random_model("gpt2")
    bound = 6 * scored_bytes(model, 40)
    session = Session(catalogue, cache_bytes=bound)
    requests = [asked(f"{'the cat sat ' * 10}{i}", budget=5) for i in range(20)]
    first = [drawn(session, request) for request in requests]
    assert session._results.bytes <= bound
    assert passes.calls == 20
    assert session._results.scored(requests[0]) is None
    assert drawn(session, requests[0]) == first[0]
    assert passes.calls == 21


def test_a_visitors_call_computes_nothing_and_says_what_to_run_again(
    session: Session, passes: Counted, loads: Counted
) -> None:
    node = NodeKey.parse("head:1:0:1")
    for ask in (lambda: session.graph(asked()), lambda: session.inspect(asked(), node)):
        with pytest.raises(NotKept, match="Run the prompt again"):
            ask()
    assert (passes.calls, loads.calls) == (0, 0)


def test_a_picture_whose_flow_made_room_is_inspected_after_another_run(
    session: Session, passes: Counted
) -> None:
    node = NodeKey.parse("head:1:0:1")
    graph = drawn(session, asked())
    seen = session.inspect(asked(), node)
    session._results.forget("a")
    assert session.graph(asked()) == graph
    with pytest.raises(NotKept):
        session.inspect(asked(), node)
    job = session.submit(asked(), "ann", to_inspect=True)
    assert finished(session, job, "ann").state is JobState.DONE
    assert session.inspect(asked(), node) == seen
    assert passes.calls == 2


def test_a_picture_that_cannot_be_kept_is_refused(catalogue: Catalogue) -> None:
    session = Session(catalogue, cache_bytes=scored_bytes(random_model("gpt2"), 6) * 8 // 7)
    job = run(session, asked(budget=200, coverage=1.0))
    assert job.state is JobState.FAILED
    assert "Draw fewer nodes" in (job.error or "")


def test_graphs_are_counted_at_what_they_take(session: Session) -> None:
    import pickle

    graph = drawn(session, asked(budget=200, coverage=1.0))
    assert answer_bytes(graph) > len(pickle.dumps(graph))


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is freed is freed by the session, not by a collection that happens to come."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_model_that_makes_room_is_let_go_with_its_flows(catalogue: Catalogue) -> None:
    session = Session(catalogue, models_bytes=one_model(), cache_bytes=2**28)
    drawn(session, asked(model="a"))
    dropped = weakref.ref(model_of(session))
    flow = weakref.ref(_scored(session, asked(model="a")).flow)
    graph = drawn(session, asked(model="b"))
    assert held(session) == ["b"]
    assert (dropped(), flow()) == (None, None)
    assert drawn(session, asked(PROMPTS[1], model="a")).model.name == "a"
    assert drawn(session, asked(model="b")) == graph


def one_model() -> int:
    """Room for one of the small models, not for two."""
    return int(1.5 * weights_of(random_model("gpt2").bridge))


@pytest.mark.usefixtures("no_collector")
def test_an_unloaded_models_memory_is_free(tmp_path: Path) -> None:
    width = {"layers": 2, "heads": 16, "d_head": 64, "neurons": 8192}
    large = {n: save_model("gpt2", tmp_path / n, i, **width) for i, n in enumerate("xy")}
    catalogue = Catalogue.of([f"{name}={folder}" for name, folder in large.items()])
    session = Session(catalogue, models_bytes=250 * 2**20, cache_bytes=2**28)
    drawn(session, asked(model="x"))
    size = session.models()[0].bytes
    assert size is not None
    assert size > 150 * 2**20
    before = resident()
    for prompt, name in zip(PROMPTS, "yxyx", strict=True):
        drawn(session, asked(f"again {prompt}", model=name))
        assert held(session) == [name]
    assert resident() - before < 0.5 * size


def resident() -> int:
    """The process's memory now, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_model_that_computes_is_not_unloaded_under_it(
    catalogue: Catalogue, passes: Counted, loads: Counted
) -> None:
    session = Session(catalogue, models_bytes=one_model(), cache_bytes=2**28)
    session.preload()
    passes.let.clear()
    ann = session.submit(asked(), "ann")
    assert passes.begun.wait(LONG)
    bob = session.submit(asked(model="b"), "bob")
    session.cancel(ann.id, "ann")  # its pass goes on until its next stage
    late = session.submit(asked(PROMPTS[1]), "cid")
    assert held(session)[0] == "a"
    assert loads.calls == 1
    passes.let.set()
    assert finished(session, bob, "bob").state is JobState.DONE
    assert finished(session, late, "cid").state is JobState.DONE
    assert session.graph(asked(PROMPTS[1])).model.name == "a"


def test_a_model_larger_than_the_bound_is_refused_and_the_others_stay(catalogue: Catalogue) -> None:
    sizes = {"a": 1, "b": 2**40}
    session = Session(catalogue, models_bytes=one_model(), cache_bytes=2**28,
                      size=lambda entry: sizes[entry.name])  # fmt: skip
    drawn(session, asked())
    failed = run(session, asked(model="b"), "bob")
    assert "b takes 1,048,576 MB; 0 MB are set aside" in (failed.error or "")
    assert held(session) == ["a"]


def test_models_tell_whether_they_are_held_and_what_they_take(session: Session) -> None:
    first = session.models()[0]
    assert (first.held, first.bytes, first.context) == (False, None, None)
    session.preload()
    a, b, *_, broken = session.models()
    assert (a.held, a.bytes, a.context) == (True, weights_of(model_of(session).bridge), 64)
    assert (b.held, b.context) == (False, None)
    assert b.bytes
    assert b.bytes > 10_000
    assert broken.bytes is None
    gpt2 = Session(Catalogue.of(["gpt2"]), cache_bytes=1).models()[0]
    assert gpt2.bytes == 124_000_000 * 4


# ---- counting tokens -----------------------------------------------------------------------------


def test_tokens_are_counted_once_the_model_is_there(session: Session, loads: Counted) -> None:
    assert session.count_tokens("a", "the cat sat") is None
    assert loads.calls == 0
    session.preload()
    count = len(model_of(session).vocabulary.encode(PROMPTS[1], None))
    assert session.count_tokens("a", PROMPTS[1]) == TokenCount(count, 64)
    assert session.count_tokens("a", "") == TokenCount(0, 64)
    over = session.count_tokens("a", "the cat " * 100)
    assert over is not None
    assert over.tokens > over.most
    with pytest.raises(RequestError, match="20,001 characters"):
        session.count_tokens("a", "x" * 20_001)


def test_tokens_are_counted_while_a_pass_runs(session: Session, passes: Counted) -> None:
    session.preload()
    passes.let.clear()
    job = session.submit(asked(), "ann")
    assert passes.begun.wait(LONG)
    assert session.count_tokens("a", "the cat") is not None
    passes.let.set()
    assert finished(session, job, "ann").state is JobState.DONE


def test_the_longest_prompt_is_what_the_model_takes_or_what_the_memory_holds() -> None:
    model = random_model("gpt2")
    assert most_tokens(model, 2**40) == 64
    assert most_tokens(model, scored_bytes(model, 20)) == 20
    assert most_tokens(model, scored_bytes(model, 20) - 1) == 19
    assert most_tokens(model, 0) == 0


# ---- what is kept --------------------------------------------------------------------------------


def _scored(session: Session, request: ExplainRequest) -> Scored:
    scored = session._results.scored(request)
    assert scored is not None
    return scored


@pytest.mark.parametrize("score", [Score.FLOW, Score.GRADIENT])
def test_no_pass_is_kept_by_the_model(session: Session, score: Score) -> None:
    drawn(session, asked("the cat sat on a mat", score=score))
    patterns = [part for block in model_of(session).bridge.blocks for part in [block.attn._pattern]]
    assert patterns == [None] * 3


def test_flows_are_kept_by_what_they_depend_on() -> None:
    assert flow_key(asked(budget=5)) == flow_key(asked(wiring=Wiring.CIRCUIT))
    assert flow_key(asked(PROMPTS[1])) != flow_key(asked(PROMPTS[0]))


def test_what_is_larger_than_the_bound_is_not_kept() -> None:
    results = Results(8)
    model = random_model("gpt2")
    explanation = explain_request(model, asked())
    with pytest.raises(RequestError, match="Draw fewer nodes"):
        results.keep(asked(), explanation.graph)
    results.keep_scored(asked(), explanation.scored)
    assert isinstance(explanation.scored.flow, Flow)
    assert results.bytes == 0


# ---- other questions -----------------------------------------------------------------------------


def test_a_block_opens_from_the_flow_that_is_kept(session: Session, passes: Counted) -> None:
    request = ExplainRequest("the cat sat", "a")
    drawn(session, request)
    inside = InsideRequest("the cat sat", "a", layers=(1, 1))
    assert run(session, inside).state is JobState.DONE
    graph = session.answer(inside)
    assert graph.layers == (1, 1)
    assert graph.checks.exact
    assert passes.calls == 1
    assert session.submit(inside, "bob").state is JobState.DONE


def test_an_analysis_is_kept_and_refused_before_it_runs_where_a_prompt_is_too_long(
    session: Session,
) -> None:
    question = AnalysisRequest(Analysis.TARGET, "a", text="the cat sat\non a mat")
    assert run(session, question).state is JobState.DONE
    found = session.answer(question)
    assert isinstance(found, TargetCourse)
    assert len(found.outcomes) == 2
    long = AnalysisRequest(Analysis.TARGET, "a", text="the cat\n" + "the cat " * 500)
    job = run(session, long)
    assert job.state is JobState.FAILED
    assert "Prompt 2: The prompt has 1,001 tokens" in str(job.error)


def test_an_analysis_is_not_computed_by_who_only_asks_for_it(session: Session) -> None:
    with pytest.raises(NotKept, match="Run the prompt again"):
        session.answer(AnalysisRequest(Analysis.OVERLAP, "a", text="the cat"))


def test_a_graph_is_checked_against_the_model(
    session: Session, passes: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = (Prompt("the cat"), Prompt("She said that"))
    monkeypatch.setattr(explanation_module, "shipped", lambda _name: reference)
    request = ExplainRequest("the cat sat on a mat", "a", settings=GraphSettings(budget=20))
    for question in (
        CheckRequest(request),
        CheckRequest(request, Ablation.RESAMPLE, other="She said that and John went"),
        CheckRequest(request, Ablation.MEAN),
    ):
        assert run(session, question).state is JobState.DONE
        verdict = session.answer(question)
        assert len(verdict.recovery.controls) == 20
    own = explain_request(model_of(session), request).check(
        "resample", other="She said that and John went"
    )
    assert (
        session.answer(
            CheckRequest(request, Ablation.RESAMPLE, other="She said that and John went")
        )
        == own
    )
    assert passes.calls == 2  # the prompt, and the other one


def test_a_check_that_cannot_be_made_says_why(session: Session) -> None:
    request = ExplainRequest("the cat sat on a mat", "a")
    job = run(session, CheckRequest(request, Ablation.RESAMPLE, other="She"))
    assert job.state is JobState.FAILED
    assert "at least as long" in str(job.error)
