"""Callbacks that the browser answers: which function of `assets/` is called for what."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, clientside_callback


def in_browser(function: str, *places: Any, first: bool = False) -> None:
    """Connects a script's function; `first`: it is called when the page opens, too."""
    clientside_callback(
        ClientsideFunction("flowviz", function), *places, prevent_initial_call=not first
    )
