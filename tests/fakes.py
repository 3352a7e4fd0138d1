"""A Session without a model: hand-made graphs that keep the laws, for tests of the page.

The prompt chooses what happens: "tiny" draws three nodes, "large" about a thousand elements,
"slow" takes a while and can be cancelled, "fail" fails with a way out, "crash" has a bug,
"unlawful" breaks a law, "capped" has its logits capped. A prompt of GPT-2 may have a thousand
tokens.
"""

from __future__ import annotations

import itertools
import random
import time
import zlib
from dataclasses import replace

from flowviz.causal.request import CheckRequest
from flowviz.causal.types import Verdict
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import NotKept, RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.types import About
from flowviz.graph.inspection import (
    AttentionCell,
    FlowRow,
    FlowTable,
    Inspection,
    LensRow,
    NeuronReading,
)
from flowviz.graph.types import (
    STATES,
    Checks,
    EdgeKind,
    FlowEdge,
    FlowGraph,
    FlowNode,
    ModelShape,
    NodeKey,
    NodeKind,
    Prediction,
    Projection,
    PromptToken,
    Target,
    TokenScore,
)
from flowviz.request import ExplainRequest, Wiring
from flowviz.session import (
    Job,
    JobState,
    ModelChoice,
    Question,
    Session,
    TokenChoice,
    TokenCount,
)
from tests.verdicts import make_verdict

WORDS = [
    " Paris",
    " Rome",
    " the",
    " cat",
    "\n",
    " of",
    "\t",
    " is",
    " Mary",
    " John",
    " a",
    "<b>bold</b>",
    " שלום",
    " 🙂",
    "\u202e!",
    " capital",
    " France",
    " mat",
    " on",
    " sat",
]
CONTEXT = 64
MB = 2**20
LONG_CONTEXT = 1024
SLOW_SECONDS = 60.0


class FakeSession(Session):
    """Answers at once from a hand-made graph; keeps jobs as the real one does."""

    def __init__(self) -> None:
        self.jobs: dict[str, tuple[str, ExplainRequest, Job, float]] = {}
        self.numbers = itertools.count(1)
        self.released = False
        self.submitted: list[ExplainRequest] = []
        self.checked: list[CheckRequest] = []
        self.gone = False  # whether what was drawn has made room
        self.verdicts_gone = False

    def models(self, *, gpt: bool = False) -> tuple[ModelChoice, ...]:
        return (
            ModelChoice("demo", "Demo", "A small model of made-up facts.", CONTEXT, True, 15 * MB),
            ModelChoice("gpt2", "GPT-2 small", "124 M parameters.", LONG_CONTEXT, False, 475 * MB),
        )

    def submit(self, request: Question, visitor: str, *, to_inspect: bool = False) -> Job:
        if isinstance(request, CheckRequest):
            return self.submit_check(request, visitor)
        assert isinstance(request, ExplainRequest)
        check(request)
        self.submitted.append(request)
        self.gone &= not to_inspect
        number = str(next(self.numbers))
        if "slow" in request.prompt:
            job = Job(number, JobState.RUNNING, "Loading the model", 0.2)
        elif "fail" in request.prompt:
            job = Job(number, JobState.FAILED, "", 1.0, "The weights are not there. Pick another.")
        else:
            job = Job(number, JobState.DONE, "Done", 1.0)
        self.jobs[number] = (visitor, request, job, time.monotonic())
        return job

    def submit_check(self, request: CheckRequest, visitor: str) -> Job:
        """Done at once, but for another prompt that is "slow" or "short"."""
        self.checked.append(request)
        self.verdicts_gone = False
        number, other = str(next(self.numbers)), request.other or ""
        if "slow" in other:
            job = Job(number, JobState.RUNNING, "Replacing everything", 0.1)
        elif "short" in other:
            job = Job(number, JobState.FAILED, "", 1.0, "Give a prompt that is at least as long.")
        else:
            job = Job(number, JobState.DONE, "Done", 1.0)
        self.jobs[number] = (visitor, request.explained, job, time.monotonic())
        return job

    def answer(self, question: Question) -> Verdict:
        assert isinstance(question, CheckRequest)
        if question not in self.checked or self.verdicts_gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        return make_verdict(self.graph(question.explained), question)

    def job(self, job_id: str, visitor: str) -> Job:
        owner, _, job, _ = self.jobs.get(job_id, ("", None, None, 0))
        if owner != visitor or job is None:
            raise RequestError("That run is not known any more. Run the prompt again.")
        if job.state is JobState.RUNNING and self.released:
            job = replace(job, state=JobState.DONE, fraction=1.0)
        return job

    def cancel(self, job_id: str, visitor: str) -> Job:
        job = replace(self.job(job_id, visitor), state=JobState.CANCELLED)
        _, request, _, started = self.jobs[job_id]
        self.jobs[job_id] = (visitor, request, job, started)
        return job

    def graph(self, request: ExplainRequest) -> FlowGraph:
        check(request)
        if self.gone:
            raise NotKept("This picture is not kept any more. Run the prompt again.")
        if "crash" in request.prompt:
            raise ZeroDivisionError("a bug")
        return (
            unlawful(make_graph(request)) if "unlawful" in request.prompt else make_graph(request)
        )

    def inspect(self, request: ExplainRequest, key: NodeKey) -> Inspection:
        return make_inspection(self.graph(request), key)

    def dictionaries(self, model: str) -> tuple[About, ...]:
        sites = (Site(SiteKind.RESID_MID, 1), Site(SiteKind.MLP_OUT, 1), Site(SiteKind.ATTN_OUT, 1))
        return (About("coding", model, "", Method.CODING, sites, 1024, 192, explained=0.8),)

    def find_tokens(self, model: str, text: str, limit: int = 50) -> tuple[TokenChoice, ...]:
        found = [(number, word) for number, word in enumerate(WORDS) if text.strip() in word]
        return tuple(TokenChoice(word, word, number) for number, word in found[:limit])

    def count_tokens(self, model: str, text: str) -> TokenCount | None:
        held = any(each.held for each in self.models() if each.name == model)
        return TokenCount(len(make_tokens(text)), CONTEXT) if held else None


