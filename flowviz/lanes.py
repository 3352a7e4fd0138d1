"""A lane: a queue of tasks and the one thread that does them in turn.

A task may be wanted by several records, as when two visitors wait for one model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Record = TypeVar("Record")


@dataclass(eq=False)
class Task(Generic[Record]):
    """Something to do once, for all who want it; `told` is how far it was said to be."""

    key: str | None
    wanted_by: list[Record] = field(default_factory=list)
    told: tuple[str, float] | None = None


class Lane(Generic[Record]):
    """One thread's queue.

    Args:
        name: what the thread is called.
        changed: the lock around this lane and its neighbours; every method is called under it.
        do: does one task, without the lock; its answer goes to `done`. It must not raise.
        done: called under the lock when a task has been done.
    """

    def __init__(
        self,
        name: str,
        changed: threading.Condition,
        do: Callable[[Task[Record]], object],
        done: Callable[[Task[Record], object], None],
    ) -> None:
        self.queue: list[Task[Record]] = []
        self.running: Task[Record] | None = None
        self._name, self._changed, self._do, self._done = name, changed, do, done
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, record: Record, key: str | None = None) -> Task[Record]:
        """Queues a record's task, or joins it to the one of the same key; None joins none."""
        tasks = [*([self.running] if self.running else []), *self.queue]
        task = next((each for each in tasks if key is not None and each.key == key), None)
        if task is None:
            task = Task(key)
            self.queue.append(task)
        task.wanted_by.append(record)
        self._start()
        self._changed.notify_all()
        return task

    def withdraw(self, record: Record) -> None:
        """Takes a record out of the queue, or out of those who share what is being done.

        A queued task that nobody wants any more goes too.
        """
        shared = [self.running] if self.running and self.running.key is not None else []
        for task in [*self.queue, *shared]:
            if record in task.wanted_by:
                task.wanted_by.remove(record)
        self.queue[:] = [task for task in self.queue if task.wanted_by]

    def ahead(self, record: Record) -> int | None:
        """How many tasks come before a record's own; None where it is not in the queue."""
        for place, task in enumerate(self.queue):
            if record in task.wanted_by:
                return place + (self.running is not None)
        return None

    def runs(self, record: Record) -> bool:
        """Whether a record's task is being done."""
        return self.running is not None and record in self.running.wanted_by

    def __len__(self) -> int:
        """How many records wait here, and at least one while a task is being done."""
        waiting = sum(len(task.wanted_by) for task in self.queue)
        return waiting + (max(1, len(self.running.wanted_by)) if self.running else 0)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()

    def close(self, patience: float) -> None:
        """Ends the thread after what it is doing; called without the lock.

        A thread that the interpreter kills in the middle of a load aborts the whole process.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(patience)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not (self.queue or self._closed):
                    self._changed.wait()
                if self._closed:
                    return
                task = self.running = self.queue.pop(0)
            outcome = self._do(task)
            with self._changed:
                self.running = None
                self._done(task, outcome)
            del task, outcome  # a waiting thread holds nothing
