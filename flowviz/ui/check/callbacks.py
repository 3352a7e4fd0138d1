"""From a drawn graph to its verdict.

What is drawn and chosen → ASKED (a moment late, so that a slider queues no row of checks) → `ask` →
JOB → (polled while it runs) → SHOWN → `tell`, `show` and `plot`. `assets/check.js` has what the
browser answers. A page calls `connect_check` while it is being made.
"""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, callback, ctx, no_update
from dash.exceptions import PreventUpdate

from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Verdict
from flowviz.graph.types import FlowGraph
from flowviz.ui.browser import in_browser
from flowviz.ui.check import files
from flowviz.ui.check.form import checked, owner
from flowviz.ui.check.ids import Check
from flowviz.ui.check.results import (
    effects,
    line,
    points,
    recovered,
    score_options,
    scores,
    small_graph,
)
from flowviz.ui.flow.ids import Flow
from flowviz.ui.ids import Shell
from flowviz.ui.jobs import standing
from flowviz.ui.panel import bare_chart
from flowviz.ui.server import current_session
from flowviz.ui.triggers import triggered_by
from flowviz.views.check.figures import curves, scatter
from flowviz.views.laws import flow_shown

SAVES = (Check.SAVE_JSON, Check.SAVE_EFFECTS, Check.SAVE_CURVES)
Found = tuple[CheckRequest, FlowGraph, Verdict]


def found(shown: dict[str, str] | None) -> Found:
    """The verdict that is shown; where it had to make room, NotKept has the page run again."""
    if not shown:
        raise PreventUpdate
    session, request = current_session(), CheckRequest.from_mapping(shown)
    return request, session.graph(request.explained), session.answer(request)


def ask(asked: dict[str, Any] | None, visitor: str | None) -> dict[str, Any]:
    """Submits a check, as a job of its own beside the graph's."""
    if not asked or not visitor:
        raise PreventUpdate
    return checked(asked, visitor, current_session())


def follow(
    _polls: int | None, _clicks: int | None, job: dict[str, Any] | None, visitor: str | None
) -> dict[str, Any]:
    """How the check stands; the Cancel button stops it."""
    if not job or not job.get("id"):
        raise PreventUpdate
    session = current_session()
    act = session.cancel if triggered_by(Check.CANCEL) else session.job
    return standing(act, job["id"], owner(str(visitor)))


def tell(shown: dict[str, str] | None) -> Any:
    """The line under the graph."""
    request, graph, verdict = found(shown)
    return line(graph, request, verdict)


def show(shown: dict[str, str] | None, opened: bool, theme: str) -> tuple[Any, ...]:
    """The panel, but for the scatter plot, while it is open."""
    if not opened:
        raise PreventUpdate
    _, graph, verdict = found(shown)
    return (
        recovered(graph, verdict, theme),
        bare_chart(curves(verdict, (*scores(graph), "random"), theme)),
        score_options(graph, verdict),
        effects(graph, verdict),
        small_graph(graph, verdict.smallest),
        not flow_shown(graph),
    )


def plot(
    shown: dict[str, str] | None, opened: bool, theme: str, score: str | None
) -> tuple[Any, Any]:
    """Effects against the chosen score; where it cannot be shown, against one that can."""
    if not opened:
        raise PreventUpdate
    _, graph, verdict = found(shown)
    there = scores(graph)
    chosen = score if score in there else there[0]
    plotted = scatter(graph, verdict, chosen, theme)
    return points(plotted), no_update if chosen == score else chosen


def save(*clicks_and_shown: Any) -> dict[str, Any]:
    """The verdict as a file."""
    *clicks, shown = clicks_and_shown
    if not any(clicks):
        raise PreventUpdate
    return files.download(*found(shown), Check(ctx.triggered_id))


LATE: Any = {"prevent_initial_call": True}
SEEN, OPENED = Input(Check.SHOWN, "data"), Input(Check.OPEN, "data")
THEME, VISITOR = Input(Shell.THEME, "data"), State(Shell.VISITOR, "data")


def connect_check() -> None:
    """Connects the panel with the server and with its script."""
    _connect_job()
    _connect_results()
    _in_browser()


def _connect_job() -> None:
    callback(Output(Check.JOB, "data"), Input(Check.ASKED, "data"), VISITOR, **LATE)(ask)
    callback(
        Output(Check.STANDING, "data"),
        Input(Check.POLL, "n_intervals"),
        Input(Check.CANCEL, "n_clicks"),
        State(Check.JOB, "data"),
        VISITOR,
        **LATE,
    )(follow)


def _connect_results() -> None:
    callback(Output(Check.LINE, "children"), SEEN, **LATE)(tell)
    callback(
        Output(Check.RECOVERED, "children"),
        Output(Check.CURVES, "children"),
        Output(Check.SCORE, "data"),
        Output(Check.EFFECTS, "children"),
        Output(Check.SMALLEST, "children"),
        Output(Check.FIND, "hidden"),
        SEEN,
        OPENED,
        THEME,
        **LATE,
    )(show)
    callback(
        Output(Check.PLOT, "children"),
        Output(Check.SCORE, "value"),
        SEEN,
        OPENED,
        THEME,
        Input(Check.SCORE, "value"),
        **LATE,
    )(plot)
    clicks = [Input(button, "n_clicks") for button in SAVES]
    callback(Output(Check.DOWNLOAD, "data"), *clicks, State(Check.SHOWN, "data"), **LATE)(save)


def _in_browser() -> None:
    in_browser(
        "checkChoose",
        Output(Check.CHOSEN, "data"),
        Output(Check.OTHER, "error"),
        Output(Check.OTHER_FIELD, "hidden"),
        Input(Check.AGAINST, "value"),
        Input(Check.OTHER_RUN, "n_clicks"),
        Input(Check.SMALLEST_RUN, "n_clicks"),
        Input(Check.RETRY, "n_clicks"),
        State(Check.OTHER, "value"),
        State(Check.SHARE, "value"),
        State(Check.CHOSEN, "data"),
    )
    in_browser(
        "checkAsk",
        Input(Flow.SHOWN, "data"),
        Input(Check.CHOSEN, "data"),
        State(Check.ASKED, "data"),
    )
    in_browser(
        "checkSettle",
        Output(Check.POLL, "disabled"),
        Output(Check.STAGE, "children"),
        Output(Check.BAR, "value"),
        Output(Check.FAULT, "children"),
        Input(Check.JOB, "data"),
        Input(Check.STANDING, "data"),
        State(Check.ASKED, "data"),
        State(Check.SHOWN, "data"),
    )
    in_browser("checkTold", Input(Check.LINE, "children"))
    in_browser(
        "checkToggle",
        Output(Check.OPEN, "data"),
        Input(Check.TOGGLE, "n_clicks"),
        State(Check.OPEN, "data"),
    )
    in_browser("checkOpened", Output(Check.PANEL, "hidden"), Input(Check.OPEN, "data"), first=True)
    in_browser("checkPoint", Input(Check.SCATTER, "hoverData"))
    in_browser("checkPick", Input(Check.SCATTER, "clickData"))
