"""What has been computed, kept within a bound of bytes; the least recently used goes first.

A scored flow of T tokens holds beside its trace (`trace_bytes`) three parts, in floats:

    T * layers * (2 d_model + heads * d_head + neurons)              its gradients
    5 * T * layers * (heads + neurons + 18)                          flow, influence, three scores
    layers * heads * T^2, where that is at most 256 MB               what heads draw from where

On GPT-2 small's shape (megabytes of resident memory of the process beyond the loaded model;
`peak` while the first graph is built, and with the gradient score, which runs autograd):

    tokens    trace    formula    kept    peak    peak with gradient
        64       42         97      93     139                   217
       256      196        440     414     546                   937
     1,024    1,217      2,049   1,916   2,248                 4,259
"""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace

from cachetools import LRUCache

from flowviz.analyses.request import AnalysisRequest
from flowviz.analyses.types import Result
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.attention.types import AttentionMaps, HeadsFound
from flowviz.attention.why_request import NeuronRequest, WhyRequest
from flowviz.attention.why_types import WhyThere
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Verdict
from flowviz.compare.request import CompareRequest
from flowviz.compare.types import Comparison
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.types import ContextsFound
from flowviz.errors import RequestError
from flowviz.factors.look.types import FactorsFound
from flowviz.factors.request import FactorsRequest
from flowviz.flow import CACHED_SOURCES_BYTES
from flowviz.graph.scored import Scored
from flowviz.graph.types import BIAS_NAMES, FlowGraph
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import InsideGraph
from flowviz.models.loaded import LoadedModel
from flowviz.request import ExplainRequest, GraphSettings
from flowviz.trace import Trace, trace_bytes

Question = (
    ExplainRequest
    | InsideRequest
    | CheckRequest
    | CompareRequest
    | AnalysisRequest
    | AttentionRequest
    | HeadsRequest
    | WhyRequest
    | NeuronRequest
    | ContextRequest
    | FactorsRequest
)
Answer = (
    FlowGraph
    | InsideGraph
    | Verdict
    | Comparison
    | Result
    | AttentionMaps
    | HeadsFound
    | WhyThere
    | NeuronView
    | Decay
    | ContextsFound
    | FactorsFound
)

ANSWERS_SHARE = 8  # one part in so many is for graphs and other answers, the rest for flows
NODE_BYTES = 6_000  # a node with its twenty tokens, as Python objects: measured
EDGE_BYTES = 500
TOKEN_BYTES = 500
PREDICTION_BYTES = 350  # as a Python object with its text
PICKLED_TIMES = 5  # what Python objects take, in lengths of their pickle: measured on all analyses
LONGEST = 2**20  # tokens, for a model that says no length of its own


def scored_bytes(model: LoadedModel, tokens: int) -> int:
    """The memory that a trace of so many tokens takes with one flow and all its scores."""
    shape, attention = model.shape, model.blocks[0].attention
    heads = attention.heads * attention.d_head
    block = model.blocks[0]
    states = 2 if block.residual_scale == 1 and block.mlp.post.eps is None else 4
    gradients = states * shape.d_model + heads + shape.neurons
    values = 5 * (shape.heads + shape.neurons + 2 + len(BIAS_NAMES))
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


def answer_bytes(answer: Answer) -> int:
    """About what a graph, a comparison, or what an analysis found, takes."""
    if isinstance(answer, AttentionMaps):
        tokens = len(answer.tokens) + len(answer.sources or ())
        read = sum(map(len, answer.readings))
        return answer.bytes + TOKEN_BYTES * tokens + PREDICTION_BYTES * read
    if isinstance(answer, ContextsFound):
        tokens = sum(len(hit.tokens) + len(hit.words) for hit in answer.hits)
        return TOKEN_BYTES * tokens + sum(hit.attention.nbytes for hit in answer.hits)
    if isinstance(answer, FlowGraph | InsideGraph):
        return NODE_BYTES * len(answer.nodes) + EDGE_BYTES * len(answer.edges)
    if isinstance(answer, Comparison):
        nodes = len(answer.graph.nodes) + 2 * len(answer.changes)
        return NODE_BYTES * nodes + 2 * EDGE_BYTES * len(answer.graph.edges)
    return PICKLED_TIMES * len(pickle.dumps(answer))


def flow_key(request: ExplainRequest) -> ExplainRequest:
    """What a request's flow depends on: all but the graph's settings and what is opened in it."""
    return replace(request, settings=GraphSettings(), opened=())


class Results:
    """Flows by what they depend on, and answers by question. Safe to call from many threads."""

    def __init__(self, most_bytes: int) -> None:
        for_answers = most_bytes // ANSWERS_SHARE
        self.most_bytes = most_bytes - for_answers  # what one flow may take
        self._scored: LRUCache[ExplainRequest, Scored] = LRUCache(self.most_bytes, _held)
        self._answers: LRUCache[Question, Answer] = LRUCache(for_answers, answer_bytes)
        self._lock = threading.Lock()

    @property
    def most_answer_bytes(self) -> int:
        """What one answer may take."""
        return int(self._answers.maxsize)

    @property
    def bytes(self) -> int:
        """The memory that is taken."""
        with self._lock:
            return int(self._scored.currsize + self._answers.currsize)

    def answer(self, question: Question) -> Answer | None:
        """The answer to a question, where it is kept."""
        with self._lock:
            return self._answers.get(question)

    def graph(self, request: ExplainRequest) -> FlowGraph | None:
        """The graph of a request, where it is kept."""
        graph = self.answer(request)
        assert graph is None or isinstance(graph, FlowGraph)
        return graph

    def scored(self, request: ExplainRequest) -> Scored | None:
        """The flow that a request's graph is built from, where it is kept."""
        with self._lock:
            return self._scored.get(flow_key(request))

    def trace(self, request: ExplainRequest) -> Trace | None:
        """The prompt's trace, from the flow of any target."""
        with self._lock:
            for key, scored in self._scored.items():
                clean = not key.interventions
                if clean and (key.model, key.prompt) == (request.model, request.prompt):
                    return scored.flow.trace
        return None

    def keep(self, question: Question, answer: Answer) -> None:
        """Keeps an answer. Raises RequestError where it is larger than the whole bound."""
        with self._lock:
            if answer_bytes(answer) > self._answers.maxsize:
                raise RequestError(_too_large(answer, int(self._answers.maxsize)))
            self._answers[question] = answer

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


def _too_large(answer: Answer, most: int) -> str:
    picture = isinstance(answer, FlowGraph | InsideGraph)
    what = f"A picture of {len(answer.nodes)} nodes" if picture else "What was found"
    return (
        f"{what} takes about {answer_bytes(answer) / 2**20:.1f} MB; {most / 2**20:.1f} MB are set "
        f"aside for it. {'Draw fewer nodes.' if picture else 'Ask for less.'}"
    )


def _held(scored: Scored) -> int:
    passes = 1 if scored.changed is None else 2  # a changed pass holds the clean one beside it
    return passes * scored_bytes(scored.flow.model, len(scored.flow.trace.ids))
