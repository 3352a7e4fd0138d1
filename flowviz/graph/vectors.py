"""The vectors behind nodes: what each wrote into the stream, or the stream itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import BIAS_NAMES, STATES, NodeKey, NodeKind
from flowviz.models.loaded import exact

WRITTEN_BIASES = ("b_O", "b_out")


def is_vector(key: NodeKey) -> bool:
    """Whether a node is a vector of the stream; a bias inside a head or a neuron is not."""
    if key.kind is NodeKind.BIAS:
        return BIAS_NAMES[key.index] in WRITTEN_BIASES
    return key.kind not in (NodeKind.REST, NodeKind.TARGET)


@torch.inference_mode()
def component_vectors(flow: Flow, keys: Sequence[NodeKey]) -> Float[Tensor, "n d_model"]:
    """The vectors of nodes for which `is_vector` holds, gathered by kind and layer."""
    like = flow.trace.resid_final
    vectors = torch.empty(len(keys), like.shape[1], dtype=like.dtype, device=like.device)
    groups: dict[tuple[NodeKind, int], list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        groups[key.kind, key.layer].append(row)
    for (kind, layer), rows in groups.items():
        positions = torch.tensor([keys[row].position for row in rows], device=like.device)
        indices = torch.tensor([keys[row].index for row in rows], device=like.device)
        vectors[rows] = _group(flow, kind, layer, positions, indices)
    return vectors


def _group(flow: Flow, kind: NodeKind, layer: int, positions: Tensor, indices: Tensor) -> Tensor:
    trace = flow.trace
    if kind is NodeKind.EMBED:
        return trace.embed[positions]
    if kind is NodeKind.POS_EMBED and trace.pos_embed is not None:
        return trace.pos_embed[positions]
    if kind is NodeKind.RESID_FINAL:
        return trace.resid_final[positions]
    part, block = trace.blocks[layer], flow.model.blocks[layer]
    if kind in STATES:
        return (part.resid_pre if kind is NodeKind.RESID_PRE else part.resid_mid)[positions]
    if kind is NodeKind.HEAD:
        z = part.z[positions, indices]
        return torch.einsum("nd,ndm->nm", z, exact(block.W_O[indices]))
    if kind is NodeKind.NEURON:
        return part.post[positions, indices, None] * exact(block.W_out[indices])
    written = {BIAS_NAMES.index("b_O"): block.b_O, BIAS_NAMES.index("b_out"): block.b_out}
    none = torch.zeros_like(trace.resid_final[0])
    chosen = [written[int(index)] for index in indices]
    return torch.stack([none if bias is None else exact(bias) for bias in chosen])
