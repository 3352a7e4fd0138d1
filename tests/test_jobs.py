"""Jobs: told to their owner alone, stopped when they are cancelled, survived by the worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from flowviz.errors import Cancelled, ModelError, RequestError
from flowviz.jobs import A_FAULT, NO_MEMORY, Errand, Job, Jobs, JobState, Progress

LONG = 20.0  # seconds; a test that waits so long has failed


class Held:
    """Work that begins, says so, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.let, self.after = threading.Event(), threading.Event(), threading.Event()
        self.stages: list[str] = []

    def __call__(self, progress: Progress) -> None:
        self.stages.append("begun")
        progress("Half", 0.5)
        self.begun.set()
        assert self.let.wait(LONG)
        try:
            progress("More", 0.75)
            self.stages.append("more")
        finally:
            self.after.set()


@pytest.fixture
def jobs() -> Jobs:
    return Jobs(most_waiting=3, most_kept=5)


@pytest.fixture
def held(jobs: Jobs) -> Iterator[Held]:
    """A job of Ann's that runs until it is let go."""
    work = Held()
    jobs.submit(Errand(work), "ann", patience=0.0)
    assert work.begun.wait(LONG)
    yield work
    work.let.set()


def nothing(_progress: Progress) -> None:
    pass


def ended(jobs: Jobs, visitor: str = "bob") -> Job:
    """Another job's end: whatever was before it in the queue is over then."""
    return jobs.submit(Errand(nothing), visitor, patience=LONG)


def only_job(jobs: Jobs, visitor: str) -> Job:
    (found,) = [r.job for r in jobs._records.values() if r.visitor == visitor]
    return found


def test_quick_work_comes_back_done(jobs: Jobs) -> None:
    job = jobs.submit(Errand(nothing), "ann", patience=LONG)
    assert (job.state, job.stage, job.fraction, job.error) == (JobState.DONE, "Done", 1.0, None)
    assert jobs.job(job.id, "ann") == job


def test_progress_is_told_within_bounds(jobs: Jobs) -> None:
    told: list[tuple[str, float]] = []

    def work(progress: Progress) -> None:
        for part in (-1.0, 0.5, 7.0):
            progress("x", part)
            told.append((only_job(jobs, "ann").stage, only_job(jobs, "ann").fraction))

    jobs.submit(Errand(work), "ann", patience=LONG)
    assert told == [("x", 0.0), ("x", 0.5), ("x", 1.0)]


def test_a_job_is_told_to_its_owner_alone(jobs: Jobs, held: Held) -> None:
    job = only_job(jobs, "ann")
    for stranger in ("bob", "", "ann ", "\ud800", "ANN"):
        for ask in (jobs.job, jobs.cancel):
            with pytest.raises(RequestError, match="Run it again"):
                ask(job.id, stranger)
    assert jobs.job(job.id, "ann").state is JobState.RUNNING
    with pytest.raises(RequestError):
        jobs.job("no such job", "ann")


def test_waiting_jobs_say_how_many_are_before_them(jobs: Jobs, held: Held) -> None:
    first = jobs.submit(Errand(nothing), "bob", patience=0.0)
    second = jobs.submit(Errand(nothing), "cid", patience=0.0)
    assert (first.state, first.stage) == (JobState.WAITING, "Waiting for 1 other run")
    assert jobs.job(second.id, "cid").stage == "Waiting for 2 other runs"
    jobs.cancel(first.id, "bob")
    assert jobs.job(second.id, "cid").stage == "Waiting for 1 other run"


def test_a_cancelled_job_that_waited_never_begins(jobs: Jobs, held: Held) -> None:
    begun: list[int] = []
    job = jobs.submit(Errand(lambda progress: begun.append(1)), "bob", patience=0.0)
    assert jobs.cancel(job.id, "bob").state is JobState.CANCELLED
    held.let.set()
    ended(jobs, "cid")
    assert begun == []


def test_a_cancelled_job_stops_at_its_next_stage(jobs: Jobs, held: Held) -> None:
    job = only_job(jobs, "ann")
    assert jobs.cancel(job.id, "ann").state is JobState.CANCELLED
    held.let.set()
    assert ended(jobs).state is JobState.DONE
    assert held.stages == ["begun"]
    assert jobs.job(job.id, "ann").state is JobState.CANCELLED


