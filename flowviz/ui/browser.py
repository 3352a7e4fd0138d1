"""Callbacks that the browser answers: which function of `assets/` is called for what."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback

from flowviz.ui.ids import Shell


def in_browser(function: str, *places: Any, first: bool = False) -> None:
    """Connects a script's function; `first`: it is called when the page opens, too."""
    clientside_callback(
        ClientsideFunction("flowviz", function), *places, prevent_initial_call=not first
    )


def answer_picture(ids: Any, strip: str = "tokens") -> None:
    """Connects what every page with a prompt and a picture does alike.

    Args:
        ids: the page's own.
        strip: the script's function that makes what stands above the picture.
    """
    ask_in_browser(ids)
    _acting(ids)
    in_browser(strip, Input(ids.STRIP, "data"))
    in_browser("drawn", Input(ids.DRAWN, "data"), State(ids.SHOWN, "data"))
    in_browser("choose", Input(ids.SELECTED, "data"))


def ask_in_browser(ids: Any) -> None:
    """From the form to a job, and from a job to a picture: for every page with a prompt."""
    in_browser(
        "settle",
        Output(ids.POLL, "disabled"),
        Output(ids.PROGRESS, "hidden"),
        Output(ids.STAGE, "children"),
        Output(ids.BAR, "value"),
        Input(ids.JOB, "data"),
        Input(ids.STANDING, "data"),
    )
    in_browser(
        "opened",
        Output(ids.OPENED, "data"),
        Input(ids.FAULT, "data"),
        State(ids.SELECTED, "data"),
        first=True,
    )
    in_browser(
        "measure",
        Output(ids.TYPED, "data"),
        Input(ids.PROMPT, "value"),
        Input(ids.MODEL, "value"),
        first=True,
    )
    in_browser(
        "renew",
        Output(ids.AGAIN, "data"),  # a page that is not open has none, and is not asked
        Input(Shell.NOT_KEPT, "data"),
        State(ids.SHOWN, "data"),
    )


def _acting(ids: Any) -> None:
    """Buttons that change what is seen, not what is drawn."""
    in_browser("copy", Input(ids.LINK, "n_clicks"), State(ids.SHOWN, "data"))
    in_browser(
        "tools",
        Input(ids.FIT, "n_clicks"),
        Input(ids.ZOOM_IN, "n_clicks"),
        Input(ids.ZOOM_OUT, "n_clicks"),
        Input(ids.FOLD, "n_clicks"),
    )
    in_browser(
        "styles",
        Output(ids.GRAPH, "stylesheet"),
        Input(Shell.THEME, "data"),
        State(ids.STYLES, "data"),
        first=True,
    )
    in_browser(
        "image",
        Input(ids.SAVE_PNG, "n_clicks"),
        Input(ids.SAVE_SVG, "n_clicks"),
        State(ids.SHOWN, "data"),
    )
