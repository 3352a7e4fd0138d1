"""What the analyses page's scripts answer: which function of `assets/analyses.js` for what."""

from __future__ import annotations

from dash import ALL, Input, Output, State

from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.browser import in_browser
from flowviz.ui.ids import Shell


def answer_in_browser() -> None:
    """Connects the page with its scripts."""
    _asking()
    _looking()


def _asking() -> None:
    """From the form to a job, and from a job to a result."""
    in_browser(
        "analysesFields",
        Output(Analyses.ROOT, "className"),
        Input(Analyses.ANALYSIS, "value"),
        Input(Analyses.SOURCE, "value"),
    )
    in_browser(
        "analysesMeasure",
        Output(Analyses.TYPED, "data"),
        Input(Analyses.SOURCE, "value"),
        Input(Analyses.SET, "value"),
        Input(Analyses.GROUP, "value"),
        Input(Analyses.TEXT, "value"),
        first=True,
    )
    in_browser(
        "analysesSettle",
        Output(Analyses.POLL, "disabled"),
        Output(Analyses.PROGRESS, "hidden"),
        Output(Analyses.STAGE, "children"),
        Output(Analyses.BAR, "value"),
        Input(Analyses.JOB, "data"),
        Input(Analyses.STANDING, "data"),
        State(Analyses.ASKED, "data"),
        State(Analyses.ANALYSIS, "value"),
    )
    in_browser(
        "analysesOpened",
        Output(Analyses.OPENED, "data"),
        Input(Analyses.FAULT, "data"),
        first=True,
    )
    in_browser(
        "analysesRenew",
        Output(Analyses.AGAIN, "data"),
        Input(Shell.NOT_KEPT, "data"),
        State(Analyses.SHOWN, "data"),
    )


def _looking() -> None:
    """What follows a result, and what is done with it."""
    in_browser(
        "analysesSync",
        Output(Analyses.LINK_NOTE, "children"),
        Input(Analyses.SHOWN, "data"),
        Input(Analyses.NORM_CHOSEN, "data"),
        Input(Analyses.OPEN_IN, "value"),
        State(Analyses.ANALYSIS, "value"),
        State(Analyses.MODEL, "value"),
    )
    in_browser("analysesCopy", Output(Analyses.LINK, "title"), Input(Analyses.LINK, "n_clicks"))
    in_browser(
        "analysesPick",
        Output(Analyses.NORM, "value"),
        Input({"type": Analyses.OVERVIEW, "index": ALL}, "clickData"),
    )
    in_browser(
        "analysesChosen", Output(Analyses.NORM_CHOSEN, "data"), Input(Analyses.NORM, "value")
    )
