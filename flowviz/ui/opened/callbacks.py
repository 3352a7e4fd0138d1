"""From a press of a button to what is opened, and to its list.

EDIT, or another prompt → `change` → MADE → the page asks for the picture → SHOWN → `listed`.
A page calls `connect_opened` while it is being made.
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
from flowviz.ui.interventions.carry import counter
from flowviz.ui.opened.bar import opened_bar
from flowviz.ui.opened.ids import Open
from flowviz.ui.opened.made import OpenedMade, carried, edited
from flowviz.ui.server import current_session
from flowviz.ui.triggers import triggered_by

Stored = Any  # what a browser says that its store holds


def change(edit: Stored, asked: Stored, made: Stored) -> Stored:
    """What is opened now."""
    asked, edit = (each if isinstance(each, dict) else {} for each in (asked, edit))
    before = OpenedMade.read(made)
    if triggered_by(Open.EDIT):
        after = edited(before, edit)
    else:
        where = str(asked.get("prompt") or ""), str(asked.get("model") or "")
        after = carried(before, *where, counter(current_session()))
    if asked.get("prompt"):
        after = OpenedMade(after.opened, str(asked["prompt"]), str(asked.get("model") or ""))
    if after.stored() == made:
        raise PreventUpdate
    return after.stored()


def listed(made: Stored, shown: Stored) -> Any:
    """The list of what is opened."""
    now = OpenedMade.read(made)
    request = ExplainRequest.from_mapping(shown) if shown else None
    return opened_bar(now, _graph(current_session(), now, request))


def _graph(session: Session, made: OpenedMade, shown: ExplainRequest | None) -> FlowGraph | None:
    """What is drawn, where it is of the prompt that the nodes were opened on."""
    if shown is None or (shown.prompt, shown.model) != (made.prompt, made.model):
        return None
    try:
        return session.graph(shown)
    except FlowvizError:
        return None


def connect_opened() -> None:
    """Connects the list of opened nodes with the server."""
    callback(
        Output(Open.MADE, "data"),
        Input(Open.EDIT, "data"),
        Input(Flow.ASKED, "data"),
        State(Open.MADE, "data"),
        prevent_initial_call=True,
    )(change)
    callback(Output(Open.BAR, "children"), Input(Open.MADE, "data"), Input(Flow.SHOWN, "data"))(
        listed
    )
