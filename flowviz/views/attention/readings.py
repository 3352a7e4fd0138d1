"""What a model predicts at each token, for a script to draw.

An encoder predicts the token that stands there, or stood there before it was masked; a decoder the
one that follows.
"""

from __future__ import annotations

from typing import Any

from flowviz.attention.types import AttentionMaps, Part
from flowviz.graph.types import Prediction, PromptToken
from flowviz.views.attention.packed import column_words
from flowviz.views.attention.window import Window
from flowviz.views.tokens import visible

LISTED = 10  # predictions of one token


def readings_packed(maps: AttentionMaps, start: int | None) -> dict[str, Any] | None:
    """The predictions at each token of the head view's window; None where there are none.

    `own` is the token that is there, or that follows; its `rank` counts from 1, and is None where
    it is not among those that are listed.
    """
    if not maps.readings:
        return None
    places = Window.at(maps.positions, start).inside
    words, own = column_words(maps.queries), _own(maps)
    return {
        "next": maps.part is not Part.ENCODER,
        "masked": list(maps.queries.masked),
        "rows": [_row(at, words[at], own[at], maps.readings[at]) for at in places],
    }


def _own(maps: AttentionMaps) -> list[PromptToken | None]:
    """The token that each prediction is about, where it is known."""
    tokens = maps.queries.tokens
    return [*tokens] if maps.part is Part.ENCODER else [*tokens[1:], None]


def _row(
    at: int, text: str, own: PromptToken | None, found: tuple[Prediction, ...]
) -> dict[str, Any]:
    ranks = [i for i, each in enumerate(found, 1) if own is not None and each.id == own.id]
    return {
        "at": at,
        "text": text,
        "own": None if own is None else visible(own.text),
        "rank": ranks[0] if ranks else None,
        "found": [[visible(each.token), each.probability] for each in found[:LISTED]],
    }
