"""Hand-made flow graphs, for tests of everything that reads a graph; all but one keep the laws."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

from flowviz.graph.types import (
    BIAS_NAMES,
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

K = NodeKind
WORDS = (" Paris", " the", " gave", "cat", "\n", " of", " Mary", "ing", ",", " Rome", " a", " to")
Link = tuple[NodeKey, NodeKey, EdgeKind, float | None]


def projection(first: str = " Paris", second: str = " Rome") -> Projection:
    """Two tokens promoted, one suppressed; the target is the second."""
    return Projection(
        top=(TokenScore(7, first, 3.5, 0.5), TokenScore(9, second, 2.5, 0.25)),
        bottom=(TokenScore(1, " the", -4.0, 0.0001),),
        entropy=1.5,
        target_logit=2.5,
        target_rank=2,
        target_probability=0.25,
    )


def three_nodes() -> FlowGraph:
    """The embedding of ` France`, one head that moves it, and the target: the circuit wiring."""
    embed, head, target = NodeKey(K.EMBED, 0, 1), NodeKey(K.HEAD, 1, 2, 3), NodeKey(K.TARGET, 2, 2)
    return FlowGraph(
        model=_shape(2),
        tokens=tuple(PromptToken(i, 10 + i, t) for i, t in enumerate(("In", " France", " is"))),
        target=_target(2, 2.0),
        predictions=(Prediction(7, " Paris", 0.5, 14.0), Prediction(9, " Rome", 0.25, 13.0)),
        settings={"wiring": "circuit", "coverage": 0.8, "budget": 60},
        checks=Checks(1e-6, 3e-6, 1e-7, 2e-6, 1e-6, 1e-4, "float32"),
        coverage=0.85,
        nodes_total=100,
        nodes=(
            FlowNode(embed, 2.0, 0.25, None, 0.1, 1.0, None, projection(" France", " Gaul")),
            FlowNode(head, 2.0, 1.0, 1.5, 2.0, 3.25, None, projection()),
            FlowNode(target, 2.0, 1.0, None, 2.0, None, None, None),
        ),
        edges=(
            FlowEdge(embed, head, EdgeKind.READ, 2.0, 1.0, 0.75),
            FlowEdge(head, target, EdgeKind.WRITE, 2.0, 1.0),
        ),
    )


def changed_nodes() -> FlowGraph:
    """The three nodes, with the head scaled, its reading of the token cut, and a value put in."""
    graph = three_nodes()
    embed, head, target = graph.nodes
    put = FlowNode(NodeKey(K.BIAS, 1, 2, BIAS_NAMES.index("set_heads")), 0.5, 0.25, before=0.0)
    edges = [replace(edge, before=4.0) for edge in graph.edges]
    edges.append(FlowEdge(put.key, target.key, EdgeKind.WRITE, 0.5, 0.25, before=0.0))
    nodes = (replace(embed, before=4.0), replace(head, flow=1.5, before=4.0), put,
             replace(target, before=4.0))  # fmt: skip
    return replace(
        graph,
        nodes=nodes,
        edges=tuple(edges),
        target=replace(graph.target, before=4.0),
        predictions=tuple(replace(each, before=0.75) for each in graph.predictions),
        interventions=("head:1:2:3=2.5", "embed:0:1>head:1:2:3=0", "head:1:*:3@0=donor"),
        donor="In Gaul is",
    )


def grid(
    layers: int = 3,
    positions: int = 4,
    heads: int = 1,
    neurons: int = 1,
    seed: int = 0,
    wiring: str = "stream",
) -> FlowGraph:
    """A graph with so many heads and neurons in every block, spread over the positions."""
    rng = random.Random(seed)
    links = (_stream if wiring == "stream" else _circuit)(rng, layers, positions, heads, neurons)
    target = NodeKey(K.TARGET, layers, positions - 1)
    return from_links(links, target, layers, positions, rng, wiring)


def from_links(
    links: list[Link],
    target: NodeKey,
    layers: int,
    positions: int,
    rng: random.Random,
    wiring: str = "stream",
) -> FlowGraph:
    """Gives every link a flow from the target down, and every node its rest."""
    edges, flows = _split(links, target, rng)
    into = {edge.target for edge in edges}
    return FlowGraph(
        model=_shape(layers),
        tokens=tuple(PromptToken(i, i, WORDS[i % len(WORDS)]) for i in range(positions)),
        target=_target(target.position, flows[target]),
        predictions=(Prediction(7, " Paris", 0.5, 14.0), Prediction(9, " Rome", 0.25, 13.0)),
        settings={"wiring": wiring, "coverage": 0.8, "budget": 60},
        checks=Checks(1e-6, 3e-6, 1e-7, 2e-6, 1e-6, 1e-4, "float32"),
        coverage=0.83,
        nodes_total=12_345,
        nodes=tuple(_node(key, flows[key], key in into, rng) for key in sorted(flows)),
        edges=tuple(edges),
    )


def failed(layers: int = 3, positions: int = 4, heads: int = 2) -> FlowGraph:
    """A run that broke a law: states and heads at the last position, and nothing of the flow.

    Heads are places only: what they write may be what was read wrongly.
    """
    last = positions - 1
    kinds = [(K.RESID_PRE, 0), (K.RESID_MID, 0), *((K.HEAD, index) for index in range(heads))]
    keys = [NodeKey(kind, layer, last, i) for layer in range(layers) for kind, i in kinds]
    keys += [NodeKey(K.RESID_FINAL, layers, last), NodeKey(K.TARGET, layers, last)]
    rng = random.Random(0)
    nodes = [replace(_node(key, 0.0, False, rng), direct=0.0) for key in keys]
    bare = {"norm": None, "projection": None}
    nodes = [replace(node, **bare) if node.key.kind is K.HEAD else node for node in nodes]
    lawful = grid(layers, positions)
    return replace(
        lawful,
        checks=replace(lawful.checks, node_error=0.31, block_error=0.02),
        coverage=0.0,
        nodes=tuple(nodes),
        edges=(),
    )


def parallel(layers: int = 3, positions: int = 4, heads: int = 2, neurons: int = 2) -> FlowGraph:
    """Attention and MLP of a block read one state and write to the next: no state between."""
    rng = random.Random(2)
    links: list[Link] = []
    last, above = positions - 1, NodeKey(K.RESID_FINAL, layers, positions - 1)
    target = NodeKey(K.TARGET, layers, last)
    links.append((above, target, EdgeKind.RESIDUAL, None))
    for layer in reversed(range(layers)):
        here = NodeKey(K.RESID_PRE, layer, last)
        links.append((here, above, EdgeKind.RESIDUAL, None))
        for index in range(heads):
            head, source = NodeKey(K.HEAD, layer, last, index), rng.randrange(positions)
            read = NodeKey(K.RESID_PRE, layer, source)
            links += [(read, head, EdgeKind.READ, 0.5), (head, above, EdgeKind.WRITE, None)]
        for index in range(neurons):
            neuron = NodeKey(K.NEURON, layer, last, index)
            links += [(here, neuron, EdgeKind.READ, None), (neuron, above, EdgeKind.WRITE, None)]
        links.append((NodeKey(K.BIAS, layer, last, 5), above, EdgeKind.WRITE, None))
        above = here
    links.append((NodeKey(K.EMBED, 0, last), above, EdgeKind.RESIDUAL, None))
    links.append((NodeKey(K.BIAS, 0, last, 8), above, EdgeKind.WRITE, None))
    graph = from_links(links, target, layers, positions, rng)
    return replace(graph, model=replace(graph.model, parallel=True))


def _stream(rng: random.Random, layers: int, positions: int, heads: int, neurons: int):
    links: list[Link] = []
    last = positions - 1
    live = {last}
    final = NodeKey(K.RESID_FINAL, layers, last)
    links.append((final, NodeKey(K.TARGET, layers, last), EdgeKind.RESIDUAL, None))
    links.append((NodeKey(K.BIAS, layers, last, 6), links[0][1], EdgeKind.WRITE, None))
    above = {last: final}
    for layer in reversed(range(layers)):
        mids = {at: NodeKey(K.RESID_MID, layer, at) for at in above}
        for at, mid in mids.items():
            links.append((mid, above[at], EdgeKind.RESIDUAL, None))
        for index in range(neurons):
            at = rng.choice(sorted(mids))
            neuron = NodeKey(K.NEURON, layer, at, 100 * index + rng.randrange(100))
            links.append((mids[at], neuron, EdgeKind.READ, None))
            links.append((neuron, above[at], EdgeKind.WRITE, None))
        live, above = set(mids), {}
        for at in mids:
            above.setdefault(at, NodeKey(K.RESID_PRE, layer, at))
            links.append((above[at], mids[at], EdgeKind.RESIDUAL, None))
        for index in range(heads):
            at, source = rng.choice(sorted(live)), 0
            source = rng.randrange(at + 1)
            head = NodeKey(K.HEAD, layer, at, index)
            pre = above.setdefault(source, NodeKey(K.RESID_PRE, layer, source))
            links.append((pre, head, EdgeKind.READ, rng.random()))
            links.append((head, mids[at], EdgeKind.WRITE, None))
    links += [(NodeKey(K.EMBED, 0, at), key, EdgeKind.RESIDUAL, None) for at, key in above.items()]
    return links


def _circuit(rng: random.Random, layers: int, positions: int, heads: int, neurons: int):
    links: list[Link] = []
    target = NodeKey(K.TARGET, layers, positions - 1)
    readers: list[NodeKey] = []
    for layer in reversed(range(layers)):
        row = [(K.NEURON, n) for n in range(neurons)] + [(K.HEAD, n) for n in range(heads)]
        for kind, index in row:
            above = rng.choice(readers) if readers and rng.random() < 0.7 else target
            at = rng.randrange(above.position + 1) if above.kind is K.HEAD else above.position
            key = NodeKey(kind, layer, at, index)
            links.append(_into(key, above, rng))
            readers.append(key)
        if readers:
            links.append(_into(NodeKey(K.BIAS, layer, readers[-1].position, 2), readers[0], rng))
    for reader in readers[::2]:
        at = rng.randrange(reader.position + 1) if reader.kind is K.HEAD else reader.position
        links.append(_into(NodeKey(K.EMBED, 0, at), reader, rng))
    return list({(link[0], link[1]): link for link in links}.values())


def _into(key: NodeKey, above: NodeKey, rng: random.Random) -> Link:
    kind = EdgeKind.WRITE if above.kind is K.TARGET else EdgeKind.READ
    return key, above, kind, rng.random() if above.kind is K.HEAD else None


def _split(links: list[Link], target: NodeKey, rng: random.Random):
    into: dict[NodeKey, list[Link]] = defaultdict(list)
    waiting: dict[NodeKey, int] = defaultdict(int)
    for link in links:
        into[link[1]].append(link)
        waiting[link[0]] += 1
    flows: dict[NodeKey, float] = defaultdict(float, {target: 4.0})
    ready, edges = [target], []
    while ready:
        key = ready.pop()
        shares = _shares(len(into[key]), rng)
        for (source, _, kind, weight), share in zip(into[key], shares, strict=True):
            flow = flows[key] * share
            edges.append(FlowEdge(source, key, kind, flow, min(1.0, abs(flow) / 4), weight))
            flows[source] += flow
            waiting[source] -= 1
            if waiting[source] == 0:
                ready.append(source)
        if key.kind not in (K.EMBED, K.POS_EMBED, K.BIAS):
            flow = flows[key] - sum(flows[key] * share for share in shares)
            edges.append(FlowEdge(key.rest(), key, EdgeKind.REST, flow, min(1.0, abs(flow) / 4)))
            flows[key.rest()] = flow
    return edges, dict(flows)


def _shares(count: int, rng: random.Random) -> list[float]:
    """Shares of both signs that sum to a little less than one, so that some rest is left."""
    shares = [rng.uniform(-0.25, 1.0) for _ in range(count)]
    if sum(shares) < 0.2:
        shares = [abs(share) + 0.1 for share in shares]
    scale = rng.uniform(0.8, 0.97) / (sum(shares) or 1.0)
    return [share * scale for share in shares]


def _node(key: NodeKey, flow: float, fed: bool, rng: random.Random) -> FlowNode:
    bare = key.kind in (K.REST, K.TARGET)
    return FlowNode(
        key,
        flow,
        influence=min(1.0, abs(flow) / 4),
        direct=flow / 2,
        norm=None if bare else 3.25,
        activation=1.25 if key.kind is K.NEURON else None,
        projection=None if bare else projection(*rng.sample(WORDS, 2)),
    )


def _shape(layers: int) -> ModelShape:
    return ModelShape("demo", "LlamaForCausalLM", layers, 8, 512, 128, 3500)


def _target(position: int, value: float) -> Target:
    return Target(position, Prediction(7, " Paris", 0.5, 14.0), 1, None, None, value)
