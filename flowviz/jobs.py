"""Jobs: long work on worker threads, with progress, cancel and an owner.

Work is done in three lanes of one thread each: what has to be prepared (a model to load) is
prepared beside the work of others, once for all who wait for the same; the work itself is done in
turn; and what takes long (many passes) is done in turn beside that, so that no quick question waits
for it.

A visitor has one job at a time: a new one cancels the last. A job is told to its owner alone.
What was cancelled before it began is never begun, and whatever a job raises, the workers go on.
"""

from __future__ import annotations

import atexit
import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from flowviz.errors import Cancelled, FlowvizError, RequestError
from flowviz.lanes import Lane, Task

Progress = Callable[[str, float], None]
Work = Callable[[Progress], object]
log = logging.getLogger(__name__)

NO_MEMORY = "There is not enough memory for this prompt. Shorten it, or choose a smaller model."
CLOSE_SECONDS = 5.0
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


def _nothing(_progress: Progress) -> None:
    """No preparation."""


@dataclass(frozen=True, eq=False)
class Errand:
    """What a job does. `ready` and `release` must be quick: all jobs wait for them.

    Args:
        work: the work itself.
        ready: takes what the work needs, and says whether that was there.
        prepare: done where it was not; then `ready` is asked again.
        key: errands of one key are prepared together.
        release: gives back what `ready` took, called once when no part of it runs any more.
        long: whether the work is done in the lane of what takes long.
    """

    work: Work
    ready: Callable[[], bool] = lambda: True
    prepare: Work = _nothing
    key: str = ""
    release: Callable[[], None] = lambda: None
    long: bool = False


@dataclass(frozen=True)
class _Trouble:
    """Why something did not end well."""

    state: JobState
    error: str | None = None


@dataclass(eq=False)
class _Record:
    visitor: str
    errand: Errand | None
    job: Job
    ended: threading.Event = field(default_factory=threading.Event)


