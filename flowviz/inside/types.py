"""A block from the inside: the representation that is built on one side and drawn on the other.

An `InsideGraph` is plain frozen data without tensors, as a `FlowGraph` is. It shows what happens
at one prompt position in one block, or in several consecutive ones, part by part:

    state ─ ln1 ─ query ─ queries of heads ┄ keys ┄┐
      │      └─ (and the states of other positions) values ─ heads ─ concatenated heads
      │                                       ─ rows of W_O (+ b_O) ─ attention output ─┐
     mid ◀──────────────────────────────────────────────────────────────── ln1_post ◀───┘
      │      ln2 ─ FF1 keys (and gates) ─ FF2 values (+ biases) ─ MLP output ─ ln2_post ─┐
     state after ◀──────────────────────────────────────────────────────────────────────┘

Parallel blocks have no mid; norms that a model does not have are not drawn. Where one norm serves
both attention and MLP, it is `ln1`, and both read it. A norm on the stream itself (GPT-1) is no
node: mid, or the state after, stands behind it, and its bias goes in there.

Laws: for every node that carries flow and is not a source, the flows of its incoming edges sum to
its own flow (what is not drawn enters through a node of kind `rest`), and so do the flows of its
outgoing edges (what a state gives to other positions leaves it towards a node of kind `elsewhere`).
What flows into the first state and out of the last lies outside of the picture.
A rest node has edges from the drawn parts that feed what it holds (the norm, biases, the rows'
heads), so that all which leaves them is seen; the other things that feed it are not drawn.
Queries, keys and gates carry no flow, because patterns and gates are frozen; their flow is None.

Where a law fails on a run (`checks.exact` is false) no node and no edge has a flow, there are no
rests, and only states, norms, queries and keys have a reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowviz.checked import whole
from flowviz.errors import RequestError
from flowviz.graph.types import ModelShape, Prediction, Projection, PromptToken, Target

SCHEMA_VERSION = 1


class PartKind(StrEnum):
    """What a node of the opened block is. The order is from the block's input to its output."""

    STATE = "state"  # the residual stream before a block; the last one stands behind the last block
    MEMORY = "memory"  # the state of another position, from which keys and values are made
    LN1 = "ln1"  # what attention reads
    QUERY = "query"  # the query of all heads together
    HEAD_QUERY = "head_query"
    KEY = "key"  # of a head, at a source position
    VALUE = "value"  # of a head, at a source position, times its attention weight, through W_O
    HEAD = "head"  # what a head writes
    CONCAT = "concat"  # all heads' outputs together, without b_O
    ROW = "row"  # one row of W_O times its entry of the concatenated heads: "attention neuron"
    ATTENTION = "attention"  # what attention puts out
    LN1_POST = "ln1_post"  # behind the norm behind attention
    MID = "mid"  # the residual stream between attention and MLP
    LN2 = "ln2"  # what the MLP reads
    GATE = "gate"  # of a gated MLP: the column of W_gate that decides how far a neuron opens
    NEURON_KEY = "neuron_key"  # FF1's column ("up" in a gated MLP)
    NEURON = "neuron"  # FF2's row, times the neuron's activation
    MLP = "mlp"  # what the MLP puts out
    LN2_POST = "ln2_post"  # behind the norm behind the MLP
    BIAS = "bias"  # `index` is the position of its name in graph.types.BIAS_NAMES
    REST = "rest"  # what flows into one drawn node and is not drawn
    ELSEWHERE = "elsewhere"  # what a state gives to other positions than the one that is drawn


NO_FLOW = frozenset({PartKind.QUERY, PartKind.HEAD_QUERY, PartKind.KEY, PartKind.GATE})
SOURCES = frozenset({PartKind.MEMORY, PartKind.BIAS, PartKind.REST})


@dataclass(frozen=True, order=True)
class PartKey:
    """Who a node of an opened block is.

    Args:
        kind: what it is.
        layer: its block; the state behind the last block stands one further.
        index: which head (of a row of W_O: its head), which neuron, or which bias.
        source: the prompt position of a memory, a key or a value; the row within its head of a
            row of W_O; for a rest node nothing of its own, but that of the node it hangs on.
        of: for a rest or elsewhere node, the kind of the node that it hangs on.
    """

    kind: PartKind
    layer: int
    index: int = 0
    source: int = 0
    of: PartKind | None = None

    def __str__(self) -> str:
        kind = f"{self.kind}:{self.of}" if self.of else str(self.kind)
        return f"{kind}:{self.layer}:{self.index}:{self.source}"

    @classmethod
    def parse(cls, text: str) -> PartKey:
        """Reads the text form back. Raises RequestError for anything that is not one."""
        try:
            *kinds, layer, index, source = text[:100].split(":")
            kind, *of = (PartKind(part) for part in kinds)
            hangs = kind in (PartKind.REST, PartKind.ELSEWHERE)
            numbers = [whole("part", part, 0, 10**9) for part in (layer, index, source)]
            if None in numbers or len(of) != hangs:
                raise ValueError(text)
        except (ValueError, RequestError):
            raise RequestError(
                f"{text[:80]!r} names no part of a block. A part is written "
                "kind:layer:index:source, for example value:3:1:5."
            ) from None
        layer_, index_, source_ = (int(number or 0) for number in numbers)
        return cls(kind, layer_, index_, source_, of[0] if of else None)


