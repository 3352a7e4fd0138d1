"""What the inspector shows of one node: a closer look than the graph holds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from flowviz.graph.types import EdgeKind, FlowNode, NodeKey, Projection


@dataclass(frozen=True)
class FlowRow:
    """One inflow or outflow of the inspected node.

    Args:
        other: the node at the far end.
        share: the flow as a share of the node's own flow; signed.
        drawn: whether the edge stands in the graph.
        weight: where a head reads, its attention weight on the source's position.
        before: the flow without the interventions; None where there are none.
    """

    other: NodeKey
    kind: EdgeKind
    flow: float
    share: float
    drawn: bool
    weight: float | None = None
    before: float | None = None


@dataclass(frozen=True)
class FlowTable:
    """All flows on one side of a node: the strongest as rows, the others as one sum.

    The rows and `remainder` sum to the node's flow (law 1).
    """

    rows: tuple[FlowRow, ...]
    remainder: float
    remainder_count: int


@dataclass(frozen=True)
class AttentionCell:
    """What a head does with one prompt position: its weight and the flow that it carries.

    Args:
        before: its weight without the interventions; None where there are none.
    """

    position: int
    text: str
    weight: float
    flow: float
    before: float | None = None


@dataclass(frozen=True)
class LensRow:
    """One hidden state of a position, read through the lens.

    Args:
        before: the target's probability there without the interventions; None where there are none.
    """

    key: NodeKey
    projection: Projection
    before: float | None = None


@dataclass(frozen=True)
class NeuronReading:
    """A neuron's weights as tokens.

    Args:
        activation: its output before W_out.
        key: its input direction through the unembedding: what switches it on.
        value: its output direction times the sign of its activation: what it promotes here.
    """

    activation: float
    key: Projection
    value: Projection


@dataclass(frozen=True)
class Inspection:
    """One node, looked at closely. What does not apply to its kind is None."""

    node: FlowNode
    inflows: FlowTable
    outflows: FlowTable
    attention: tuple[AttentionCell, ...] | None = None
    lens: tuple[LensRow, ...] | None = None
    neuron: NeuronReading | None = None
