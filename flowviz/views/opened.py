"""Opened nodes in words: how much their factors explain, and what they cost."""

from __future__ import annotations

from flowviz.graph.types import OpenedPlace
from flowviz.views.words import percent, signed


def opened_words(place: OpenedPlace) -> str:
    """How much of a node its factors explain."""
    many = "1 factor" if place.factors == 1 else f"{place.factors:,} factors"
    return f"{many}, {percent(place.explained)} explained"


def loss_words(place: OpenedPlace) -> str:
    """What becomes of the prompt's loss on reconstructions; empty where it has none."""
    if place.loss is None or place.spliced is None:
        return ""
    change = signed(place.spliced - place.loss)
    return (
        f"The loss on this prompt is {place.loss:.2f} nats a token, and {place.spliced:.2f} "
        f"({change}) where this state's vectors at every position are replaced by offset and "
        "factors alone."
    )
