"""From a press of a button to the changes that are asked for, and to their list.

EDIT, or another prompt → `change` → MADE → the page asks for the picture → SHOWN → `listed`.
A page calls `connect_changes` while it is being made.
"""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, callback
from dash.exceptions import PreventUpdate

from flowviz.errors import FlowvizError
from flowviz.graph.types import FlowGraph
from flowviz.request import ExplainRequest
from flowviz.session import Session
from flowviz.ui.flow.ids import Flow
from flowviz.ui.interventions.bar import change_bar
from flowviz.ui.interventions.carry import brought_back, carried, counter
from flowviz.ui.interventions.ids import Change
from flowviz.ui.interventions.made import Made, edited
from flowviz.ui.server import current_session
from flowviz.ui.triggers import triggered_by

Stored = Any  # what a browser says that its store holds


def change(edit: Stored, asked: Stored, made: Stored, aside: Stored) -> tuple[Stored, Stored]:
    """What is asked for now, and what is put aside."""
    asked, edit = (each if isinstance(each, dict) else {} for each in (asked, edit))
    before = Made.read(made)
    if triggered_by(Change.EDIT):
        after, left = _pressed(before, edit, Made.read(aside) if aside else None)
    else:
        where = str(asked.get("prompt") or ""), str(asked.get("model") or "")
        after, gone = carried(before, *where, counter(current_session()))
        left = gone or (Made.read(aside) if aside else None)
    now = after.stored() | {name: asked.get(name) for name in ("prompt", "model")}
    stored = left.stored() if left else None
    if (now, stored) == (made, aside):
        raise PreventUpdate
    return now, stored


def _pressed(made: Made, edit: dict[str, Any], aside: Made | None) -> tuple[Made, Made | None]:
    if edit.get("do") == "back":
        return (brought_back(made, aside) if aside else made), None
    if edit.get("do") == "forget":
        return made, None
    return edited(made, edit), aside


def listed(made: Stored, aside: Stored, shown: Stored) -> Any:
    """The list of changes."""
    request = ExplainRequest.from_mapping(shown) if shown else None
    now, gone = Made.read(made), Made.read(aside) if aside else None
    return change_bar(now, gone, request, _graph(current_session(), now, request))


def _graph(session: Session, made: Made, shown: ExplainRequest | None) -> FlowGraph | None:
    """What is drawn, where the changes are of its prompt."""
    if shown is None or (shown.prompt, shown.model) != (made.prompt, made.model):
        return None
    try:
        return session.graph(shown)
    except FlowvizError:
        return None


def connect_changes() -> None:
    """Connects the list of changes with the server."""
    callback(
        Output(Change.MADE, "data"),
        Output(Change.ASIDE, "data"),
        Input(Change.EDIT, "data"),
        Input(Flow.ASKED, "data"),
        State(Change.MADE, "data"),
        State(Change.ASIDE, "data"),
        prevent_initial_call=True,
    )(change)
    callback(
        Output(Change.BAR, "children"),
        Input(Change.MADE, "data"),
        Input(Change.ASIDE, "data"),
        Input(Flow.SHOWN, "data"),
    )(listed)
