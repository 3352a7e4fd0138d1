"""What has been computed, kept within a bound of bytes; the least recently used goes first.

A scored flow of T tokens holds beside its trace (`trace_bytes`) three parts, in floats:

    T * layers * (2 d_model + heads * d_head + neurons)              its gradients
    4 * T * layers * (heads + neurons + 10)                          flow, influence, two scores
    layers * heads * T^2, where that is at most 256 MB               what heads draw from where

On GPT-2 small's shape (megabytes of resident memory of the process beyond the loaded model;
`peak` while the first graph is built, and with the gradient score, which runs autograd):

    tokens    trace    formula    kept    peak    peak with gradient
        64       42         97      93     139                   217
       256      196        440     414     546                   937
     1,024    1,217      2,049   1,916   2,248                 4,259
"""

from __future__ import annotations

import threading
from dataclasses import replace

from cachetools import LRUCache

from flowviz.errors import RequestError
from flowviz.flow import CACHED_SOURCES_BYTES
from flowviz.graph.build import Scored
from flowviz.graph.types import BIAS_NAMES, FlowGraph
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, GraphSettings
from flowviz.trace import Trace, trace_bytes

GRAPHS_SHARE = 8  # one part in so many is for graphs, the rest for flows
NODE_BYTES = 6_000  # a node with its twenty tokens, as Python objects: measured
EDGE_BYTES = 500
LONGEST = 2**20  # tokens, for a model that says no length of its own


def scored_bytes(model: LoadedModel, tokens: int) -> int:
    """The memory that a trace of so many tokens takes with one flow and all its scores."""
    shape, attention = model.shape, model.blocks[0].attention
    heads = attention.heads * attention.d_head
    block = model.blocks[0]
    states = 2 if block.residual_scale == 1 and block.mlp.post.eps is None else 4
    gradients = states * shape.d_model + heads + shape.neurons
    values = 4 * (shape.heads + shape.neurons + 2 + len(BIAS_NAMES))
    sources = 4 * shape.layers * shape.heads * tokens**2
    return (
        trace_bytes(model, tokens)
        + 4 * tokens * shape.layers * (gradients + values)
        + (sources if sources <= CACHED_SOURCES_BYTES else 0)
    )


def most_tokens(model: LoadedModel, most_bytes: int) -> int:
    """The longest prompt that the model takes and that stays within so many bytes."""
    low, high = 0, model.context or LONGEST
    while low < high:
        middle = (low + high + 1) // 2
        fits = scored_bytes(model, middle) <= most_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def graph_bytes(graph: FlowGraph) -> int:
    """About what a graph takes."""
    return NODE_BYTES * len(graph.nodes) + EDGE_BYTES * len(graph.edges)


def flow_key(request: ExplainRequest) -> ExplainRequest:
    """What a request's flow depends on: all but the graph's settings."""
    return replace(request, settings=GraphSettings())


class Results:
    """Flows by what they depend on, and graphs by request. Safe to call from many threads."""

    def __init__(self, most_bytes: int) -> None:
        for_graphs = most_bytes // GRAPHS_SHARE
        self.most_bytes = most_bytes - for_graphs  # what one flow may take
        self._scored: LRUCache[ExplainRequest, Scored] = LRUCache(self.most_bytes, _held)
        self._graphs: LRUCache[ExplainRequest, FlowGraph] = LRUCache(for_graphs, graph_bytes)
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """The memory that is taken."""
        with self._lock:
            return int(self._scored.currsize + self._graphs.currsize)

    def graph(self, request: ExplainRequest) -> FlowGraph | None:
        """The graph of a request, where it is kept."""
        with self._lock:
            return self._graphs.get(request)

    def scored(self, request: ExplainRequest) -> Scored | None:
        """The flow that a request's graph is built from, where it is kept."""
        with self._lock:
            return self._scored.get(flow_key(request))

    def trace(self, request: ExplainRequest) -> Trace | None:
        """The prompt's trace, from the flow of any target."""
        with self._lock:
            for key, scored in self._scored.items():
                if (key.model, key.prompt) == (request.model, request.prompt):
                    return scored.flow.trace
        return None

    def keep_graph(self, request: ExplainRequest, graph: FlowGraph) -> None:
        """Keeps a graph. Raises RequestError where it is larger than the whole bound."""
        with self._lock:
            if graph_bytes(graph) > self._graphs.maxsize:
                raise RequestError(_too_large(graph, int(self._graphs.maxsize)))
            self._graphs[request] = graph

    def keep_scored(self, request: ExplainRequest, scored: Scored) -> None:
        """Keeps a flow, unless it is larger than the whole bound."""
        with self._lock:
            if _held(scored) <= self._scored.maxsize:
                self._scored[flow_key(request)] = scored

    def forget(self, model: str) -> None:
        """Lets go of a model's flows, which hold the model itself; graphs hold only words."""
        with self._lock:
            for key in [key for key in self._scored if key.model == model]:
                del self._scored[key]


def _too_large(graph: FlowGraph, most: int) -> str:
    return (
        f"A picture of {len(graph.nodes)} nodes takes about {graph_bytes(graph) / 2**20:.1f} MB; "
        f"{most / 2**20:.1f} MB are set aside for pictures. Draw fewer nodes."
    )


def _held(scored: Scored) -> int:
    return scored_bytes(scored.flow.model, len(scored.flow.trace.ids))
