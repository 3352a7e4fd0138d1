"""Verdicts written by hand, for tests of everything that reads one."""

from __future__ import annotations

import math

from flowviz.causal.places import COMPONENTS
from flowviz.causal.request import CheckRequest
from flowviz.causal.types import (
    Ablation,
    Agreement,
    Curve,
    Effect,
    Kept,
    Recovery,
    Smallest,
    Verdict,
)
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind

BASELINES = {
    Ablation.ZERO: "zero",
    Ablation.MEAN: "the mean over 3 prompts",
    Ablation.RESAMPLE: "the values on another prompt",
}


def kept(size: int, recovered: float, *, bits: float = 1.5, same: bool = True) -> Kept:
    """So many components that recover so much of a target between 0 and 4."""
    return Kept(size, 4 * recovered, recovered, bits, same)


def curve(score: str, *recovered: float, total: int = 100) -> Curve:
    """Sizes 1, 10 and 100 of a hundred."""
    sizes = (1, 10, total)
    points = tuple(kept(size, share) for size, share in zip(sizes, recovered, strict=True))
    return Curve(score, points, 0.75, 0.25)


def three_components() -> Verdict:
    """Of `tests.graphs.three_nodes`: its two components, and a head that is not drawn."""
    embed, head = NodeKey(NodeKind.EMBED, 0, 1), NodeKey(NodeKind.HEAD, 1, 2, 3)
    other = NodeKey(NodeKind.HEAD, 0, 2, 1)
    return Verdict(
        Recovery("zero", 4.0, 0.0, kept(2, 0.5, bits=15.4, same=False),
                 (kept(2, -0.25), kept(2, 0.25))),
        (
            curve("flow", 0.25, 0.75, 1.0),
            curve("blend", 0.25, 0.5, 1.0),
            curve("gradient", 0.125, math.nan, 1.0),
            curve("direct", 0.0, 0.25, 1.0),
            curve("random", -3.0, 0.0, 1.0),
        ),
        Agreement(
            "zero",
            (
                Effect(head, {"flow": 2.0, "blend": 1.75, "gradient": 1.0, "direct": 1.5}, 3.0),
                Effect(embed, {"flow": 1.0, "blend": 0.5, "gradient": -0.5, "direct": 0.0}, -1.0),
                Effect(other, {"flow": 0.25, "blend": 0.5, "gradient": 0.5, "direct": 0.0}, 0.5),
            ),
            {"flow": 0.5, "blend": 0.75, "gradient": 1.0, "direct": -0.25},
        ),
    )  # fmt: skip


def small(nodes: tuple[NodeKey, ...], share: float = 0.8) -> Smallest:
    """A small graph of these, whose first is the weakest."""
    return Smallest(share, nodes, kept(len(nodes), 0.82), nodes[0], kept(len(nodes) - 1, 0.78))


def make_verdict(graph: FlowGraph, request: CheckRequest) -> Verdict:
    """Of any graph: its components recover half under zero ablation, less under the others."""
    keys = tuple(node.key for node in graph.nodes if node.key.kind in COMPONENTS)
    share = {Ablation.ZERO: 0.5, Ablation.MEAN: 0.25, Ablation.RESAMPLE: 0.125}[request.against]
    base, sample = BASELINES[request.against], three_components()
    scores = {"flow": 1.0, "blend": 0.75, "gradient": 0.5, "direct": 0.0}
    effects = tuple(Effect(key, scores, 2.0 / (1 + rank)) for rank, key in enumerate(keys))
    controls = (kept(len(keys), -0.1), kept(len(keys), 0.2))
    return Verdict(
        Recovery(base, 4.0, 0.0, kept(len(keys), share), controls),
        sample.curves,
        Agreement(base, effects, sample.agreement.spearman),
        small(keys, request.smallest) if request.smallest else None,
    )
