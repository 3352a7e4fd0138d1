"""Jobs as plain values for a page's stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowviz.errors import FlowvizError
from flowviz.session import Job, JobState, Question, Session

MAX_NAME = 100


def submitted(
    make: Callable[[], Question],
    visitor: str,
    session: Session,
    unless: Mapping[str, Any] | None = None,
    to_inspect: bool = False,
) -> dict[str, Any] | None:
    """A request made and submitted; what is wrong with it reads as a failed job.

    Args:
        make: makes the request.
        visitor: whose job it is.
        session: where it is submitted.
        unless: a job; None comes back where it was for the same request.
        to_inspect: whether its nodes must be there to look at, not only its picture.
    """
    try:
        request = make()
        if unless and unless.get("request") == request.to_mapping():
            return None
        job = session.submit(request, visitor[:MAX_NAME], to_inspect=to_inspect)
    except FlowvizError as error:
        return failed(str(error))
    return {**as_plain(job), "request": request.to_mapping()}


def renewed(
    again: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], Question],
    visitor: str,
    session: Session,
) -> dict[str, Any] | None:
    """A picture's own request, read by `read`, submitted again, with all that is behind it."""
    shown = again.get("request")
    mapping = shown if isinstance(shown, dict) else {}
    return submitted(lambda: read(mapping), visitor, session, to_inspect=True)


def standing(ask: Callable[[str, str], Job], job_id: object, visitor: object) -> dict[str, Any]:
    """How a job stands; where it is not known any more, it reads as a failed one."""
    name = str(job_id)[:MAX_NAME]
    try:
        return as_plain(ask(name, str(visitor)[:MAX_NAME]))
    except FlowvizError as error:
        return failed(str(error), name)


def as_plain(job: Job) -> dict[str, Any]:
    """A job as a store holds it."""
    return {
        "id": job.id,
        "state": str(job.state),
        "stage": job.stage,
        "fraction": job.fraction,
        "error": job.error,
    }


def failed(error: str, job_id: str = "") -> dict[str, Any]:
    """A job that never was, with the reason."""
    return as_plain(Job(job_id, JobState.FAILED, "", 1.0, error))