class PartEdgeKind(StrEnum):
    """By which way one part goes into the next."""

    RESIDUAL = "residual"  # the stream itself
    NORM = "norm"  # into or out of a norm
    QUERY = "query"  # state → query → queries of heads
    ATTEND = "attend"  # query of a head ┄ key ┄ value: `weight` is the attention weight
    READ = "read"  # a value from the state it is made of; a neuron's key or gate from the state
    WRITE = "write"  # a part into the sum that it is part of
    BIAS = "bias"
    REST = "rest"


@dataclass(frozen=True)
class PartNode:
    """A vector inside the block.

    Args:
        flow: the conserved share of the target that passes through it; None where flow is frozen.
            Of a memory: what it gives to the values that are drawn.
        norm: Euclidean length of its vector as it is projected.
        activation: of a neuron its output, of a neuron's key or gate its input, of a row of W_O
            its entry of z, of a key or value its attention weight; None for the other kinds.
        strength: |activation| times the length of the weights' own vector, where there is one.
        projection: what it reads as; None for rest and elsewhere.
    """

    key: PartKey
    flow: float | None
    norm: float | None = None
    activation: float | None = None
    strength: float | None = None
    projection: Projection | None = None


@dataclass(frozen=True)
class PartEdge:
    """One part goes into another.

    Args:
        flow: what flows along it; None where it carries none.
        norm: the length of what is passed along; into a neuron's key or gate that of a number,
            from either into the neuron that of what the neuron writes.
        strength: |activation| times the length of the weights' own vector, where there is one.
        weight: the attention weight, between a head's query, its keys and its values.
    """

    source: PartKey
    target: PartKey
    kind: PartEdgeKind
    flow: float | None = None
    norm: float | None = None
    strength: float | None = None
    weight: float | None = None

    @property
    def id(self) -> str:
        """Stable text for files and the page."""
        return f"{self.source}>{self.target}"


@dataclass(frozen=True)
class InsideChecks:
    """How exact this picture is, measured on the run, as the largest relative error.

    Args:
        flow_error: inflows and outflows of every drawn node against its flow.
        sum_error: the parts of every sum (values, heads, rows, neurons, biases) against the sum.
        pattern_error: the attention pattern by these queries and keys against the model's own.
        tolerance: what counts as exact for the precision of the weights.
        pattern_tolerance: the same for the attention pattern, which is exponential in its scores.
    """

    flow_error: float
    sum_error: float
    pattern_error: float
    tolerance: float
    pattern_tolerance: float = 1e-3

    @property
    def exact(self) -> bool:
        """Whether flows and sums may be called exact."""
        return self.flow_error <= self.tolerance and self.sum_error <= self.tolerance

    @property
    def queries_exact(self) -> bool:
        """Whether queries and keys may be shown as those of this pass."""
        return self.pattern_error <= self.pattern_tolerance


@dataclass(frozen=True)
class InsideGraph:
    """The whole picture; see the head of this module.

    Args:
        layers: first and last block that is opened, both included.
        position: the prompt position at which they are.
        rotated: whether queries and keys are read at their positions (rotated to each other) or
            before rotation; None where the model has no rotary positions there.
        settings: the settings that made it, as plain JSON values.
        whole: how many `heads`, `values` (of one head), `rows` and `neurons` a block has, drawn or
            not; of several blocks the most that any has.
    """

    model: ModelShape
    tokens: tuple[PromptToken, ...]
    target: Target
    predictions: tuple[Prediction, ...]
    layers: tuple[int, int]
    position: int
    rotated: bool | None
    settings: dict[str, object]
    checks: InsideChecks
    whole: dict[str, int]
    nodes: tuple[PartNode, ...]
    edges: tuple[PartEdge, ...]
    version: int = SCHEMA_VERSION

    def node(self, key: PartKey) -> PartNode | None:
        """The node of that key, or None where it is not drawn."""
        return next((node for node in self.nodes if node.key == key), None)
