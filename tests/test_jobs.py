"""Jobs: told to their owner alone, stopped when they are cancelled, survived by the worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from flowviz.errors import RequestError
from flowviz.jobs import A_FAULT, NO_MEMORY, Job, Jobs, JobState, Progress

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
    jobs.submit(work, "ann", patience=0.0)
    assert work.begun.wait(LONG)
    yield work
    work.let.set()


def nothing(_progress: Progress) -> None:
    pass


def ended(jobs: Jobs, visitor: str = "bob") -> Job:
    """Another job's end: whatever was before it in the queue is over then."""
    return jobs.submit(nothing, visitor, patience=LONG)


def only_job(jobs: Jobs, visitor: str) -> Job:
    (found,) = [r.job for r in jobs._records.values() if r.visitor == visitor]
    return found


def test_quick_work_comes_back_done(jobs: Jobs) -> None:
    job = jobs.submit(nothing, "ann", patience=LONG)
    assert (job.state, job.stage, job.fraction, job.error) == (JobState.DONE, "Done", 1.0, None)
    assert jobs.job(job.id, "ann") == job


def test_progress_is_told_within_bounds(jobs: Jobs) -> None:
    told: list[tuple[str, float]] = []

    def work(progress: Progress) -> None:
        for part in (-1.0, 0.5, 7.0):
            progress("x", part)
            told.append((only_job(jobs, "ann").stage, only_job(jobs, "ann").fraction))

    jobs.submit(work, "ann", patience=LONG)
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
    first = jobs.submit(nothing, "bob", patience=0.0)
    second = jobs.submit(nothing, "cid", patience=0.0)
    assert (first.state, first.stage) == (JobState.WAITING, "Waiting for 1 other run")
    assert jobs.job(second.id, "cid").stage == "Waiting for 2 other runs"
    jobs.cancel(first.id, "bob")
    assert jobs.job(second.id, "cid").stage == "Waiting for 1 other run"


def test_a_cancelled_job_that_waited_never_begins(jobs: Jobs, held: Held) -> None:
    begun: list[int] = []
    job = jobs.submit(lambda progress: begun.append(1), "bob", patience=0.0)
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

    job = jobs.submit(stubborn, "ann", patience=0.0)
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

        job = jobs.submit(busy, "ann", patience=0.0)
        assert begun.wait(LONG)
        jobs.cancel(job.id, "ann")
        assert jobs.job(job.id, "ann").state is JobState.CANCELLED
    assert ended(jobs).state is JobState.DONE


def test_a_new_job_cancels_the_visitors_last(jobs: Jobs, held: Held) -> None:
    waiting = jobs.submit(nothing, "bob", patience=0.0)
    newer = jobs.submit(nothing, "bob", patience=0.0)
    assert jobs.job(waiting.id, "bob").state is JobState.CANCELLED
    assert jobs.job(newer.id, "bob").state is JobState.WAITING
    answered = jobs.done("bob")
    assert jobs.job(newer.id, "bob").state is JobState.CANCELLED
    assert jobs.job(answered.id, "bob").state is JobState.DONE
    assert only_job(jobs, "ann").state is JobState.RUNNING


def test_the_queue_is_bounded_and_impatient_visitors_do_not_fill_it(jobs: Jobs, held: Held) -> None:
    for _ in range(100):
        jobs.submit(nothing, "bob", patience=0.0)
    jobs.submit(nothing, "cid", patience=0.0)
    with pytest.raises(RequestError, match="Many visitors"):
        jobs.submit(nothing, "dan", patience=0.0)
    assert len(jobs._queue) == 2
    held.let.set()
    assert ended(jobs, "bob").state is JobState.DONE


def test_the_table_is_bounded_and_forgets_the_oldest_that_ended(jobs: Jobs) -> None:
    found = [jobs.submit(nothing, f"visitor {i}", patience=LONG) for i in range(20)]
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
        job = jobs.submit(fail, "ann", patience=LONG)
    assert (job.state, job.error) == (JobState.FAILED, words)
    assert bool(caplog.records) is not isinstance(error, RequestError)
    assert ended(jobs).state is JobState.DONE


def test_ended_work_is_let_go(jobs: Jobs) -> None:
    jobs.submit(nothing, "ann", patience=LONG)
    assert all(record.work is None for record in jobs._records.values())


def test_many_threads_submit_at_once() -> None:
    jobs = Jobs(most_waiting=100)
    done: list[JobState] = []

    def visit(name: str) -> None:
        for _ in range(20):
            done.append(jobs.submit(nothing, name, patience=LONG).state)

    threads = [threading.Thread(target=visit, args=[f"visitor {i}"]) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [JobState.DONE] * 160
