"""What scores say that a replacement does: not the value of a component, but its difference.

Every score is linear in a component's vector v, with a gradient r that the pass fixes: v · r. Where
v is replaced by b, the score foresees (v - b) · r. For zero ablation that is the score itself; for
the others it is the score minus that of the values that take the place, along the same gradients.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from flowviz.blend import blend_gradients, blended
from flowviz.causal.baselines import Baseline
from flowviz.causal.types import Ablation
from flowviz.flow import Flow
from flowviz.graph.scored import Scored
from flowviz.request import Score
from flowviz.scores import Gradients, by_gradient, direct_scores, gradients_of
from flowviz.values import NodeValues


def foreseen(scored: Scored, baseline: Baseline) -> dict[str, NodeValues]:
    """What every score says of every component's replacement."""
    if baseline.kind is Ablation.ZERO:
        return {score.value: scored.by(score) for score in Score}
    flow = scored.flow
    other = standing_in(flow, baseline)
    gradients = gradients_of(flow)
    changed = _difference(flow.values, other.values)
    along = _by_gradients(flow, other, blend_gradients(flow, gradients))
    return {
        Score.FLOW.value: changed,
        Score.BLEND.value: blended(changed, along),
        Score.GRADIENT.value: _by_gradients(flow, other, gradients),
        Score.DIRECT.value: _difference(scored.direct, direct_scores(other)),
    }


def _by_gradients(flow: Flow, other: Flow, gradients: Gradients) -> NodeValues:
    return _difference(by_gradient(flow, gradients), by_gradient(other, gradients))


def _difference(left: NodeValues, right: NodeValues) -> NodeValues:
    return NodeValues(*(a - b for a, b in zip(left.parts(), right.parts(), strict=True)))


def standing_in(flow: Flow, baseline: Baseline) -> Flow:
    """The same gradients, with the values that take the place of the components."""
    trace, length = flow.trace, len(flow.trace.ids)

    def rows(values: Tensor) -> Tensor:
        if len(values) == 1:
            return values.expand(length, *values.shape[1:])
        missing = max(length - len(values), 0)
        return torch.cat([values[:length], values.new_zeros(missing, *values.shape[1:])])

    blocks = tuple(
        replace(part, z=rows(baseline.heads[layer]), post=rows(baseline.neurons[layer]))
        for layer, part in enumerate(trace.blocks)
    )
    pos_embed = None if trace.pos_embed is None else rows(baseline.pos_embed)
    other = replace(trace, blocks=blocks, embed=rows(baseline.embed), pos_embed=pos_embed)
    return replace(flow, trace=other)
