"""Measures a picture on the run: its flows at every node, its sums as vectors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from flowviz.inside.block import normed
from flowviz.inside.heads import HeadsAt
from flowviz.inside.neurons import NeuronsAt
from flowviz.inside.place import Place
from flowviz.inside.sketch import Sketch
from flowviz.inside.types import SOURCES, PartKey, PartKind


def flow_error(sketch: Sketch, scale: float, first: PartKey, last: PartKey) -> float:
    """Inflows and outflows of every part against its flow.

    What flows into the first state, and out of the last, lies outside of the picture.
    """
    into: dict[PartKey, float] = defaultdict(float)
    out: dict[PartKey, float] = defaultdict(float)
    for edge in sketch.edges:
        if edge.flow is not None:
            into[edge.target] += edge.flow
            out[edge.source] += edge.flow
    errors = [0.0]
    for key, part in sketch.parts.items():
        if part.flow is None:
            continue
        if key.kind not in SOURCES and key != first:
            errors.append(abs(into[key] - part.flow))
        if key.kind is not PartKind.ELSEWHERE and key != last:
            errors.append(abs(out[key] - part.flow))
    return largest(errors) / scale


def sum_error(sketch: Sketch, heads: HeadsAt, neurons: NeuronsAt) -> float:
    """The parts of every sum against the model's own: values against z, inputs against the
    neurons' outputs, and all that is written against the states behind attention and MLP."""
    values = torch.einsum("hk,khd->hd", heads.weights, heads.values)
    return largest(
        [
            _distance(heads.z, values),
            _distance(neurons.post, neurons.gate * neurons.inputs),
            *_step_errors(sketch, heads.place),
        ]
    )


_SUBLAYERS = (
    (PartKind.ATTENTION, PartKind.LN1_POST),
    (PartKind.MLP, PartKind.LN2_POST),
)


def _step_errors(sketch: Sketch, place: Place) -> Iterator[float]:
    """The states behind attention and MLP against the states before and what is added."""
    block, trace = place.block, place.trace
    state, after = (PartKey(PartKind.STATE, place.layer + n) for n in (0, 1))
    writes = [_output(sketch, place, *kinds) for kinds in _SUBLAYERS]
    if block.parallel:
        yield _distance(_vector(sketch, after), _vector(sketch, state) + writes[0] + writes[1])
        return
    mid = place.key(PartKind.MID)
    posts = ((block.attention.post, trace.ln1_post_scale), (block.mlp.post, trace.ln2_post_scale))
    steps = zip((state, mid), (mid, after), writes, posts, strict=True)
    for before, behind, written, (post, scale) in steps:
        total = _vector(sketch, before) + written
        if block.norms_stream and scale is not None:
            total = normed(post, total, scale[place.at])
        yield _distance(_vector(sketch, behind), total)


def _output(sketch: Sketch, place: Place, plain: PartKind, post: PartKind) -> Tensor:
    behind = place.key(post)
    return _vector(sketch, behind if behind in sketch.parts else place.key(plain))


def _vector(sketch: Sketch, key: PartKey) -> Tensor:
    vector = sketch.parts[key].vector
    if vector is None:
        raise ValueError(f"{key} has no vector")
    return vector


def _distance(whole: Tensor, parts: Tensor) -> float:
    return float((whole - parts).norm() / whole.norm().clamp(min=1e-12))


def largest(errors: Iterable[float]) -> float:
    """The largest error; not a number where one is not."""
    errors = list(errors)
    return math.nan if any(map(math.isnan, errors)) else max(errors, default=0.0)