def check(request: ExplainRequest) -> None:
    if request.model not in ("demo", "gpt2"):
        raise RequestError(f"There is no model {request.model!r} here. Choose demo or gpt2.")
    length = len(make_tokens(request.prompt))
    most = CONTEXT if request.model == "demo" else LONG_CONTEXT
    if length > most:
        raise RequestError(
            f"The prompt has {length} tokens; {request.model} takes at most {most}. Shorten it."
        )


def make_tokens(prompt: str) -> tuple[PromptToken, ...]:
    words = prompt.split(" ")
    texts = [words[0], *(" " + word for word in words[1:])]
    return tuple(PromptToken(i, 100 + i, text) for i, text in enumerate(texts) if text)


def make_graph(request: ExplainRequest) -> FlowGraph:
    """A graph for the request, the same one each time."""
    tokens = make_tokens(request.prompt)
    layers = 12 if "large" in request.prompt else 4
    rng = random.Random(zlib.crc32(request.prompt.encode()))
    position = request.target.position
    position = len(tokens) - 1 if position is None else position
    if position >= len(tokens):
        raise RequestError(f"position is {position}; the prompt has {len(tokens)} tokens.")
    predictions = tuple(
        Prediction(number, word, probability, 14.0 - number)
        for number, (word, probability) in enumerate(
            zip(
                WORDS[:10],
                (0.41, 0.17, 0.11, 0.08, 0.05, 0.03, 0.02, 0.012, 0.008, 0.001),
                strict=True,
            )
        )
    )
    token = _choose(request.target.token, predictions) or predictions[0]
    contrast = _choose(request.target.contrast, predictions)
    target = Target(
        position, token, token.id + 1, contrast, contrast.id + 1 if contrast else None, 4.2
    )
    drawing = _Drawing(rng, target, tokens, layers, request)
    drawing.draw("tiny" in request.prompt)
    return FlowGraph(
        model=ModelShape(
            request.model,
            "GPT2LMHeadModel",
            layers,
            8,
            768,
            192,
            3500,
            logit_cap=30.0 if "capped" in request.prompt else None,
        ),
        tokens=tokens,
        target=target,
        predictions=predictions,
        settings=dict(request.to_mapping()),
        checks=Checks(1e-6, 3e-6, 1e-7, 2e-6, 1e-6, 1e-4, "float32"),
        coverage=request.settings.coverage + 0.03 * (1 - request.settings.coverage),
        nodes_total=layers * len(tokens) * 780,
        nodes=drawing.nodes(),
        edges=tuple(drawing.edges),
    )


def unlawful(graph: FlowGraph) -> FlowGraph:
    """What is left of a graph where a law failed: states and heads at the target, without flow."""
    kinds = STATES | {NodeKind.HEAD, NodeKind.TARGET}
    at = graph.target.position
    column = [n for n in graph.nodes if n.key.kind in kinds and n.key.position == at]
    nodes = [replace(n, flow=0.0, influence=0.0, direct=0.0) for n in column]
    bare = {"norm": None, "projection": None}  # heads are places only
    nodes = [replace(n, **bare) if n.key.kind is NodeKind.HEAD else n for n in nodes]
    checks = replace(graph.checks, block_error=0.31)
    return replace(graph, checks=checks, coverage=0.0, nodes=tuple(nodes), edges=())


