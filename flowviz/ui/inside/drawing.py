"""What scripts in the browser need to know of the block that was drawn."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from flowviz.graph.types import Prediction
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import InsideGraph, PartKind
from flowviz.session import Session
from flowviz.views.inside.looks import Look
from flowviz.views.tokens import visible

READABLE = 0.5  # the zoom below which its labels are too small to read
ROOM = {"top": 66, "bottom": 10, "side": 12}  # pixels that the legend takes, and a margin


def drawing(
    request: InsideRequest, graph: InsideGraph, look: Look, elements: int
) -> dict[str, Any]:
    """A few small figures: how many elements to wait for, in which look, how many blocks."""
    about = f"{request.to_query()} {look}"
    return {
        "run": f"{zlib.crc32(about.encode()):08x}-{elements}",
        "wiring": f"inside {graph.layers[1] - graph.layers[0]}",
        "elements": elements,
        "look": f"{look.colour} {look.width}",
        "readable": READABLE,
        "room": ROOM,
        "layers": graph.model.layers - 1,
    }


def token_strip(graph: InsideGraph) -> dict[str, Any]:
    """What a script makes the prompt's chips of: texts, ids, which is opened, which are sources."""
    sources = {n.key.source for n in graph.nodes if n.key.kind in (PartKind.VALUE, PartKind.KEY)}
    return {
        "tokens": [visible(token.text) for token in graph.tokens],
        "ids": [token.id for token in graph.tokens],
        "target": graph.position,
        "explained": graph.target.position,
        "drawn": sorted({*sources, graph.position}),
        "span": None,
        "tip": "Click to open the block here; with Shift, to explain what the model says after it",
    }


def shown_predictions(session: Session, shown: Mapping[str, str] | None) -> tuple[Prediction, ...]:
    """The predictions of the picture on the page; none where there is no picture."""
    if not shown:
        return ()
    return session.answer(InsideRequest.from_mapping(shown)).predictions
