"""The finder over a set of prompts: a job of its own beside the page's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Input, Output, State, callback
from dash.exceptions import PreventUpdate

from flowviz.attention.request import AttentionRequest, HeadsRequest, read_set
from flowviz.attention.types import AttentionMaps, HeadsFound
from flowviz.ui.attention.finder import PROMPT
from flowviz.ui.attention.ids import Attention, Finder
from flowviz.ui.browser import in_browser
from flowviz.ui.ids import Shell
from flowviz.ui.jobs import MAX_NAME, standing, submitted
from flowviz.ui.server import current_session
from flowviz.ui.triggers import triggered_by

SUFFIX = ":heads"  # makes it a job of its own: it never cancels the page's


def owner(visitor: str) -> str:
    """Whose job a visitor's set is."""
    return visitor[: MAX_NAME - len(SUFFIX)] + SUFFIX


def chosen_set(over: object) -> str:
    """The set that is chosen, or a group of one; empty for the prompt alone."""
    return "" if over in (None, "", PROMPT) else read_set(over)


def request_for(over: object, shown: AttentionRequest) -> HeadsRequest | None:
    """The question about a set; None where the maps that are shown answer it."""
    chosen = chosen_set(over)
    if chosen in ("", shown.average):
        return None
    name, _, group = chosen.partition("/")
    return HeadsRequest(shown.model, name, group=group, part=shown.part)


def scored(
    asked: object, request: AttentionRequest, maps: AttentionMaps
) -> AttentionMaps | HeadsFound:
    """What the finder reads: the set's scores, where they are of what is drawn; else the maps."""
    if not isinstance(asked, Mapping) or not asked:
        return maps
    question = HeadsRequest.from_mapping(asked)
    same = (question.model, question.part) == (request.model, request.part)
    return current_session().answer(question) if same and not request.average else maps


def connect_sets() -> None:
    """From the choice of a set to its scores."""

    @callback(
        Output(Finder.JOB, "data"),
        Input(Attention.OVER, "value"),
        Input(Attention.SHOWN, "data"),
        State(Shell.VISITOR, "data"),
        State(Finder.JOB, "data"),
        prevent_initial_call=True,
    )
    def ask(over: object, shown: object, visitor: str | None, last: Any) -> dict[str, Any] | None:
        """Asks for the set's scores, unless they were asked for last."""
        if not visitor or not isinstance(shown, Mapping) or not shown:
            raise PreventUpdate
        request = request_for(over, AttentionRequest.from_mapping(shown))
        if request is None:
            return None
        unless = None if triggered_by(Attention.OVER) else last
        job = submitted(lambda: request, owner(visitor), current_session(), unless)
        if job is None:
            raise PreventUpdate
        return job

    @callback(
        Output(Finder.STANDING, "data"),
        Input(Finder.POLL, "n_intervals"),
        Input(Finder.CANCEL, "n_clicks"),
        State(Finder.JOB, "data"),
        State(Shell.VISITOR, "data"),
        prevent_initial_call=True,
    )
    def follow(_polls: object, _clicks: object, job: Any, visitor: str | None) -> dict[str, Any]:
        """How it stands; the Cancel button stops it."""
        if not job or not job.get("id"):
            raise PreventUpdate
        session = current_session()
        act = session.cancel if triggered_by(Finder.CANCEL) else session.job
        return standing(act, job["id"], owner(str(visitor)))

    in_browser(
        "finderSettle",
        Output(Finder.POLL, "disabled"),
        Output(Finder.PROGRESS, "hidden"),
        Output(Finder.STAGE, "children"),
        Output(Finder.BAR, "value"),
        Output(Finder.FAULT, "children"),
        Output(Finder.SHOWN, "data"),
        Input(Finder.JOB, "data"),
        Input(Finder.STANDING, "data"),
    )
