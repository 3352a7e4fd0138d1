"""Links from one page to another that keep prompt, target and model."""

from __future__ import annotations

from urllib.parse import urlencode

import dash

from flowviz.attention.request import AttentionRequest
from flowviz.compare.request import CompareRequest
from flowviz.contexts.request import ContextRequest
from flowviz.factors.request import FactorsRequest
from flowviz.graph.types import NodeKey
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import PartKey
from flowviz.request import ExplainRequest

FLOW, INSIDE, COMPARE = "/", "/inside", "/compare"
ATTENTION, CONTEXTS, FACTORS = "/attention", "/contexts", "/factors"


def flow_link(request: ExplainRequest, node: NodeKey | None = None) -> str:
    """The flow page, with a node selected."""
    return _link(FLOW, request.to_mapping(), node)


def inside_link(request: InsideRequest, part: PartKey | None = None) -> str:
    """The page of an opened block, with a part selected."""
    return _link(INSIDE, request.to_mapping(), part)


def compare_link(request: ExplainRequest) -> str:
    """The page that compares, with this as its first side and the second yet to be typed.

    Of a request with interventions both sides are there: the first is the pass without them.
    Nothing is opened there.
    """
    request = request.closed
    if not request.interventions:
        return _link(COMPARE, request.to_mapping(), None)
    return _link(COMPARE, CompareRequest(request.clean, request).to_mapping(), None)


def attention_link(
    request: AttentionRequest, layer: int, heads: tuple[int, ...], position: int
) -> str:
    """The attention page, with heads of a layer chosen (none: all) and a token pinned."""
    chosen = {"heads": ",".join(map(str, heads))} if heads else {}
    look = {"layer": str(layer), **chosen, "at": f"query:{position}"}
    return _link(ATTENTION, request.to_mapping() | look, None)


def contexts_link(request: ContextRequest) -> str:
    """The page that searches contexts like this one."""
    return _link(CONTEXTS, request.to_mapping(), None)


def factors_link(request: FactorsRequest) -> str:
    """The page of factors, with one told whole."""
    return _link(FACTORS, request.to_mapping(), None)


def _link(page: str, mapping: dict[str, str], node: NodeKey | PartKey | None) -> str:
    selected = {} if node is None else {"node": str(node)}
    return f"{dash.get_relative_path(page)}?{urlencode(mapping | selected)}"
