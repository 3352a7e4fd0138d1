"""The graph's stylesheets for light and dark, for the browser to choose from."""

from __future__ import annotations

from typing import Any

from flowviz.views.palette import PALETTES
from flowviz.views.stylesheet import stylesheet


def styles() -> dict[str, list[dict[str, Any]]]:
    """One stylesheet a theme."""
    return {theme: stylesheet(theme) for theme in PALETTES}
