"""Two passes compared: plain frozen data without tensors, which pages, files and tables read.

Everywhere a *difference* is the second minus the first. Positions of `Comparison.graph`, and of
every key of a `Change` and a `ChangedEdge`, are *columns*: pairs of the two prompts' tokens.

Laws: the flow of each side is conserved, so that of their difference is. For every node of the
graph that is not a source, the flows of its incoming edges sum to its own flow; swapping the two
sides changes the sign of every difference; equal sides have no node and no change.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowviz.graph.types import (
    Checks,
    EdgeKind,
    FlowGraph,
    FlowNode,
    ModelShape,
    NodeKey,
    Prediction,
    PromptToken,
    Target,
)

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Column:
    """A token of each prompt that stand for each other, or one without a partner.

    Args:
        first, second: the positions in the two prompts; None where that prompt has none here.
        first_text, second_text: the tokens as the tokenizer decodes them, likewise.
        same: whether both are the same token.
    """

    first: int | None
    second: int | None
    first_text: str | None
    second_text: str | None
    same: bool

    @property
    def paired(self) -> bool:
        """Whether both prompts have a token here."""
        return self.first is not None and self.second is not None


@dataclass(frozen=True)
class Side:
    """One of the two passes.

    Args:
        prompt: the text that was run.
        target: what is explained on this side; its position is this prompt's own.
        checks: how exact this pass was.
        interventions: what was changed in it, in the text form of each.
        donor: the prompt that values came from, where they came from one.
    """

    model: ModelShape
    prompt: str
    tokens: tuple[PromptToken, ...]
    target: Target
    checks: Checks
    interventions: tuple[str, ...] = ()
    donor: str | None = None


@dataclass(frozen=True)
class PredictionPair:
    """One token as each side predicts it, at its own target's position."""

    id: int
    token: str
    first: Prediction
    second: Prediction

    @property
    def difference(self) -> float:
        """Of the probabilities."""
        return self.second.probability - self.first.probability


@dataclass(frozen=True)
class Change:
    """One node on both sides.

    Args:
        key: the node by its column, as in the graph.
        first, second: the node of each pass, its position that prompt's own; None where that
            prompt has no token in the column.
        drawn: whether it is in the graph.
    """

    key: NodeKey
    first: FlowNode | None
    second: FlowNode | None
    drawn: bool

    @property
    def first_flow(self) -> float:
        """Its flow in the first pass; 0 where it is not there."""
        return self.first.flow if self.first else 0.0

    @property
    def second_flow(self) -> float:
        """Its flow in the second pass; 0 where it is not there."""
        return self.second.flow if self.second else 0.0

    @property
    def difference(self) -> float:
        """Of the flows."""
        return self.second_flow - self.first_flow


@dataclass(frozen=True)
class ChangedEdge:
    """One drawn edge on both sides; of a pass that does not have it, the flow is 0.

    Args:
        first_weight, second_weight: where a head reads, its attention on the source's position;
            None where it is no head, or the pass does not have the edge.
    """

    source: NodeKey
    target: NodeKey
    kind: EdgeKind
    first_flow: float
    second_flow: float
    first_weight: float | None = None
    second_weight: float | None = None

    @property
    def id(self) -> str:
        """That of the graph's edge."""
        return f"{self.source}>{self.target}"

    @property
    def difference(self) -> float:
        """Of the flows."""
        return self.second_flow - self.first_flow


@dataclass(frozen=True)
class Comparison:
    """The whole of it; see the head of this module.

    Args:
        columns: the two prompts aligned, from left to right; columns behind the target too.
        alignment: how they were aligned, in a sentence or two.
        predictions: what either side predicts, the likeliest on any side first.
        graph: the differences. A node's position is a column; its `flow` is the difference,
            `before` the first's flow, `influence` its share of all differences, `projection`
            that of the second side (of the first, where the second has no such node); `norm`
            and `activation` likewise; an edge's `weight` too. Its tokens are the columns, its
            target's `value` the difference of the two values and `before` the first's. Nothing is
            drawn where the two do not differ; where a law failed on a side, no flow (`checks`).
        changes: every drawn node but rest and target, and of the others those that changed most;
            the largest difference first.
        edges: the drawn edges, in the graph's order; rest is not among them.
    """

    first: Side
    second: Side
    columns: tuple[Column, ...]
    alignment: str
    predictions: tuple[PredictionPair, ...]
    graph: FlowGraph
    changes: tuple[Change, ...]
    edges: tuple[ChangedEdge, ...]
    version: int = SCHEMA_VERSION

    @property
    def same(self) -> bool:
        """Whether the two differ in nothing that flows (beyond rounding)."""
        return self.graph.checks.exact and not self.changes

    @property
    def same_number(self) -> bool:
        """Whether both sides explain the same number: the same token and the same contrast."""
        return _explained(self.first.target) == _explained(self.second.target)

    def change(self, key: NodeKey) -> Change | None:
        """Both sides of a node, given by its column; None where it is not listed."""
        return next((change for change in self.changes if change.key == key), None)

    def edge(self, edge_id: str) -> ChangedEdge | None:
        """Both sides of a drawn edge."""
        return next((edge for edge in self.edges if edge.id == edge_id), None)


def _explained(target: Target) -> tuple[int, int | None]:
    return target.token.id, target.contrast.id if target.contrast else None