def _choose(text: str | None, predictions: tuple[Prediction, ...]) -> Prediction | None:
    if text is None:
        return None
    named = [p for p in predictions if text in (p.token, f"#{p.id}")]
    if not named and text not in WORDS:
        raise RequestError(f"{text!r} is not one token of demo. Pick one from the list.")
    return named[0] if named else Prediction(WORDS.index(text), text, 0.0004, 1.5)


class _Drawing:
    """Splits the target's value downwards, so that every node's inflows are its outflow."""

    def __init__(self, rng, target, tokens, layers, request):
        self.rng, self.target, self.tokens, self.layers = rng, target, tokens, layers
        self.settings = request.settings
        self.flows: dict[NodeKey, float] = {}
        self.edges: list[FlowEdge] = []

    def draw(self, tiny: bool) -> None:
        end = NodeKey(NodeKind.TARGET, self.layers, self.target.position)
        self.flows[end] = self.target.value
        if tiny:
            self.split(end, [(NodeKey(NodeKind.EMBED, 0, 0), EdgeKind.WRITE, None)])
        elif self.settings.wiring is Wiring.CIRCUIT:
            self.circuit(end)
        else:
            self.stream(end)

    def stream(self, end: NodeKey) -> None:
        place = end.position
        final = NodeKey(NodeKind.RESID_FINAL, self.layers, place)
        self.split(
            end,
            [
                (final, EdgeKind.RESIDUAL, None),
                (NodeKey(NodeKind.BIAS, self.layers, place, 6), EdgeKind.WRITE, None),
            ],
        )
        frontier = [final]
        for layer in reversed(range(self.layers)):
            mids = []
            for key in frontier:
                mid = NodeKey(NodeKind.RESID_MID, layer, key.position)
                neurons = [
                    NodeKey(NodeKind.NEURON, layer, key.position, n)
                    for n in self.some(NodeKind.NEURON, 768, 2)
                ]
                self.split(
                    key,
                    [(mid, EdgeKind.RESIDUAL, None), *((n, EdgeKind.WRITE, None) for n in neurons)],
                )
                for neuron in neurons:
                    self.split(neuron, [(mid, EdgeKind.READ, None)])
                mids.append(mid)
            pres: dict[int, NodeKey] = {}
            for mid in mids:
                heads = [
                    NodeKey(NodeKind.HEAD, layer, mid.position, n)
                    for n in self.some(NodeKind.HEAD, 8, 2)
                ]
                pre = self.pre(pres, layer, mid.position)
                self.split(
                    mid,
                    [(pre, EdgeKind.RESIDUAL, None), *((h, EdgeKind.WRITE, None) for h in heads)],
                )
                for head in heads:
                    source = self.rng.randrange(mid.position + 1)
                    self.split(
                        head, [(self.pre(pres, layer, source), EdgeKind.READ, self.rng.random())]
                    )
            frontier = sorted(pres.values(), reverse=True)[: 3 if self.layers < 6 else 6]
        for key in frontier:
            self.embed(key)

    def pre(self, pres, layer, position) -> NodeKey:
        return pres.setdefault(position, NodeKey(NodeKind.RESID_PRE, layer, position))

    def embed(self, key: NodeKey) -> None:
        kinds = [NodeKind.EMBED, NodeKind.POS_EMBED]
        self.split(
            key,
            [
                (NodeKey(kind, 0, key.position), EdgeKind.WRITE, None)
                for kind in kinds
                if kind in self.settings.kinds
            ],
        )

    def circuit(self, end: NodeKey) -> None:
        ladder = [end]
        for layer in reversed(range(self.layers)):
            row = [
                NodeKey(NodeKind.NEURON, layer, end.position, n)
                for n in self.some(NodeKind.NEURON, 768, 3)
            ]
            row += [
                NodeKey(NodeKind.HEAD, layer, end.position, n)
                for n in self.some(NodeKind.HEAD, 8, 2)
            ]
            for key in ladder[-4:]:
                kind = EdgeKind.WRITE if key is end else EdgeKind.READ
                self.split(key, [(source, kind, None) for source in row])
            ladder += row
        for key in ladder[-4:]:
            if not any(edge.target == key for edge in self.edges):
                position = self.rng.randrange(end.position + 1)
                self.split(key, [(NodeKey(NodeKind.EMBED, 0, position), EdgeKind.READ, 0.4)])

    def some(self, kind: NodeKind, below: int, count: int) -> list[int]:
        if kind not in self.settings.kinds:
            return []
        count = max(1, round(count * self.settings.coverage / 0.8 * (1 + (self.layers > 6))))
        return self.rng.sample(range(below), count)

    def split(self, key: NodeKey, sources) -> None:
        flow = self.flows.get(key, 0.0)
        shares = [self.rng.uniform(-0.4, 1.0) for _ in sources]
        rest = self.rng.uniform(0.05, 0.25)
        scale = (1 - rest) / (sum(shares) or 1.0)
        if abs(scale) > 3:
            shares, scale = [1.0 for _ in sources], (1 - rest) / max(len(sources), 1)
        if not sources:
            rest = 1.0
        for (source, kind, weight), share in zip(sources, shares, strict=True):
            self.edge(source, key, kind, flow * share * scale, weight)
        self.edge(key.rest(), key, EdgeKind.REST, flow * rest, None)

    def edge(self, source, target, kind, flow, weight) -> None:
        self.flows[source] = self.flows.get(source, 0.0) + flow
        influence = min(1.0, abs(flow) / abs(self.target.value))
        self.edges.append(FlowEdge(source, target, kind, flow, influence, weight))

    def nodes(self) -> tuple[FlowNode, ...]:
        return tuple(make_node(key, flow, self.target) for key, flow in sorted(self.flows.items()))


