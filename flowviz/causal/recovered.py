"""How much of the prediction a set of components recovers when all others are replaced.

    recovered = (m(only these) - m(none)) / (m(all) - m(none))

m is the target of the flow; `m(none)` is the pass with every component replaced. The full set
recovers 1 and the empty set 0 by construction. Beside it stand the divergence of the predicted
distribution from the model's own, whether the first token is the same, and random sets of the same
size and kinds as a control.

The curve over sizes is what the MIB benchmark measures (Mueller et al. 2025, arXiv 2504.13151):
CPR is the area under it, CMD the area between it and 1, over the share of components that is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.baselines import Baseline
from flowviz.causal.parts import OpenedPart
from flowviz.causal.passes import logits_without
from flowviz.causal.places import Places, Ranked
from flowviz.causal.types import Curve, Kept, Recovery
from flowviz.flow import Flow, FlowTarget
from flowviz.values import NodeValues

CONTROLS = 20
SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # those of MIB
SEED = 0


class Passes:
    """One prompt's variants under one baseline; knows the whole pass and the empty one.

    Args:
        flow: the pass, and the target that is measured.
        baseline: what replaces.
        opened: the nodes whose parts are components as well.
    """

    def __init__(self, flow: Flow, baseline: Baseline, opened: Sequence[OpenedPart] = ()) -> None:
        self.flow, self.baseline, self.opened = flow, baseline, tuple(opened)
        self.every = Places.all(flow.model, flow.positions, opened)
        none = Places.none(flow.model, flow.positions, opened)
        whole, nothing = self.logits([none, self.every])
        self.whole, self.nothing = self.measure(whole), self.measure(nothing)
        self._log_whole = self._log_probabilities(whole)

    def logits(
        self,
        replaced: Iterable[Places],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Float[Tensor, "variant d_vocab"]:
        """The logits at the target's position with these replaced."""
        ids = self.flow.trace.ids[: self.flow.positions]
        changes = self.flow.trace.changes
        changes = None if changes is None else changes.until(len(ids))
        return logits_without(
            self.flow.model, ids, replaced, self.baseline, progress, changes, self.opened
        )

    @property
    def likely(self) -> Places:
        """Every component, and of opened nodes the factors that are active: what random sets are
        drawn from."""
        parts = self.every.parts.clone()
        for row, each in enumerate(self.opened):
            parts[row, : len(each.active)] &= each.active.to(parts.device)
        return replace(self.every, parts=parts)

    def measure(self, logits: Float[Tensor, " d_vocab"]) -> float:
        """The target."""
        return float(measured(logits[None], self.flow.target)[0])

    def keep(
        self, kept: Iterable[Places], progress: Callable[[int], None] = lambda _done: None
    ) -> list[Kept]:
        """What is left where only these are; all of them in as few batches as fit."""
        sizes: list[int] = []

        def others() -> Iterator[Places]:
            for places in kept:
                sizes.append(len(places))
                yield self.every & ~places

        logits = self.logits(others(), progress)
        values = measured(logits, self.flow.target).tolist()
        first = logits.argmax(-1) == self._log_whole.argmax(-1)
        divergence = self._divergence(logits).tolist()
        rows = zip(sizes, values, divergence, first.tolist(), strict=True)
        return [
            Kept(size, value, self._share(value), bits, same) for size, value, bits, same in rows
        ]

    def _share(self, value: float) -> float:
        span = self.whole - self.nothing
        return (value - self.nothing) / span if span else math.nan

    def _divergence(self, logits: Tensor) -> Tensor:
        own = self._log_whole
        other = self._log_probabilities(logits)
        return (own.exp() * (own - other)).sum(-1).clamp(min=0) / math.log(2)

    def _log_probabilities(self, logits: Tensor) -> Tensor:
        return self.flow.model.capped(logits).log_softmax(-1)


def measured(
    logits: Float[Tensor, "variant d_vocab"], target: FlowTarget
) -> Float[Tensor, " variant"]:
    """The target's value in each variant: a logit, or the difference of two."""
    value = logits[:, target.token]
    return value if target.contrast is None else value - logits[:, target.contrast]


def recovery(
    passes: Passes,
    kept: Places,
    controls: int = CONTROLS,
    progress: Callable[[int], None] = lambda _done: None,
) -> Recovery:
    """A set of components, and random ones of the same size and kinds."""
    generator = torch.Generator().manual_seed(SEED)
    random = (kept.random_like(passes.likely, generator) for _ in range(controls))
    mine, *others = passes.keep(chain([kept], random), progress)
    return Recovery(passes.baseline.words, passes.whole, passes.nothing, mine, tuple(others))


def curve(
    passes: Passes,
    score: str,
    values: NodeValues,
    progress: Callable[[int], None] = lambda _done: None,
) -> Curve:
    """Recovered against size, in the order of a score's values, the highest first."""
    ranked = Ranked(values, passes.every)
    total = len(ranked)
    sizes = [max(1, round(share * total)) for share in SHARES]
    points = passes.keep(map(ranked.first, sizes), progress)
    shares = [0.0, *(point.size / total for point in points)]
    recovered = [0.0, *(point.recovered for point in points)]
    return Curve(
        score,
        tuple(points),
        cpr=_area(shares, recovered),
        cmd=_area(shares, [abs(1 - share) for share in recovered]),
    )


def _area(x: Sequence[float], y: Sequence[float]) -> float:
    """By the trapezoid rule."""
    pairs = zip(zip(x, y, strict=True), zip(x[1:], y[1:], strict=True), strict=False)
    return sum((right - left) * (low + high) / 2 for (left, low), (right, high) in pairs)
