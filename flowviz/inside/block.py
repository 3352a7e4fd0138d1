"""Draws one block: the stream through it, and how attention and MLP read and write it.

sequential   state ─▶ mid ─▶ state after, attention between the first two, the MLP behind
parallel     state ─▶ state after, both beside it; one norm or two
post-norm    mid and the state after stand behind the norms on the stream
"""

from __future__ import annotations

import torch
from torch import Tensor

from flowviz.inside.attention import draw_attention, draw_written_bias
from flowviz.inside.choose import Chosen
from flowviz.inside.heads import HeadsAt
from flowviz.inside.mlp import draw_mlp
from flowviz.inside.neurons import NeuronsAt
from flowviz.inside.place import Place
from flowviz.inside.sketch import Sketch
from flowviz.inside.types import PartEdgeKind, PartKey, PartKind
from flowviz.models.parts import Norm, exact


def draw_block(sketch: Sketch, heads: HeadsAt, neurons: NeuronsAt, chosen: Chosen) -> PartKey:
    """Draws one block from its state to the state behind it.

    Returns:
        What attention reads at this position.
    """
    place = heads.place
    state, after = draw_state(sketch, place, 0), draw_state(sketch, place, 1)
    middle = None if place.block.parallel else _draw_mid(sketch, place)
    early, late = _flows_read(heads, neurons)
    both = early + late if place.shares_norm else early
    read_early = _draw_norm(sketch, place, state, PartKind.LN1, both)
    read_late = read_early
    if not place.shares_norm:
        read_late = _draw_norm(sketch, place, middle or state, PartKind.LN2, late)
    attention = draw_attention(sketch, heads, chosen, read_early)
    mlp = draw_mlp(sketch, neurons, chosen, read_late)
    _draw_stream(sketch, place, [state, *([middle] if middle else []), after], attention, mlp)
    sketch.elsewhere(state, _flow_elsewhere(place))
    return read_early


def draw_state(sketch: Sketch, place: Place, behind: int) -> PartKey:
    """The state before the block, or the one behind it."""
    key = PartKey(PartKind.STATE, place.layer + behind)
    vector = (
        place.flow.trace.resid_post(place.layer)[place.at]
        if behind
        else place.trace.resid_pre[place.at]
    )
    gradient = place.gradient.r_post if behind else place.gradient.r_pre
    return sketch.part(key, float(vector @ gradient[place.at]), vector)


def _draw_mid(sketch: Sketch, place: Place) -> PartKey:
    mid, gradient = place.trace.resid_mid, place.gradient.r_mid
    if mid is None or gradient is None:
        raise ValueError(f"block {place.layer} is sequential and has no state between")
    vector = mid[place.at]
    return sketch.part(place.key(PartKind.MID), float(vector @ gradient[place.at]), vector)


def _flows_read(heads: HeadsAt, neurons: NeuronsAt) -> tuple[float, float]:
    """What attention reads at its own position, and what the MLP reads."""
    own = heads.from_states[:, heads.place.at].sum()
    return float(own), float(neurons.from_state.sum())


def _draw_norm(
    sketch: Sketch, place: Place, state: PartKey, kind: PartKind, flow: float
) -> PartKey:
    """What a sublayer reads: behind its norm, or the state itself where there is none."""
    block, trace, at = place.block, place.trace, place.at
    early = kind is PartKind.LN1
    norm = block.attention.norm if early else block.mlp.norm
    if norm.eps is None:
        return state
    before = trace.resid_pre if early else trace.mlp_state
    scale = trace.ln1_scale if early else trace.ln2_scale
    key = sketch.part(place.key(kind), flow, normed(norm, before[at], scale[at]))
    sketch.join(state, key, PartEdgeKind.NORM, flow)
    return key


def normed(norm: Norm, state: Tensor, scale: Tensor) -> Tensor:
    """A state behind a norm, its bias included."""
    vector = norm.apply(state, scale)
    return vector if norm.bias is None else vector + exact(norm.bias, vector)


def _draw_stream(
    sketch: Sketch, place: Place, states: list[PartKey], attention: PartKey, mlp: PartKey
) -> None:
    """The stream, and what is added to it."""
    gradient, at = place.gradient, place.at
    into = [gradient.into_post] if place.block.parallel else [gradient.into_mid, gradient.into_post]
    for source, target, there in zip(states[:-1], states[1:], into, strict=True):
        vector = sketch.parts[source].vector
        flow = 0.0 if vector is None else float(vector @ there[at])
        sketch.join(source, target, PartEdgeKind.RESIDUAL, flow)
    for output, target in ((attention, states[1]), (mlp, states[-1])):
        sketch.join(output, target, PartEdgeKind.WRITE, sketch.parts[output].flow)
    if place.block.norms_stream:
        draw_written_bias(sketch, place, "ln1_post", states[1])
        draw_written_bias(sketch, place, "ln2_post", states[-1])


def _flow_elsewhere(place: Place) -> float:
    """What the heads of all other positions draw from the state here."""
    drawn = place.flow.head_column(place.layer, place.at)
    others = torch.arange(drawn.shape[1], device=drawn.device) != place.at
    return float(drawn[:, others].sum())
