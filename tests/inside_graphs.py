"""Hand-made opened blocks, for tests of everything that reads one; flows and norms are made up."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from flowviz.graph.types import BIAS_NAMES, ModelShape, Prediction, PromptToken, Target
from flowviz.inside.types import (
    NO_FLOW,
    InsideChecks,
    InsideGraph,
    PartEdge,
    PartEdgeKind,
    PartKey,
    PartKind,
    PartNode,
)
from tests.graphs import projection

K, E = PartKind, PartEdgeKind
WORDS = ("In", " France", " the", " capital", " is", "<b>", "\n", " שלום")
CHECKS = InsideChecks(1e-6, 3e-6, 2e-6, 1e-4)


@dataclass(frozen=True)
class Shape:
    """What a block has."""

    heads: int = 2
    memories: int = 2
    rows: int = 2
    neurons: int = 3
    parallel: bool = False
    norms: tuple[PartKind, ...] = (K.LN1, K.LN2)
    gated: bool = False
    biases: tuple[str, ...] = ("ln1", "b_V", "b_O", "ln2", "b_in", "b_out")
    rests: bool = True


def opened(shape: Shape, layers: tuple[int, int] = (1, 1), position: int = 4) -> InsideGraph:
    """So many blocks of that shape, every part joined as the engine joins them."""
    sketch = _Sketch()
    for layer in range(layers[0], layers[1] + 1):
        _block(sketch, shape, layer, position)
    whole = {"heads": 8, "values": position + 1, "rows": 64, "neurons": 512}
    nodes = tuple(sketch.nodes.values())
    return replace(_frame(layers, position), nodes=nodes, edges=tuple(sketch.edges), whole=whole)


def small() -> InsideGraph:
    """One head that looks from position 2 at position 1, and one neuron; no norms, no biases."""
    shape = Shape(1, 1, 0, 1, norms=(), biases=(), rests=False)
    return opened(shape, (3, 3), position=2)


def _frame(layers: tuple[int, int], position: int) -> InsideGraph:
    paris, rome = Prediction(7, " Paris", 0.5, 14.0), Prediction(9, " Rome", 0.25, 13.0)
    return InsideGraph(
        model=ModelShape("demo", "GPT2LMHeadModel", 6, 8, 512, 64, 1000),
        tokens=tuple(PromptToken(i, 10 + i, WORDS[i % len(WORDS)]) for i in range(position + 1)),
        target=Target(position, paris, 1, None, None, 4.0),
        predictions=(paris, rome),
        layers=layers,
        position=position,
        rotated=None,
        settings={"heads": 10},
        checks=CHECKS,
        whole={},
        nodes=(),
        edges=(),
    )


class _Sketch:
    def __init__(self) -> None:
        self.rng = random.Random(0)
        self.nodes: dict[PartKey, PartNode] = {}
        self.edges: list[PartEdge] = []

    def part(self, key: PartKey) -> PartKey:
        if key not in self.nodes:
            number = self.rng.uniform(-2, 2)
            hangs = key.of is not None
            self.nodes[key] = PartNode(
                key,
                flow=None if key.kind in NO_FLOW else round(number, 3),
                norm=None if hangs else round(abs(number) + 0.5, 3),
                activation=0.75 if key.kind in (K.KEY, K.VALUE) else None,
                strength=1.5 if key.kind in (K.NEURON, K.ROW) else None,
                projection=None if hangs else projection(),
            )
        return key

    def join(self, source: PartKey, target: PartKey, kind: PartEdgeKind, **numbers: float) -> None:
        frozen = NO_FLOW & {source.kind, target.kind}
        flow = None if frozen else self.nodes[self.part(source)].flow
        self.part(source), self.part(target)
        self.edges.append(PartEdge(source, target, kind, flow, norm=1.25, **numbers))

    def rest(self, of: PartKey) -> None:
        key = PartKey(K.REST, of.layer, of.index, of.source, of.kind)
        self.join(key, of, E.REST)


def _block(sketch: _Sketch, shape: Shape, layer: int, position: int) -> None:
    state, after, mid = PartKey(K.STATE, layer), PartKey(K.STATE, layer + 1), PartKey(K.MID, layer)
    middle = after if shape.parallel else mid
    sketch.part(state)
    sketch.join(state, middle, E.RESIDUAL)
    attention = _attention(sketch, shape, layer, position, state)
    sketch.join(attention, middle, E.WRITE)
    shared = PartKey(K.LN1, layer) if K.LN1 in shape.norms else state
    mlp = _mlp(sketch, shape, layer, shared if shape.parallel else mid)
    if not shape.parallel:
        sketch.join(mid, after, E.RESIDUAL)
    sketch.join(mlp, after, E.WRITE)
    if shape.rests:
        elsewhere = PartKey(K.ELSEWHERE, layer, of=K.STATE)
        sketch.join(state, elsewhere, E.REST)


def _normed(sketch: _Sketch, shape: Shape, kind: PartKind, layer: int, state: PartKey) -> PartKey:
    if kind not in shape.norms:
        return state
    sketch.join(state, PartKey(kind, layer), E.NORM)
    return PartKey(kind, layer)


def _bias(sketch: _Sketch, shape: Shape, name: str, layer: int, targets: list[PartKey]) -> None:
    if name in shape.biases:
        for target in targets:
            sketch.join(PartKey(K.BIAS, layer, BIAS_NAMES.index(name)), target, E.BIAS)


def _attention(sketch: _Sketch, shape: Shape, layer: int, position: int, state: PartKey) -> PartKey:
    reader = _normed(sketch, shape, K.LN1, layer, state)
    concat, output = PartKey(K.CONCAT, layer), PartKey(K.ATTENTION, layer)
    values = []
    if shape.heads:
        sketch.join(reader, PartKey(K.QUERY, layer), E.QUERY)
    for head in range(shape.heads):
        asks = PartKey(K.HEAD_QUERY, layer, head)
        sketch.join(PartKey(K.QUERY, layer), asks, E.QUERY)
        for number in range(shape.memories):
            source = (position - 1 - number - head) % (position + 1)
            memory = reader if source == position else PartKey(K.MEMORY, layer, 0, source)
            key, value = (PartKey(kind, layer, head, source) for kind in (K.KEY, K.VALUE))
            if value in values:
                continue
            sketch.join(memory, key, E.READ)
            sketch.join(memory, value, E.READ)
            sketch.join(asks, key, E.ATTEND, weight=0.75)
            sketch.join(key, value, E.ATTEND, weight=0.75)
            sketch.join(value, PartKey(K.HEAD, layer, head), E.WRITE, weight=0.75)
            values.append(value)
        sketch.join(PartKey(K.HEAD, layer, head), concat, E.WRITE)
        if shape.rests:
            sketch.rest(PartKey(K.HEAD, layer, head))
    for name in ("ln1", "b_V"):
        _bias(sketch, shape, name, layer, values)
    for row in range(shape.rows):
        key = PartKey(K.ROW, layer, row % max(shape.heads, 1), row)
        sketch.join(concat, key, E.READ, strength=1.5)
        sketch.join(key, output, E.WRITE, strength=1.5)
    if not shape.rows:
        sketch.join(concat, output, E.READ)
    return _output(sketch, shape, output, "b_O", K.LN1_POST)


def _mlp(sketch: _Sketch, shape: Shape, layer: int, state: PartKey) -> PartKey:
    from_stream = PartKey(K.STATE, layer) if shape.parallel else state
    own = K.LN2 in shape.norms
    reader = _normed(sketch, shape, K.LN2, layer, from_stream) if own else state
    output, keys = PartKey(K.MLP, layer), []
    for neuron in range(shape.neurons):
        key, value = (PartKey(kind, layer, 7 * neuron) for kind in (K.NEURON_KEY, K.NEURON))
        sketch.join(reader, key, E.READ, strength=1.5)
        sketch.join(key, value, E.WRITE, strength=1.5)
        sketch.join(value, output, E.WRITE, strength=1.5)
        keys.append(key)
        if shape.gated:
            gate = PartKey(K.GATE, layer, 7 * neuron)
            sketch.join(reader, gate, E.READ)
            sketch.join(gate, value, E.WRITE)
    for name in ("ln2", "b_in"):
        _bias(sketch, shape, name, layer, keys)
    sketch.part(output)
    return _output(sketch, shape, output, "b_out", K.LN2_POST)


def _output(sketch: _Sketch, shape: Shape, output: PartKey, bias: str, post: PartKind) -> PartKey:
    _bias(sketch, shape, bias, output.layer, [output])
    if shape.rests:
        sketch.rest(output)
    if post not in shape.norms:
        return output
    behind = PartKey(post, output.layer)
    sketch.join(output, behind, E.NORM)
    _bias(sketch, shape, str(post), output.layer, [behind])
    return behind