class Jobs:
    """The job table of one server. Every method is safe to call from many threads.

    Args:
        most_waiting: how many jobs may wait or run at once before new ones are refused; as many
            again of those that take long.
        most_kept: how many jobs are remembered.
    """

    def __init__(self, most_waiting: int = 32, most_kept: int = 1000) -> None:
        self._most_waiting = most_waiting
        self._most_kept = most_kept
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._changed = threading.Condition()  # around all of this and the lanes
        self._preparing: Lane[_Record] = Lane(
            "flowviz prepares", self._changed, self._prepare, self._prepared
        )
        self._working: Lane[_Record] = Lane("flowviz", self._changed, self._work, self._worked)
        self._lasting: Lane[_Record] = Lane(
            "flowviz lasts", self._changed, self._work, self._worked
        )
        self._lanes = (self._preparing, self._working, self._lasting)
        self._closed = False
        atexit.register(self.close)

    def submit(self, errand: Errand, visitor: str, patience: float = 0.25) -> Job:
        """Queues work for a visitor and waits a moment: what is quick comes back ended.

        Raises:
            RequestError: too many jobs are waiting.
        """
        with self._changed:
            self._stop_all(visitor)
            if self._closed:
                raise RequestError("The server is stopping. Try again in a minute.")
            if self._before(errand) >= self._most_waiting:
                raise RequestError("Many visitors are waiting. Try again in a minute.")
            record = self._remember(visitor, errand)
            self._forward(record)
        record.ended.wait(patience)
        return self.job(record.job.id, visitor)

    def _before(self, errand: Errand) -> int:
        """How many wait or run in the lanes that an errand goes through."""
        if errand.long:
            return len(self._lasting)
        return len(self._preparing) + len(self._working)

    def close(self, patience: float = CLOSE_SECONDS) -> None:
        """Cancels every job and waits a moment for the threads, so that the process ends well."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            for record in list(self._records.values()):
                self._stop(record)
        for lane in self._lanes:
            lane.close(patience)

    def done(self, visitor: str) -> Job:
        """A job that was finished before it began: its result was there already."""
        with self._changed:
            self._stop_all(visitor)
            record = self._remember(visitor, None)
            self._end(record, _ended(record.job, None))
            return record.job

    def job(self, job_id: str, visitor: str) -> Job:
        """How a visitor's job stands. Raises RequestError where the visitor has no such job."""
        with self._changed:
            record = self._own(job_id, visitor)
            for lane, what in zip(self._lanes, ("model", "run", "analysis"), strict=True):
                ahead = lane.ahead(record)
                if ahead is not None:
                    return replace(record.job, stage=_waiting(ahead, what))
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

    def _remember(self, visitor: str, errand: Errand | None) -> _Record:
        job = Job(secrets.token_urlsafe(12), JobState.WAITING, "Starting", 0.0)
        record = self._records[job.id] = _Record(visitor, errand, job)
        ended = [key for key, kept in self._records.items() if kept.job.state.ended]
        for key in ended[: max(0, len(self._records) - self._most_kept)]:
            del self._records[key]
        return record

    def _stop_all(self, visitor: str) -> None:
        for record in list(self._records.values()):
            if record.visitor == visitor:
                self._stop(record)

    def _stop(self, record: _Record) -> None:
        for lane in self._lanes:
            lane.withdraw(record)
        self._end(record, _ended(record.job, _Trouble(JobState.CANCELLED)))

    def _end(self, record: _Record, job: Job) -> None:
        """The first end of a job is its end; what a cancelled job still does changes nothing."""
        if not record.job.state.ended:
            record.job = job
        if not (self._working.runs(record) or self._lasting.runs(record)):
            errand, record.errand = record.errand, None  # and with it what it holds
            if errand is not None:
                errand.release()
        record.ended.set()

    def _forward(self, record: _Record) -> None:
        """To the work, where all that it needs is there; else to what prepares it."""
        errand = record.errand
        assert errand is not None
        if errand.ready():
            (self._lasting if errand.long else self._working).add(record)
            return
        task = self._preparing.add(record, errand.key)
        if task.told:
            record.job = _told(record.job, *task.told)

    def _prepare(self, task: Task[_Record]) -> _Trouble | None:
        return self._outcome(task, lambda errand: errand.prepare)

    def _prepared(self, task: Task[_Record], trouble: object) -> None:
        for record in task.wanted_by:
            if record.job.state.ended:
                continue
            if isinstance(trouble, _Trouble) and trouble.state is JobState.FAILED:
                self._end(record, _ended(record.job, trouble))
            else:  # prepared; or given up by all and then wanted again
                self._forward(record)

    def _work(self, task: Task[_Record]) -> _Trouble | None:
        return self._outcome(task, lambda errand: errand.work)

    def _worked(self, task: Task[_Record], trouble: object) -> None:
        assert trouble is None or isinstance(trouble, _Trouble)
        for record in task.wanted_by:
            self._end(record, _ended(record.job, trouble))

    def _outcome(self, task: Task[_Record], part: Callable[[Errand], Work]) -> _Trouble | None:
        def progress(stage: str, fraction: float) -> None:
            with self._changed:
                task.told = (stage, min(max(fraction, 0.0), 1.0))
                for record in _wanting(task):
                    record.job = _told(record.job, *task.told)

        try:
            with self._changed:
                first = _wanting(task)[0]
                errand = first.errand
            assert errand is not None
            progress("Starting", first.job.fraction)
            part(errand)(progress)
        except Cancelled:
            return _Trouble(JobState.CANCELLED)
        except FlowvizError as error:
            return _Trouble(JobState.FAILED, str(error))
        except MemoryError:
            log.exception("a job ran out of memory")
            return _Trouble(JobState.FAILED, NO_MEMORY)
        except BaseException as error:  # whatever it is, the next job must run
            log.exception("a job failed")
            return _Trouble(JobState.FAILED, NO_MEMORY if _is_out_of_memory(error) else A_FAULT)


def _wanting(task: Task[_Record]) -> list[_Record]:
    """Who still wants a task. Raises Cancelled where nobody does."""
    wanting = [record for record in task.wanted_by if not record.job.state.ended]
    if not wanting:
        raise Cancelled("The run was cancelled. Run it again.")
    return wanting


def _told(job: Job, stage: str, fraction: float) -> Job:
    return replace(job, state=JobState.RUNNING, stage=stage, fraction=fraction)


def _ended(job: Job, trouble: _Trouble | None) -> Job:
    if trouble is None:
        return replace(job, state=JobState.DONE, stage="Done", fraction=1.0)
    return replace(job, state=trouble.state, stage=trouble.state.title(), error=trouble.error)


def _waiting(ahead: int, what: str) -> str:
    many = what if ahead == 1 else {"analysis": "analyses"}.get(what, f"{what}s")
    return f"Waiting for {ahead} other {many}" if ahead else "Starting"


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether torch's allocator gave up; it says so in a RuntimeError."""
    text = str(error)
    return isinstance(error, RuntimeError) and ("allocate memory" in text or "out of mem" in text)