def make_node(key: NodeKey, flow: float, target: Target) -> FlowNode:
    bare = key.kind in (NodeKind.REST, NodeKind.TARGET)
    return FlowNode(
        key=key,
        flow=flow,
        influence=min(1.0, abs(flow) / abs(target.value)),
        direct=flow / 2,
        norm=None if bare else 3.25,
        activation=1.25 if key.kind is NodeKind.NEURON else None,
        projection=None if bare else make_projection(str(key)),
    )


def make_projection(seed: str) -> Projection:
    rng = random.Random(seed)
    words = rng.sample(list(enumerate(WORDS)), 10)
    scores = sorted((rng.uniform(0, 9) for _ in words), reverse=True)
    shares = [2.0 ** -(i + 1) for i in range(10)]
    ranked = [
        TokenScore(number, word, score, share)
        for (number, word), score, share in zip(words, scores, shares, strict=True)
    ]
    bottom = tuple(replace(t, logit=-t.logit, probability=1e-6) for t in ranked[5:])
    rank = rng.randrange(1, 300)
    return Projection(tuple(ranked[:5]), bottom, 4.2, 3.1, rank, 1 / (rank + 2))


def make_inspection(graph: FlowGraph, key: NodeKey) -> Inspection:
    """A closer look at any node, drawn or not."""
    node = graph.node(key)
    if node is None:
        if key.layer > graph.model.layers or key.position >= len(graph.tokens):
            raise RequestError(f"The model has no node {key}. Click one in the graph.")
        node = make_node(key, 0.01, graph.target)
    inflows = [
        FlowRow(edge.source, edge.kind, edge.flow, _share(edge.flow, node.flow), True, edge.weight)
        for edge in graph.edges
        if edge.target == key and edge.kind is not EdgeKind.REST
    ]
    outflows = [
        FlowRow(edge.target, edge.kind, edge.flow, _share(edge.flow, node.flow), True, edge.weight)
        for edge in graph.edges
        if edge.source == key
    ]
    return Inspection(
        node=node,
        inflows=_table(inflows, node.flow, graph, key),
        outflows=_table(outflows, node.flow, graph, None),
        attention=_attention(graph, key) if key.kind is NodeKind.HEAD else None,
        lens=_lens(graph, key) if key.kind in STATES else None,
        neuron=NeuronReading(1.25, make_projection(f"k{key}"), make_projection(f"v{key}"))
        if key.kind is NodeKind.NEURON
        else None,
    )


def _table(rows: list[FlowRow], flow: float, graph: FlowGraph, key: NodeKey | None) -> FlowTable:
    remainder = flow - sum(row.flow for row in rows)
    if key is not None and key.kind in STATES and key.layer:
        other = NodeKey(NodeKind.HEAD, key.layer - 1, key.position, 7)
        if graph.node(other) is None:
            rows = [*rows, FlowRow(other, EdgeKind.WRITE, remainder / 2, 0.01, False)]
            remainder /= 2
    rows = sorted(rows, key=lambda row: -abs(row.flow))
    return FlowTable(tuple(rows), remainder if rows else 0.0, 812)


def _attention(graph: FlowGraph, key: NodeKey) -> tuple[AttentionCell, ...]:
    seen = graph.tokens[: key.position + 1]
    raw = [random.Random(f"{key}{token.position}").random() ** 4 for token in seen]
    return tuple(
        AttentionCell(token.position, token.text, weight / sum(raw), weight - 0.3)
        for token, weight in zip(seen, raw, strict=True)
    )


def _lens(graph: FlowGraph, key: NodeKey) -> tuple[LensRow, ...]:
    keys = [NodeKey(NodeKind.RESID_PRE, layer, key.position) for layer in range(graph.model.layers)]
    keys.append(NodeKey(NodeKind.RESID_FINAL, graph.model.layers, key.position))
    return tuple(LensRow(each, make_projection(str(each))) for each in keys)


def _share(flow: float, whole: float) -> float:
    return flow / whole if whole else 0.0
