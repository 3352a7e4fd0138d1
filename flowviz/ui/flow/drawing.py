"""What scripts in the browser need to know of the graph that was drawn."""

from __future__ import annotations

import zlib
from typing import Any

from flowviz.graph.types import FlowGraph
from flowviz.request import ExplainRequest


def drawing(request: ExplainRequest, graph: FlowGraph, elements: int) -> dict[str, Any]:
    """A few small figures: the range sliders' ends, the target, how many elements to wait for."""
    settings = request.settings
    return {
        "run": f"{zlib.crc32(request.to_query().encode()):08x}-{elements}",
        "wiring": str(settings.wiring),
        "elements": elements,
        "layers": graph.model.layers - 1,
        "positions": len(graph.tokens) - 1,
        "target": graph.target.position,
        "layerSpan": settings.layers,
        "positionSpan": settings.positions,
    }
