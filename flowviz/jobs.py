"""Jobs: long work on one worker thread, with progress, cancel and an owner.

A visitor has one job at a time: a new one cancels the last. A job is told to its owner alone.
What was cancelled before it began is never begun, and whatever a job raises, the worker goes on.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from flowviz.errors import Cancelled, FlowvizError, RequestError

Progress = Callable[[str, float], None]
Work = Callable[[Progress], object]
log = logging.getLogger(__name__)

NO_MEMORY = "There is not enough memory for this prompt. Shorten it, or choose a smaller model."
A_FAULT = "Something went wrong in flowviz itself; the server's log has the details."


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Job:
    """One piece of work that a visitor asked for.

    Args:
        stage: what is being done now, in words ("Loading the model").
        fraction: how much of it is done, 0 to 1.
        error: what went wrong and the way out, where the state is FAILED.
    """

    id: str
    state: JobState
    stage: str
    fraction: float
    error: str | None = None


@dataclass(eq=False)
class _Record:
    visitor: str
    work: Work | None
    job: Job
    ended: threading.Event = field(default_factory=threading.Event)


class Jobs:
    """The job table of one server. Every method is safe to call from many threads.

    Args:
        most_waiting: how many jobs may wait or run at once before new ones are refused.
        most_kept: how many jobs are remembered.
    """

    def __init__(self, most_waiting: int = 32, most_kept: int = 1000) -> None:
        self._most_waiting = most_waiting
        self._most_kept = most_kept
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._queue: list[_Record] = []
        self._running: _Record | None = None
        self._changed = threading.Condition()  # around all of the above
        self._worker: threading.Thread | None = None

    def submit(self, work: Work, visitor: str, patience: float = 0.25) -> Job:
        """Queues work for a visitor and waits a moment: what is quick comes back ended.

        Raises:
            RequestError: too many jobs are waiting.
        """
        with self._changed:
            self._stop_all(visitor)
            if len(self._queue) + (self._running is not None) >= self._most_waiting:
                raise RequestError("Many visitors are waiting. Try again in a minute.")
            record = self._remember(visitor, work, JobState.WAITING)
            self._queue.append(record)
            self._start_worker()
            self._changed.notify()
        record.ended.wait(patience)
        return self.job(record.job.id, visitor)

    def done(self, visitor: str) -> Job:
        """A job that was finished before it began: its result was there already."""
        with self._changed:
            self._stop_all(visitor)
            record = self._remember(visitor, None, JobState.WAITING)
            self._end(record, replace(record.job, state=JobState.DONE, stage="Done", fraction=1.0))
            return record.job

    def job(self, job_id: str, visitor: str) -> Job:
        """How a visitor's job stands. Raises RequestError where the visitor has no such job."""
        with self._changed:
            record = self._own(job_id, visitor)
            if record in self._queue:
                ahead = self._queue.index(record) + (self._running is not None)
                words = f"Waiting for {ahead} other run{'s' * (ahead > 1)}" if ahead else "Starting"
                return replace(record.job, stage=words)
            return record.job

    def cancel(self, job_id: str, visitor: str) -> Job:
        """Stops a visitor's job: at once where it waits, else as soon as it reaches a stage."""
        with self._changed:
            record = self._own(job_id, visitor)
            self._stop(record)
            return record.job

    def _own(self, job_id: str, visitor: str) -> _Record:
        record = self._records.get(job_id)
        if record is None or record.visitor != visitor:
            raise RequestError("That run is not known here any more. Run it again.")
        return record

    def _remember(self, visitor: str, work: Work | None, state: JobState) -> _Record:
        record = _Record(visitor, work, Job(secrets.token_urlsafe(12), state, "Starting", 0.0))
        self._records[record.job.id] = record
        ended = [key for key, kept in self._records.items() if kept.job.state.ended]
        for key in ended[: max(0, len(self._records) - self._most_kept)]:
            del self._records[key]
        return record

    def _stop_all(self, visitor: str) -> None:
        for record in list(self._records.values()):
            if record.visitor == visitor:
                self._stop(record)

    def _stop(self, record: _Record) -> None:
        if record in self._queue:
            self._queue.remove(record)
        self._end(record, replace(record.job, state=JobState.CANCELLED, stage="Cancelled"))

    @staticmethod
    def _end(record: _Record, job: Job) -> None:
        """The first end of a job is its end; what a cancelled job still does changes nothing."""
        if not record.job.state.ended:
            record.job = job
            record.work = None  # and with it what it holds
            record.ended.set()

    def _start_worker(self) -> None:
        if self._worker is None:
            self._worker = threading.Thread(target=self._serve, name="flowviz", daemon=True)
            self._worker.start()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                record = self._running = self._queue.pop(0)
                work = record.work
            if work is not None:
                ended = self._outcome(record, work)
                with self._changed:
                    self._end(record, ended)
            with self._changed:
                self._running = None
            del record, work  # a waiting worker holds nothing

    def _outcome(self, record: _Record, work: Work) -> Job:
        def progress(stage: str, fraction: float) -> None:
            with self._changed:
                if record.job.state.ended:
                    raise Cancelled("The run was cancelled. Run it again.")
                part = min(max(fraction, 0.0), 1.0)
                record.job = replace(record.job, state=JobState.RUNNING, stage=stage, fraction=part)

        try:
            progress("Starting", 0.0)
            work(progress)
            return replace(record.job, state=JobState.DONE, stage="Done", fraction=1.0)
        except Cancelled:
            return replace(record.job, state=JobState.CANCELLED, stage="Cancelled")
        except FlowvizError as error:
            return _failed(record.job, str(error))
        except MemoryError:
            log.exception("a job ran out of memory")
            return _failed(record.job, NO_MEMORY)
        except BaseException as error:  # whatever it is, the next job must run
            log.exception("a job failed")
            return _failed(record.job, NO_MEMORY if _is_out_of_memory(error) else A_FAULT)


def _failed(job: Job, error: str) -> Job:
    return replace(job, state=JobState.FAILED, stage="Failed", error=error)


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether torch's allocator gave up; it says so in a RuntimeError."""
    text = str(error)
    return isinstance(error, RuntimeError) and ("allocate memory" in text or "out of mem" in text)
