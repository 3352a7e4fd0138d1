"""From what the page's form says to a job, and what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.errors import FlowvizError
from flowviz.session import Session
from flowviz.ui.analyses.form import request_from_form
from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.ids import Shell
from flowviz.ui.jobs import renewed, submitted


def asked(
    session: Session,
    trigger: object,
    triggers: Mapping[str, Any],
    form: Mapping[str, Any],
    opens: bool,
) -> dict[str, Any] | None:
    """The job of what was asked for; None where nothing was.

    Args:
        session: where it is submitted.
        trigger: the id of what changed; None where the page opens.
        triggers: `run`, `again`, `token` and `visitor` as they stand.
        form: the form's values.
        opens: whether the page opens by a link that is to be run.
    """
    visitor, again = triggers.get("visitor"), triggers.get("again")
    if not isinstance(visitor, str) or not visitor:
        return None
    if trigger == Analyses.AGAIN:
        read = AnalysisRequest.from_mapping
        return renewed(again, read, visitor, session) if isinstance(again, dict) else None
    if _wanted(trigger, triggers, form, opens):
        return submitted(lambda: request_from_form(form), visitor, session)
    return None


def _wanted(
    trigger: object, triggers: Mapping[str, Any], form: Mapping[str, Any], opens: bool
) -> bool:
    if trigger == Analyses.RUN:
        return bool(triggers.get("run"))
    if trigger == Analyses.TOKEN and not opens:
        return bool(triggers.get("token")) and form.get("analysis") == Analysis.SEARCH
    return opens and trigger in (None, Analyses.TOKEN, Shell.VISITOR)


def kept(session: Session, form: Mapping[str, Any]) -> dict[str, str] | None:
    """The request of the form, where its result is there already."""
    try:
        request = request_from_form(form)
        session.answer(request)
    except FlowvizError:
        return None
    return request.to_mapping()