def test_what_is_cancelled_stays_cancelled_whatever_it_does(jobs: Jobs) -> None:
    begun, let = threading.Event(), threading.Event()

    def stubborn(_progress: Progress) -> None:
        begun.set()
        assert let.wait(LONG)
        raise ValueError("late")

    job = jobs.submit(Errand(stubborn), "ann", patience=0.0)
    assert begun.wait(LONG)
    jobs.cancel(job.id, "ann")
    let.set()
    ended(jobs)
    assert jobs.job(job.id, "ann").state is JobState.CANCELLED


def test_cancels_and_stages_never_leave_a_job_running(jobs: Jobs) -> None:
    """A stage written just after the cancel once made it run for ever."""
    for _ in range(200):
        begun = threading.Event()

        def busy(progress: Progress, begun: threading.Event = begun) -> None:
            while True:
                progress("busy", 0.5)
                begun.set()

        job = jobs.submit(Errand(busy), "ann", patience=0.0)
        assert begun.wait(LONG)
        jobs.cancel(job.id, "ann")
        assert jobs.job(job.id, "ann").state is JobState.CANCELLED
    assert ended(jobs).state is JobState.DONE


def test_a_new_job_cancels_the_visitors_last(jobs: Jobs, held: Held) -> None:
    waiting = jobs.submit(Errand(nothing), "bob", patience=0.0)
    newer = jobs.submit(Errand(nothing), "bob", patience=0.0)
    assert jobs.job(waiting.id, "bob").state is JobState.CANCELLED
    assert jobs.job(newer.id, "bob").state is JobState.WAITING
    answered = jobs.done("bob")
    assert jobs.job(newer.id, "bob").state is JobState.CANCELLED
    assert jobs.job(answered.id, "bob").state is JobState.DONE
    assert only_job(jobs, "ann").state is JobState.RUNNING


def test_the_queue_is_bounded_and_impatient_visitors_do_not_fill_it(jobs: Jobs, held: Held) -> None:
    for _ in range(100):
        jobs.submit(Errand(nothing), "bob", patience=0.0)
    jobs.submit(Errand(nothing), "cid", patience=0.0)
    with pytest.raises(RequestError, match="Many visitors"):
        jobs.submit(Errand(nothing), "dan", patience=0.0)
    assert len(jobs._working.queue) == 2
    held.let.set()
    assert ended(jobs, "bob").state is JobState.DONE


def test_the_table_is_bounded_and_forgets_the_oldest_that_ended(jobs: Jobs) -> None:
    found = [jobs.submit(Errand(nothing), f"visitor {i}", patience=LONG) for i in range(20)]
    assert len(jobs._records) == 5
    with pytest.raises(RequestError):
        jobs.job(found[0].id, "visitor 0")
    assert jobs.job(found[-1].id, "visitor 19").state is JobState.DONE


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RequestError("Shorten it."), "Shorten it."),
        (MemoryError(), NO_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), NO_MEMORY),
        (ZeroDivisionError("secret"), A_FAULT),
        (SystemExit(1), A_FAULT),
        (KeyboardInterrupt(), A_FAULT),
    ],
)
def test_whatever_work_raises_is_told_and_the_worker_goes_on(
    jobs: Jobs, error: BaseException, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_progress: Progress) -> None:
        raise error

    with caplog.at_level(logging.ERROR):
        job = jobs.submit(Errand(fail), "ann", patience=LONG)
    assert (job.state, job.error) == (JobState.FAILED, words)
    assert bool(caplog.records) is not isinstance(error, RequestError)
    assert ended(jobs).state is JobState.DONE


def test_ended_work_is_let_go(jobs: Jobs) -> None:
    jobs.submit(Errand(nothing), "ann", patience=LONG)
    assert all(record.errand is None for record in jobs._records.values())


