"""What pages with a prompt answer alike. A page calls these while it is being made, with its ids,
so that every app has its own callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from dash import Input, Output, State, callback
from dash.exceptions import PreventUpdate

from flowviz.graph.types import Prediction
from flowviz.session import Question, Session
from flowviz.ui.count import count_words
from flowviz.ui.ids import Shell
from flowviz.ui.jobs import renewed, standing, submitted
from flowviz.ui.models import model_options
from flowviz.ui.server import current_session
from flowviz.ui.tokens import token_options
from flowviz.ui.triggers import triggered_by

Ids = Any  # a page's StrEnum: its members are what is asked for by name
Read = Callable[[Mapping[str, Any]], Question]
Predictions = Callable[[Session, Mapping[str, str] | None], tuple[Prediction, ...]]


def connect_ask(ids: Ids, read: Read, form: Callable[..., Question], **controls: Any) -> None:
    """From the page's form to a job, unless that was submitted last; or from what is shown, where
    it has had to make room.

    Args:
        ids: the page's own.
        read: makes a request of what a store holds as shown. Raises FlowvizError.
        form: makes one of what ASKED holds, and of `controls` by their names. Raises FlowvizError.
        controls: the inputs and states of the form, or dicts of them.
    """

    @callback(
        output=Output(ids.JOB, "data"),
        inputs={
            "asked": Input(ids.ASKED, "data"),
            "again": Input(ids.AGAIN, "data"),
            "visitor": Input(Shell.VISITOR, "data"),
            "last": State(ids.JOB, "data"),
            "controls": controls,
        },
    )
    def ask(
        asked: dict[str, Any] | None,
        again: dict[str, Any] | None,
        visitor: str | None,
        last: dict[str, Any] | None,
        controls: dict[str, Any],
    ) -> dict[str, Any]:
        """The job of what the form says, or of what is shown."""
        make = partial(form, asked, **controls) if asked else None
        unless = None if triggered_by(ids.ASKED) else last
        return _job(ids, read, visitor, again, make, unless)


def connect_question_of_links(ids: Ids, read: Read) -> None:
    """The same, where ASKED alone holds all that is asked.

    It holds `flat`, the question as a link has it; `again`, where it is asked once more by Run;
    `idle`, where it is only to be shown.
    """

    @callback(
        Output(ids.JOB, "data"),
        Input(ids.ASKED, "data"),
        Input(ids.AGAIN, "data"),
        Input(Shell.VISITOR, "data"),
        State(ids.JOB, "data"),
    )
    def ask(
        asked: object,
        again: dict[str, Any] | None,
        visitor: str | None,
        last: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """The job of what is asked, or of what is shown."""
        form = asked if isinstance(asked, Mapping) and not asked.get("idle") else {}
        flat = form.get("flat")
        make = partial(read, flat) if isinstance(flat, Mapping) else None
        return _job(ids, read, visitor, again, make, None if form.get("again") else last)


def _job(
    ids: Ids,
    read: Read,
    visitor: str | None,
    again: dict[str, Any] | None,
    make: Callable[[], Question] | None,
    unless: dict[str, Any] | None,
) -> dict[str, Any]:
    """What was shown, again; or what is asked, unless a job was for the same."""
    session, job = current_session(), None
    if visitor and again and triggered_by(ids.AGAIN):
        job = renewed(again, read, visitor, session)
    elif visitor and make:
        job = submitted(make, visitor, session, unless)
    if job is None:
        raise PreventUpdate
    return job


def connect_job(ids: Ids) -> None:
    """How the page's job stands, and its Cancel button."""

    @callback(
        Output(ids.STANDING, "data"),
        Input(ids.POLL, "n_intervals"),
        Input(ids.CANCEL, "n_clicks"),
        State(ids.JOB, "data"),
        State(Shell.VISITOR, "data"),
        prevent_initial_call=True,
    )
    def follow(
        _polls: object, _clicks: object, job: dict[str, Any] | None, visitor: str | None
    ) -> dict[str, Any]:
        """How the job stands; the Cancel button stops it."""
        if not job or not job.get("id"):
            raise PreventUpdate
        session = current_session()
        act = session.cancel if triggered_by(ids.CANCEL) else session.job
        return standing(act, job["id"], visitor)


def connect_question(ids: Ids, predictions: Predictions, *, gpt: bool = False) -> None:
    """What stands beside the prompt: the models, its length, the tokens to choose from.

    Args:
        ids: the page's own.
        predictions: those of what a store says is shown; they are offered first.
        gpt: whether only models are offered of which everything can be asked.
    """
    connect_prompt(ids, gpt=gpt)
    for box in (ids.TARGET, ids.CONTRAST):
        connect_tokens(ids, box, predictions)


def connect_prompt(ids: Ids, *, gpt: bool = False) -> None:
    """The models to choose from, and how long the prompt is; `gpt` as above."""

    @callback(Output(ids.MODEL, "data"), Input(ids.PICKING, "data"), Input(ids.SHOWN, "data"))
    def offer(_opened: object, _shown: object) -> list[dict[str, str]]:
        """The models and where they stand, each time that the box is opened."""
        return model_options(current_session().models(gpt=gpt))

    @callback(
        Output(ids.COUNT, "children"),
        Output(ids.PROMPT, "error"),
        Input(ids.TYPED, "data"),
        Input(ids.SHOWN, "data"),
    )
    def count(typed: object, _shown: object) -> tuple[str, bool]:
        """How long the prompt is for the model that is chosen, while it is typed."""
        return count_words(current_session(), typed)


def connect_tokens(ids: Ids, box: StrEnum, predictions: Predictions) -> None:
    """A box with tokens of the vocabulary to choose from, as `connect_question` says."""

    @callback(
        Output(box, "data"),
        Input(box, "searchValue"),
        Input(box, "value"),
        Input(ids.SHOWN, "data"),
        State(ids.MODEL, "value"),
    )
    def find(
        text: str | None, value: str | None, shown: dict[str, str] | None, model: str | None
    ) -> list[dict[str, str]]:
        """Tokens of the vocabulary that match what was typed."""
        session = current_session()
        known = partial(predictions, session, shown)
        return token_options(session, model or "", text or "", value, known)
