"""What checks find: plain frozen data without tensors, for pages and reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowviz.graph.types import NodeKey


class Ablation(StrEnum):
    """What takes the place of what is switched off."""

    ZERO = "zero"
    MEAN = "mean"
    RESAMPLE = "resample"


@dataclass(frozen=True)
class Kept:
    """What is left of the prediction when only some components are.

    Args:
        size: how many components are kept.
        target: the target's value.
        recovered: its share between none and all; NaN where none and all give the same.
        divergence: KL of the model's distribution from this one, in bits.
        same_first: whether the likeliest token is the model's.
    """

    size: int
    target: float
    recovered: float
    divergence: float
    same_first: bool


@dataclass(frozen=True)
class Recovery:
    """A set of components against random ones of the same size and kinds."""

    baseline: str
    whole: float
    nothing: float
    kept: Kept
    controls: tuple[Kept, ...]


@dataclass(frozen=True)
class Curve:
    """Recovered against the share of components kept, in the order of one score."""

    score: str
    points: tuple[Kept, ...]
    cpr: float
    cmd: float


@dataclass(frozen=True)
class Effect:
    """A component, what each score says of it, and what its ablation does to the target."""

    key: NodeKey
    scores: dict[str, float]
    effect: float


@dataclass(frozen=True)
class Agreement:
    """Scores against measured effects.

    Args:
        baseline: what the components were replaced by.
        effects: each component, the largest absolute effect first.
        spearman: for each score, its rank correlation with the effects.
    """

    baseline: str
    effects: tuple[Effect, ...]
    spearman: dict[str, float]


@dataclass(frozen=True)
class Smallest:
    """A small set that recovers the share that was asked for.

    Args:
        share: what was asked for.
        nodes: the set; empty where it is too large to be named.
        kept: what it recovers.
        weakest: the component whose removal matters least; None where the set is too large to
            remove each, or empty.
        without_weakest: what is recovered without it.
    """

    share: float
    nodes: tuple[NodeKey, ...]
    kept: Kept
    weakest: NodeKey | None
    without_weakest: Kept | None


@dataclass(frozen=True)
class Verdict:
    """What the model itself says of a graph.

    Args:
        smallest: a small set that recovers a share, where one was asked for.
        parts: of opened nodes, what each factor and error does; None where none is opened.
    """

    recovery: Recovery
    curves: tuple[Curve, ...]
    agreement: Agreement
    smallest: Smallest | None = None
    parts: Agreement | None = None
