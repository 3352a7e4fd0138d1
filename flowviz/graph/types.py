"""The flow graph: the one representation that everything before builds and everything after reads.

A `FlowGraph` is plain frozen data without tensors: nodes, edges, the target that they explain,
and the figures that say how exact and how complete the picture is. Views, files and pages read
it; they never reach behind it.

Laws that a graph keeps (DESIGN: conservation and rest):
for every node that is not a source, the flows of its incoming edges sum to its own flow,
because what was not drawn enters through a node of kind `rest`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from flowviz.errors import RequestError

SCHEMA_VERSION = 1


class NodeKind(StrEnum):
    """What a node is. The order is the order from the prompt up to the prediction."""

    EMBED = "embed"  # token embedding
    POS_EMBED = "pos_embed"  # position embedding
    RESID_PRE = "resid_pre"  # residual stream before a block
    RESID_MID = "resid_mid"  # residual stream between attention and MLP
    RESID_FINAL = "resid_final"  # residual stream after the last block
    HEAD = "head"
    ATTN_OUT = "attn_out"  # what the attention of a block adds in all; a node where it is opened
    NEURON = "neuron"
    MLP_OUT = "mlp_out"  # the same of its MLP
    BIAS = "bias"  # a bias, or what an intervention put in; `index`: its place in BIAS_NAMES
    FACTOR = "factor"  # one of a node that is opened; `index`: its number in the dictionary
    OFFSET = "offset"  # of an opened node: what its dictionary has for every vector
    ERROR = "error"  # of an opened node: what no factor holds
    REST = "rest"  # what flows into one drawn node and is not drawn
    TARGET = "target"  # the logit, or the difference of two, that is explained


BIAS_NAMES = (
    "ln1", "b_V", "b_O", "ln2", "b_in", "b_out", "ln_final", "b_U", "ln_embed", "ln1_post",
    "ln2_post", "set_heads", "set_neurons", "set_first", "set_mid", "set_post",
)  # fmt: skip
STATES = frozenset({NodeKind.RESID_PRE, NodeKind.RESID_MID, NodeKind.RESID_FINAL})
SOURCES = frozenset({NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.BIAS, NodeKind.REST})
INDEXED = frozenset({NodeKind.HEAD, NodeKind.NEURON, NodeKind.BIAS, NodeKind.FACTOR})
OUTPUTS = frozenset({NodeKind.ATTN_OUT, NodeKind.MLP_OUT})
OPENABLE = STATES | OUTPUTS
PARTS = frozenset({NodeKind.FACTOR, NodeKind.OFFSET, NodeKind.ERROR})


@dataclass(frozen=True, order=True)
class NodeKey:
    """Who a node is; never an offset into an array.

    Args:
        kind: what it is.
        layer: its block. Embeddings stand at layer 0; the final state, its norm's bias and the
            target stand at the number of layers.
        position: the prompt position at which it writes.
        index: which head, neuron or factor, or which of `BIAS_NAMES`; 0 for the other kinds.
        of: for a rest node, the kind of the node whose hidden inflow it holds.
        part_of: for a factor, an offset or an error, the kind of the node that is opened.
    """

    kind: NodeKind
    layer: int
    position: int
    index: int = 0
    of: NodeKind | None = None
    part_of: NodeKind | None = None

    def __str__(self) -> str:
        kind = self.of if self.of else self.kind
        parts = [*(["rest"] if self.of else []), kind, *([self.part_of] if self.part_of else [])]
        parts += [str(self.layer), str(self.position)]
        return ":".join([*parts, str(self.index)] if kind in INDEXED else parts)

    @classmethod
    def parse(cls, text: str) -> NodeKey:
        """Reads the text form back. Raises RequestError for anything that is not one."""
        try:
            parts = text.split(":")
            of_rest = parts[0] == "rest"
            kind, *words = parts[1:] if of_rest else parts
            kind = NodeKind(kind)
            part_of = NodeKind(words.pop(0)) if kind in PARTS else None
            numbers = [_natural(part) for part in words]
            if part_of and part_of not in OPENABLE:
                raise ValueError
            if kind is NodeKind.REST or len(numbers) != (3 if kind in INDEXED else 2):
                raise ValueError
        except (ValueError, IndexError):
            raise RequestError(
                f"{text[:80]!r} names no node. A node is written kind:layer:position, with "
                "the index behind it for a head, neuron or bias, for example head:3:7:1; a factor "
                "has the kind of the node that it is of before them, as in factor:resid_mid:3:7:12."
            ) from None
        if of_rest:
            return cls(NodeKind.REST, *_three(numbers), of=kind, part_of=part_of)
        return cls(kind, *_three(numbers), part_of=part_of)

    def rest(self) -> NodeKey:
        """The node that holds what flows into this one and is not drawn."""
        return replace(self, kind=NodeKind.REST, of=self.kind)

    def whole(self) -> NodeKey:
        """For a factor, an offset or an error, the node that is opened."""
        if self.part_of is None:
            raise ValueError(f"{self} is no part of a node")
        return NodeKey(self.part_of, self.layer, self.position)

    def cut(self) -> NodeKey:
        """For a rest node, the node whose hidden inflow it holds."""
        if self.of is None:
            raise ValueError(f"{self} is not a rest node")
        return replace(self, kind=self.of, of=None)


def _three(numbers: list[int]) -> tuple[int, int, int]:
    layer, position, index = [*numbers, 0][:3]
    return layer, position, index


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(text)
    return int(text)


class EdgeKind(StrEnum):
    """By which way the flow goes from one node to the next."""

    RESIDUAL = "residual"  # the stream itself, from one state to the next
    READ = "read"  # a head or a neuron reads a state, or in the circuit wiring a component
    WRITE = "write"  # a component adds its vector to the stream, or to the target
    PART = "part"  # an opened node is the sum of its parts
    REST = "rest"


@dataclass(frozen=True)
class TokenScore:
    """One token of a projection, with its logit and its probability under the softmax."""

    id: int
    text: str  # as the tokenizer decodes it: spaces and newlines are not yet made visible
    logit: float
    probability: float


@dataclass(frozen=True)
class Projection:
    """A vector read as tokens: what it promotes (`top`) and what it suppresses (`bottom`)."""

    top: tuple[TokenScore, ...]
    bottom: tuple[TokenScore, ...]
    entropy: float  # of the softmax, in bits
    target_logit: float
    target_rank: int  # 1 is the first
    target_probability: float


@dataclass(frozen=True)
class FlowNode:
    """A vector of the pass.

    Args:
        flow: the conserved share of the target that passes through it; signed.
        influence: its share of the influence on the target along all paths, 0 to 1.
        gradient: the share by the gradient with nothing frozen; None where it was not asked for.
        direct: direct logit attribution; zero for what stands at another position.
        norm: Euclidean length of the vector; None for rest.
        activation: of a neuron or a factor, otherwise None.
        projection: None for rest and target.
        before: its flow without the interventions; None where there are none.
    """

    key: NodeKey
    flow: float
    influence: float
    gradient: float | None = None
    direct: float = 0.0
    norm: float | None = None
    activation: float | None = None
    projection: Projection | None = None
    before: float | None = None


@dataclass(frozen=True)
class FlowEdge:
    """The flow from one node into another.

    Args:
        weight: where a head reads, its attention weight on the source's position.
        before: its flow without the interventions; None where there are none.
    """

    source: NodeKey
    target: NodeKey
    kind: EdgeKind
    flow: float
    influence: float
    weight: float | None = None
    before: float | None = None

    @property
    def id(self) -> str:
        """Stable text for files and the page."""
        return f"{self.source}>{self.target}"


@dataclass(frozen=True)
class PromptToken:
    """One token of the prompt."""

    position: int
    id: int
    text: str


@dataclass(frozen=True)
class Prediction:
    """One token of the model's own answer at the target's position.

    Args:
        before: its probability without the interventions; None where there are none.
    """

    id: int
    token: str
    probability: float
    logit: float
    before: float | None = None


@dataclass(frozen=True)
class Target:
    """What is explained: the logit of a token, or of a token minus that of a contrast."""

    position: int
    token: Prediction
    token_rank: int
    contrast: Prediction | None
    contrast_rank: int | None
    value: float  # the number that the flow splits; before the soft cap, where there is one
    before: float | None = None  # the same without the interventions; None where there are none


@dataclass(frozen=True)
class Checks:
    """How exact this run was: the largest relative error against each law, measured on the run.

    Args:
        node_error: law 1, what flows into a node against what flows out.
        cut_error: law 2, the sum over each cut against the target.
        rest_error: law 3, shown inflows plus rest against the node's flow.
        target_error: the target by the flow against the logits that the model itself gave.
        block_error: each block's parts against the block's own output.
        tolerance: what counts as exact for the precision of the weights.
        dtype: the precision of the pass.
    """

    node_error: float
    cut_error: float
    rest_error: float
    target_error: float
    block_error: float
    tolerance: float
    dtype: str

    @property
    def conservation_error(self) -> float:
        """The largest of all, against laws 1 to 3 and the model's own numbers; NaN if one is."""
        errors = (
            self.node_error, self.cut_error, self.rest_error, self.target_error, self.block_error
        )  # fmt: skip
        return math.nan if any(map(math.isnan, errors)) else max(errors)

    @property
    def exact(self) -> bool:
        """Whether the picture may be called exact."""
        return self.conservation_error <= self.tolerance


