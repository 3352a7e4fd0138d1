"""Jobs: long work on one worker thread, with progress, cancel and an owner.

A visitor has one job at a time: a new one cancels the last. A job is told to its owner alone.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum

from flowviz.errors import Cancelled, FlowvizError, RequestError

Progress = Callable[[str, float], None]
Work = Callable[[Progress], None]
log = logging.getLogger(__name__)


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


@dataclass
class _Record:
    visitor: str
    job: Job
    stop: threading.Event = field(default_factory=threading.Event)
    future: Future[None] | None = None


class Jobs:
    """The job table of one server.

    Args:
        most_waiting: how many jobs may wait or run at once before new ones are refused.
        most_kept: how many jobs are remembered.
    """

    def __init__(self, most_waiting: int = 32, most_kept: int = 1000) -> None:
        self._most_waiting = most_waiting
        self._most_kept = most_kept
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="flowviz")

    def submit(self, work: Work, visitor: str, patience: float = 0.25) -> Job:
        """Queues work for a visitor and waits a moment: what is quick comes back ended.

        Raises:
            RequestError: too many jobs are waiting.
        """
        record = _Record(visitor, Job(secrets.token_urlsafe(12), JobState.WAITING, "Waiting", 0.0))
        with self._lock:
            self._cancel_all(visitor)
            if (
                sum(not kept.job.state.ended for kept in self._records.values())
                >= self._most_waiting
            ):
                raise RequestError("Many visitors are waiting. Try again in a minute.")
            self._records[record.job.id] = record
            self._forget_old()
        record.future = self._worker.submit(self._run, record, work)
        self._wait(record, patience)
        return record.job

    def job(self, job_id: str, visitor: str) -> Job:
        """How a visitor's job stands. Raises RequestError where the visitor has no such job."""
        return self._own(job_id, visitor).job

    def cancel(self, job_id: str, visitor: str) -> Job:
        """Stops a visitor's job as soon as it reaches its next stage."""
        record = self._own(job_id, visitor)
        self._stop(record)
        return record.job

    def done(self, visitor: str) -> Job:
        """A job that was finished before it began: its result was there already."""
        with self._lock:
            self._cancel_all(visitor)
        return Job(secrets.token_urlsafe(12), JobState.DONE, "Done", 1.0)

    def _own(self, job_id: str, visitor: str) -> _Record:
        with self._lock:
            record = self._records.get(job_id)
        if record is None or not secrets.compare_digest(record.visitor.encode(), visitor.encode()):
            raise RequestError("That run is not known here any more. Run it again.")
        return record

    def _cancel_all(self, visitor: str) -> None:
        for record in self._records.values():
            if record.visitor == visitor:
                self._stop(record)

    @staticmethod
    def _stop(record: _Record) -> None:
        record.stop.set()
        if not record.job.state.ended:
            record.job = replace(record.job, state=JobState.CANCELLED, stage="Cancelled")

    def _forget_old(self) -> None:
        ended = [key for key, record in self._records.items() if record.job.state.ended]
        for key in ended[: max(0, len(self._records) - self._most_kept)]:
            del self._records[key]

    @staticmethod
    def _wait(record: _Record, patience: float) -> None:
        if record.future is not None:
            try:
                record.future.result(timeout=patience)
            except TimeoutError:
                return

    def _run(self, record: _Record, work: Work) -> None:
        def progress(stage: str, fraction: float) -> None:
            if record.stop.is_set():
                raise Cancelled("Cancelled")
            record.job = replace(
                record.job, state=JobState.RUNNING, stage=stage, fraction=min(max(fraction, 0), 1)
            )

        try:
            progress("Starting", 0.0)
            work(progress)
            progress("Done", 1.0)
            ended = replace(record.job, state=JobState.DONE)
        except Cancelled:
            ended = replace(record.job, state=JobState.CANCELLED, stage="Cancelled")
        except FlowvizError as error:
            ended = replace(record.job, state=JobState.FAILED, stage="Failed", error=str(error))
        except MemoryError:
            ended = replace(
                record.job, state=JobState.FAILED, stage="Failed",
                error="There is not enough memory for this prompt. Shorten it.",
            )  # fmt: skip
        except Exception:
            log.exception("a job failed")
            ended = replace(
                record.job, state=JobState.FAILED, stage="Failed",
                error="Something went wrong in flowviz itself; the server's log has the details.",
            )  # fmt: skip
        if not record.stop.is_set():
            record.job = ended
