"""How well a score predicts what happens when a component is really ablated.

For the strongest components of each score, every one is replaced alone, all in one batch; its
*effect* is how much of the target goes with it, m(model) - m(without it). The agreement of a score
is Spearman's rank correlation between its values and the effects, over one set of components that
is the same for all scores: the union of the strongest of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.places import COMPONENTS, Places
from flowviz.causal.recovered import Passes, measured
from flowviz.causal.types import Agreement, Effect
from flowviz.graph.types import NodeKey
from flowviz.values import NodeValues

STRONGEST = 50


def agreement(
    passes: Passes,
    scores: Mapping[str, NodeValues],
    strongest: int = STRONGEST,
    progress: Callable[[int], None] = lambda _done: None,
) -> Agreement:
    """Ablates the strongest components of each score, one by one."""
    keys = _strongest(scores, strongest)
    effects = ablate_each(passes, keys, progress)
    said = {
        name: torch.tensor([values[key] for key in keys], dtype=torch.float64)
        for name, values in scores.items()
    }
    rows = [
        Effect(key, {name: float(values[row]) for name, values in said.items()}, effect)
        for row, (key, effect) in enumerate(zip(keys, effects.tolist(), strict=True))
    ]
    return Agreement(
        passes.baseline.words,
        tuple(sorted(rows, key=lambda row: (-abs(row.effect), row.key))),
        {name: spearman(values, effects) for name, values in said.items()},
    )


def agreement_of_parts(
    passes: Passes,
    scores: Mapping[str, Mapping[NodeKey, float]],
    progress: Callable[[int], None] = lambda _done: None,
) -> Agreement | None:
    """The same of the parts of opened nodes: each is replaced alone. None where there are none."""
    keys = sorted({key for values in scores.values() for key in values})
    if not keys:
        return None
    effects = ablate_each(passes, keys, progress)
    said = {name: [values[key] for key in keys] for name, values in scores.items()}
    rows = [
        Effect(key, {name: values[row] for name, values in said.items()}, effect)
        for row, (key, effect) in enumerate(zip(keys, effects.tolist(), strict=True))
    ]
    return Agreement(
        passes.baseline.words,
        tuple(sorted(rows, key=lambda row: (-abs(row.effect), row.key))),
        {name: spearman(torch.tensor(values).double(), effects) for name, values in said.items()},
    )


def _strongest(scores: Mapping[str, NodeValues], most: int) -> list[NodeKey]:
    found: set[NodeKey] = set()
    for values in scores.values():
        sizes = values.each(torch.abs)
        pairs = [pair for kind in COMPONENTS for pair in sizes.strongest(kind, most)]
        pairs.sort(key=lambda pair: (-pair[0], pair[1]))
        found |= {key for _, key in pairs[:most]}
    return sorted(found)


def ablate_each(
    passes: Passes, keys: list[NodeKey], progress: Callable[[int], None] = lambda _done: None
) -> Float[Tensor, " node"]:
    """For each component, how much of the target goes when it alone is replaced."""
    model, positions, opened = passes.flow.model, passes.flow.positions, passes.opened
    logits = passes.logits((Places.of(model, positions, [key], opened) for key in keys), progress)
    return (passes.whole - measured(logits, passes.flow.target)).double().cpu()


def spearman(left: Float[Tensor, " n"], right: Float[Tensor, " n"]) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where either is constant."""
    a, b = _ranks(left), _ranks(right)
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / (a.norm() * b.norm()))


def _ranks(values: Tensor) -> Tensor:
    below = (values[:, None] > values[None]).sum(1).double()
    equal = (values[:, None] == values[None]).sum(1).double()
    return below + (equal - 1) / 2