def test_many_threads_submit_at_once() -> None:
    jobs = Jobs(most_waiting=100)
    done: list[JobState] = []

    def visit(name: str) -> None:
        for _ in range(20):
            done.append(jobs.submit(Errand(nothing), name, patience=LONG).state)

    threads = [threading.Thread(target=visit, args=[f"visitor {i}"]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [JobState.DONE] * 160


def test_closing_stops_what_runs_and_ends_the_threads(jobs: Jobs, model: Model) -> None:
    work = Held()
    jobs.submit(Errand(work), "ann", patience=0.0)
    jobs.submit(model.errand(), "bob", patience=0.0)
    assert work.begun.wait(LONG)
    assert model.begun.wait(LONG)
    threads = [jobs._working._thread, jobs._preparing._thread]
    closing = threading.Thread(target=jobs.close, args=[LONG])
    closing.start()
    assert all(record.ended.wait(LONG) for record in jobs._records.values())
    work.let.set()
    model.let.set()
    closing.join(LONG)
    assert [thread is not None and thread.is_alive() for thread in threads] == [False, False]
    assert not model.there
    assert only_job(jobs, "ann").state is JobState.CANCELLED
    with pytest.raises(RequestError, match="is stopping"):
        jobs.submit(Errand(nothing), "cid")


# ---- what has to be prepared first ---------------------------------------------------------------


class Model:
    """Something that errands need: prepared when it is let, taken and given back."""

    def __init__(self, name: str = "model") -> None:
        self.name, self.there, self.calls, self.taken, self.back = name, False, 0, 0, 0
        self.begun, self.let = threading.Event(), threading.Event()
        self.fault: Exception | None = None

    def prepare(self, progress: Progress) -> None:
        self.calls += 1
        progress(f"Loading {self.name}", 0.25)
        self.begun.set()
        assert self.let.wait(LONG)
        progress(f"Nearly there with {self.name}", 0.5)
        if self.fault:
            raise self.fault
        self.there = True

    def ready(self) -> bool:
        self.taken += self.there
        return self.there

    def release(self) -> None:
        self.back += 1

    def errand(self, work: Callable[[Progress], object] = nothing) -> Errand:
        return Errand(work, self.ready, self.prepare, self.name, self.release)


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    yield made
    made.let.set()


def last(jobs: Jobs, job: Job, visitor: str) -> Job:
    """The job's end."""
    assert jobs._records[job.id].ended.wait(LONG)
    return jobs.job(job.id, visitor)


def test_what_is_prepared_is_prepared_beside_the_work_of_others(
    jobs: Jobs, held: Held, model: Model
) -> None:
    bob = jobs.submit(model.errand(), "bob", patience=0.0)
    assert model.begun.wait(LONG)  # while Ann's work runs
    assert only_job(jobs, "ann").state is JobState.RUNNING
    assert only_job(jobs, "bob").stage == "Loading model"
    held.let.set()
    held.after.wait(LONG)
    assert ended(jobs, "cid").state is JobState.DONE  # while Bob's model loads
    model.let.set()
    assert last(jobs, bob, "bob").state is JobState.DONE


def test_those_who_need_the_same_wait_for_one_preparation_and_all_see_how_far_it_is(
    jobs: Jobs, model: Model
) -> None:
    first = jobs.submit(model.errand(), "ann", patience=0.0)
    assert model.begun.wait(LONG)
    second = jobs.submit(model.errand(), "bob", patience=0.0)
    assert (second.state, second.stage, second.fraction) == (
        JobState.RUNNING, "Loading model", 0.25)  # fmt: skip
    other = jobs.submit(Model("another").errand(), "cid", patience=0.0)
    assert (other.state, other.stage) == (JobState.WAITING, "Waiting for 1 other model")
    model.let.set()
    for job, visitor in ((first, "ann"), (second, "bob")):
        assert last(jobs, job, visitor).state is JobState.DONE
    assert (model.calls, model.taken, model.back) == (1, 2, 2)


def test_a_preparation_goes_on_while_anybody_wants_it(jobs: Jobs, model: Model) -> None:
    first = jobs.submit(model.errand(), "ann", patience=0.0)
    assert model.begun.wait(LONG)
    second = jobs.submit(model.errand(), "bob", patience=0.0)
    jobs.cancel(first.id, "ann")
    model.let.set()
    assert last(jobs, second, "bob").state is JobState.DONE
    assert jobs.job(first.id, "ann").state is JobState.CANCELLED
    assert model.calls == 1


def test_a_preparation_that_nobody_wants_any_more_stops_at_its_next_stage(
    jobs: Jobs, model: Model
) -> None:
    job = jobs.submit(model.errand(), "ann", patience=0.0)
    assert model.begun.wait(LONG)
    jobs.cancel(job.id, "ann")
    model.let.set()
    other = Model("another")
    other.let.set()
    assert last(jobs, jobs.submit(other.errand(), "bob"), "bob").state is JobState.DONE
    assert not model.there


def test_who_joins_a_preparation_that_was_just_given_up_has_it_begun_again(jobs: Jobs) -> None:
    model, joined, again = Model(), [], threading.Event()
    model.let.set()

    def prepare(progress: Progress) -> None:
        if not joined:
            progress("Loading", 0.1)
            jobs._stop_all("ann")
            with pytest.raises(Cancelled):
                progress("Loading more", 0.2)
            joined.append(jobs.submit(errand, "bob", patience=0.0))
            again.set()
            raise Cancelled("The run was cancelled.")
        model.prepare(progress)

    errand = Errand(nothing, model.ready, prepare, "model")
    jobs.submit(errand, "ann", patience=0.0)
    assert again.wait(LONG)
    assert last(jobs, joined[0], "bob").state is JobState.DONE
    assert model.calls == 1


def test_a_preparation_that_fails_is_told_to_who_wanted_it_and_can_be_tried_again(
    jobs: Jobs, model: Model, held: Held
) -> None:
    model.fault = ModelError("The weights are cut off.")
    job = jobs.submit(model.errand(), "bob", patience=0.0)
    model.let.set()
    failed = last(jobs, job, "bob")
    assert (failed.state, failed.error) == (JobState.FAILED, "The weights are cut off.")
    assert only_job(jobs, "ann").state is JobState.RUNNING
    model.fault = None
    held.let.set()
    assert last(jobs, jobs.submit(model.errand(), "bob"), "bob").state is JobState.DONE


def test_impatient_visitors_do_not_fill_a_preparation(jobs: Jobs, model: Model) -> None:
    for _ in range(50):
        jobs.submit(model.errand(), "ann", patience=0.0)
        assert model.begun.wait(LONG)
    assert jobs.submit(model.errand(), "bob", patience=0.0).state is JobState.RUNNING
    jobs.submit(model.errand(), "cid", patience=0.0)
    with pytest.raises(RequestError, match="Many visitors"):
        jobs.submit(model.errand(), "dan", patience=0.0)


def test_what_was_taken_is_given_back_once_and_not_before_the_work_has_ended(jobs: Jobs) -> None:
    model = Model()
    model.there = True
    work = Held()
    running = jobs.submit(model.errand(work), "ann", patience=0.0)
    assert work.begun.wait(LONG)
    waiting = jobs.submit(model.errand(), "bob", patience=0.0)
    jobs.cancel(waiting.id, "bob")
    assert (model.taken, model.back) == (2, 1)
    jobs.cancel(running.id, "ann")
    jobs.cancel(running.id, "ann")
    assert model.back == 1  # it still runs
    work.let.set()
    ended(jobs, "cid")
    assert model.back == 2


def test_what_fails_gives_back_too(jobs: Jobs) -> None:
    model = Model()
    model.there = True

    def fail(_progress: Progress) -> None:
        raise ZeroDivisionError

    assert jobs.submit(model.errand(fail), "ann", patience=LONG).state is JobState.FAILED
    assert (model.taken, model.back) == (1, 1)


def test_long_work_keeps_no_quick_question_waiting(jobs: Jobs) -> None:
    first = Held()
    running = jobs.submit(Errand(first, long=True), "ann", patience=0.0)
    assert first.begun.wait(LONG)
    next_one = jobs.submit(Errand(nothing, long=True), "bob", patience=0.0)
    assert jobs.job(next_one.id, "bob").stage == "Waiting for 1 other analysis"
    assert jobs.submit(Errand(nothing), "cid", patience=LONG).state is JobState.DONE
    assert jobs.job(running.id, "ann").state is JobState.RUNNING
    first.let.set()
    assert ended_as(jobs, next_one, "bob") is JobState.DONE


def test_long_work_gives_back_what_it_took_when_it_has_ended(jobs: Jobs) -> None:
    model, work = Model(), Held()
    model.there = True
    errand = replace(model.errand(work), long=True)
    running = jobs.submit(errand, "ann", patience=0.0)
    assert work.begun.wait(LONG)
    jobs.cancel(running.id, "ann")
    assert (model.taken, model.back) == (1, 0)
    work.let.set()
    assert jobs.submit(Errand(nothing, long=True), "bob", patience=LONG).state is JobState.DONE
    assert (model.taken, model.back) == (1, 1)


def ended_as(jobs: Jobs, job: Job, visitor: str) -> JobState:
    assert jobs._records[job.id].ended.wait(LONG)
    return jobs.job(job.id, visitor).state


def test_long_work_that_waits_turns_no_quick_question_away(jobs: Jobs) -> None:
    first = Held()
    jobs.submit(Errand(first, long=True), "ann", patience=0.0)
    for visitor in ("bob", "cid"):
        jobs.submit(Errand(nothing, long=True), visitor, patience=0.0)
    with pytest.raises(RequestError, match="Many visitors"):
        jobs.submit(Errand(nothing, long=True), "dan", patience=0.0)
    assert jobs.submit(Errand(nothing), "eve", patience=LONG).state is JobState.DONE
    first.let.set()
