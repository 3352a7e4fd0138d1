"""A graph held against the model: what it recovers, which score to trust, what really matters.

1. The components that are drawn are kept and all others replaced: *recovered*, with a band of
   random graphs.
2. Recovered against size for every score, and for a random order: the curve.
3. The strongest components of every score are ablated one by one: the agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch

from flowviz.causal.agreement import STRONGEST, agreement, agreement_of_parts
from flowviz.causal.baselines import Baseline
from flowviz.causal.parts import OpenedPart
from flowviz.causal.places import Places
from flowviz.causal.recovered import CONTROLS, SEED, Passes, curve, recovery
from flowviz.causal.scores import foreseen
from flowviz.causal.smallest import smallest
from flowviz.causal.types import Verdict
from flowviz.graph.scored import Scored
from flowviz.graph.types import FlowGraph, NodeKey

CURVE = 0.08  # of the whole, for one curve
Progress = Callable[[str, float], None]


def _silent(_stage: str, _fraction: float) -> None:
    """Progress that nobody watches."""


def check(
    scored: Scored,
    graph: FlowGraph,
    baseline: Baseline,
    *,
    share: float | None = None,
    strongest: int = STRONGEST,
    progress: Progress = _silent,
    opened: Sequence[OpenedPart] = (),
    of_parts: Mapping[str, Mapping[NodeKey, float]] | None = None,
) -> Verdict:
    """Ablates what the graph leaves out, then what it draws.

    Args:
        scored: the flow that the graph is drawn from.
        graph: whose heads, neurons and embeddings are kept.
        baseline: what takes the place of everything else.
        share: what a small set is to recover; None to look for none.
        strongest: of how many components of each score the effect is measured.
        progress: told a stage in words and the fraction done; may raise to stop.
        opened: the nodes that the graph draws as sums of their parts, which are components as well;
            the curves and the smallest set are of the model's own.
        of_parts: what scores say of the replacement of those parts.
    """
    flow = scored.flow
    progress("Replacing everything", 0.0)
    passes = Passes(flow, baseline)
    whole = Passes(flow, baseline, opened) if opened else passes
    drawn = (node.key for node in graph.nodes)
    kept = Places.of(flow.model, flow.positions, drawn, opened)
    progress("Keeping only the graph, and random ones", 0.1)
    found = recovery(whole, kept, progress=partial(_told, progress, "Random graphs", 0.1, 0.3))
    values = foreseen(scored, baseline)
    random = flow.values.each(_shuffled(torch.Generator().manual_seed(SEED)))
    curves = []
    for step, (name, ranked) in enumerate({**values, "random": random}.items()):
        stage, begun = f"Keeping more and more by {name}", 0.3 + CURVE * step
        progress(stage, begun)
        told = partial(_told, progress, stage, begun, begun + CURVE)
        curves.append(curve(passes, name, ranked, told))

    def alone(done: int) -> None:
        progress(f"Ablating one by one: {done} done", 0.7 + 0.3 * done / (done + strongest))

    agreed = agreement(passes, values, strongest, alone)
    small = None
    if share is not None:
        progress(f"Looking for a small graph that recovers {share:.0%}", 0.85)
        small = smallest(passes, values["flow"], share, alone)
    parts = agreement_of_parts(whole, of_parts or {}, alone) if opened else None
    return Verdict(found, tuple(curves), agreed, small, parts)


def _told(progress: Progress, stage: str, begun: float, end: float, done: int) -> None:
    progress(stage, begun + (end - begun) * done / (done + CONTROLS))


def _shuffled(generator: torch.Generator) -> Callable[[torch.Tensor], torch.Tensor]:
    def shuffle(values: torch.Tensor) -> torch.Tensor:
        return torch.rand(values.shape, generator=generator).to(values)

    return shuffle
