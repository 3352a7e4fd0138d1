"""What pages with a prompt answer alike. A page calls these while it is being made, with its ids,
so that every app has its own callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from dash import Input, Output, State, callback, ctx
from dash.exceptions import PreventUpdate

from flowviz.graph.types import Prediction
from flowviz.session import Session
from flowviz.ui.count import count_words
from flowviz.ui.ids import Shell
from flowviz.ui.jobs import standing
from flowviz.ui.models import model_options
from flowviz.ui.server import current_session
from flowviz.ui.tokens import token_options

Ids = Any  # a page's StrEnum: its members are what is asked for by name
Predictions = Callable[[Session, Mapping[str, str] | None], tuple[Prediction, ...]]


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
        act = session.cancel if ctx.triggered_id == ids.CANCEL else session.job
        return standing(act, job["id"], visitor)


def connect_question(ids: Ids, predictions: Predictions) -> None:
    """What stands beside the prompt: the models, its length, the tokens to choose from.

    Args:
        ids: the page's own.
        predictions: those of what a store says is shown; they are offered first.
    """

    @callback(Output(ids.MODEL, "data"), Input(ids.PICKING, "data"), Input(ids.SHOWN, "data"))
    def offer(_opened: object, _shown: object) -> list[dict[str, str]]:
        """The models and where they stand, each time that the box is opened."""
        return model_options(current_session().models())

    @callback(
        Output(ids.COUNT, "children"),
        Output(ids.PROMPT, "error"),
        Input(ids.TYPED, "data"),
        Input(ids.SHOWN, "data"),
    )
    def count(typed: object, _shown: object) -> tuple[str, bool]:
        """How long the prompt is for the model that is chosen, while it is typed."""
        return count_words(current_session(), typed)

    for box in (ids.TARGET, ids.CONTRAST):
        connect_tokens(ids, box, predictions)


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
