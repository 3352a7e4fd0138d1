"""Reads all parts of a picture as tokens, in as few products with the unembedding as fit.

States, and states behind a norm, are read as the model would read them if they were its last
one. Everything else is read as what it adds to the logits, under the final norm's scale at this
position: what is written, through W_O and the norm behind attention or MLP where there is one;
keys, gates and queries as directions of the stream, through the weight of the norm they read.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import Projection
from flowviz.inside.sketch import Part, Sketch
from flowviz.inside.types import PartEdge, PartEdgeKind, PartKey, PartKind, PartNode
from flowviz.lens import normed_components, normed_states, projections, read, to_logits

STATES = frozenset({PartKind.STATE, PartKind.MEMORY, PartKind.LN1, PartKind.MID, PartKind.LN2})
UNREAD = frozenset({PartKind.REST, PartKind.ELSEWHERE})
TOKENS = 10
LOGITS_AT_ONCE = 2**25  # 128 MB: a large picture on a large vocabulary would take gigabytes
PASSED_WHOLE = frozenset(
    {PartEdgeKind.RESIDUAL, PartEdgeKind.NORM, PartEdgeKind.WRITE, PartEdgeKind.BIAS,
     PartEdgeKind.QUERY, PartEdgeKind.REST}
)  # fmt: skip


@torch.inference_mode()
def describe(
    flow: Flow, at: int, sketch: Sketch
) -> tuple[tuple[PartNode, ...], tuple[PartEdge, ...]]:
    """The parts with norms and projections, and the edges with the norm of what they pass on."""
    parts = list(sketch.parts.values())
    with_vector = [part for part in parts if part.vector is not None]
    vectors = torch.stack([part.vector for part in with_vector if part.vector is not None])
    keys = [part.key for part in with_vector]
    norms = dict(zip(keys, vectors.norm(dim=-1).tolist(), strict=True))
    shown = [row for row, key in enumerate(keys) if key.kind not in UNREAD]
    read_as = _read(flow, at, vectors[shown], [keys[row] for row in shown])
    nodes = tuple(_node(part, norms, read_as) for part in sorted(parts, key=_order))
    return nodes, tuple(_with_norm(edge, norms) for edge in sketch.edges)


def _read(flow: Flow, at: int, vectors: Tensor, keys: list[PartKey]) -> dict[PartKey, Projection]:
    is_state = torch.tensor([key.kind in STATES for key in keys], device=vectors.device)
    scale = flow.trace.final_scale[at].expand(len(keys), 1)
    normed = torch.where(
        is_state[:, None],
        normed_states(flow.model, vectors),
        normed_components(flow.model, vectors, scale),
    )
    rows = max(LOGITS_AT_ONCE // flow.model.shape.vocabulary, 1)
    found: list[Projection] = []
    for some, state in zip(normed.split(rows), is_state.split(rows), strict=True):
        logits = to_logits(flow.model, some, state)
        found += projections(flow.model, read(logits, flow.target.token, TOKENS))
    return dict(zip(keys, found, strict=True))


def _node(part: Part, norms: dict[PartKey, float], read_as: dict[PartKey, Projection]) -> PartNode:
    return PartNode(
        key=part.key,
        flow=part.flow,
        norm=norms.get(part.key),
        activation=part.activation,
        strength=part.strength,
        projection=read_as.get(part.key),
    )


_KINDS = {kind: place for place, kind in enumerate(PartKind)}


def _order(part: Part) -> tuple[int, int, int, int, int]:
    """From the block's input to its output."""
    key = part.key
    of = -1 if key.of is None else _KINDS[key.of]
    return key.layer, _KINDS[key.kind], of, key.index, key.source


def _with_norm(edge: PartEdge, norms: dict[PartKey, float]) -> PartEdge:
    """What starts as a whole part passes on that part; what goes to a query, the query."""
    if edge.norm is not None or edge.kind not in PASSED_WHOLE:
        return edge
    if edge.kind is PartEdgeKind.REST and edge.source.kind is not PartKind.REST:
        return edge
    passed = edge.target if edge.kind is PartEdgeKind.QUERY else edge.source
    return replace(edge, norm=norms.get(passed))