@dataclass(frozen=True)
class ModelShape:
    """What a picture needs to know of the model.

    Args:
        neurons: of a block, the most that any has; experts' neurons count one after the other.
        parallel: attention and MLP read the same state, so that no state stands between them.
        expert_neurons: for each block how many neurons one expert has, 0 where the MLP is not
            made of experts; empty for a model without any. Neuron i belongs to expert i // n.
        logit_cap: what the model's logits are softly capped at, or None. The flow explains the
            logit before the cap; a `Prediction` holds the logit after it.
    """

    name: str
    architecture: str
    layers: int
    heads: int
    neurons: int
    d_model: int
    vocabulary: int
    parallel: bool = False
    expert_neurons: tuple[int, ...] = ()
    logit_cap: float | None = None


@dataclass(frozen=True)
class OpenedPlace:
    """A node that is drawn as the sum of its factors, an offset and an error.

    Args:
        dictionary: the name of the dictionary that the factors are of.
        explained: the share of the vector, less the offset, that factors hold:
            1 - |error|² / |vector - offset|².
        factors: how many are active in it.
        loss, spliced: the prompt's mean loss in nats, and that with the vectors of this place at
            every position replaced by what factors and offset make of them; None where nothing
            can be predicted.
    """

    key: NodeKey
    dictionary: str
    explained: float
    factors: int
    loss: float | None = None
    spliced: float | None = None


@dataclass(frozen=True)
class FlowGraph:
    """The whole picture; see the head of this module for the laws that it keeps.

    Args:
        settings: the graph settings that made it, as plain JSON values.
        coverage: the share of the influence that the drawn nodes hold, 0 to 1.
        nodes_total: how many nodes of the kinds asked for the pass has, drawn or not.
        interventions: what was changed in the pass, in the text form of each.
        donor: the prompt that values came from, where they came from one.
        opened: the nodes that are opened.
    """

    model: ModelShape
    tokens: tuple[PromptToken, ...]
    target: Target
    predictions: tuple[Prediction, ...]
    settings: dict[str, object]
    checks: Checks
    coverage: float
    nodes_total: int
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]
    interventions: tuple[str, ...] = ()
    donor: str | None = None
    opened: tuple[OpenedPlace, ...] = ()
    version: int = SCHEMA_VERSION

    def node(self, key: NodeKey) -> FlowNode | None:
        """The node of that key, or None where it is not drawn."""
        return next((node for node in self.nodes if node.key == key), None)
