"""The vectors behind nodes: what each wrote into the stream, or the stream itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.flow import Flow, factor
from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.models.parts import exact
from flowviz.trace import Pass

SET_STATES = ("set_first", "set_mid", "set_post")  # what interventions put into states
WRITTEN_BIASES = ("b_O", "b_out", "ln1_post", "ln2_post", "ln_embed", *SET_STATES)


def is_vector(key: NodeKey) -> bool:
    """Whether a node is a vector of the stream; a bias inside a head or a neuron is not."""
    if key.kind is NodeKind.BIAS:
        return BIAS_NAMES[key.index] in WRITTEN_BIASES
    return key.kind not in (NodeKind.REST, NodeKind.TARGET)


@torch.inference_mode()
def component_vectors(flow: Pass, keys: Sequence[NodeKey]) -> Float[Tensor, "n d_model"]:
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


def _group(flow: Pass, kind: NodeKind, layer: int, positions: Tensor, indices: Tensor) -> Tensor:
    trace = flow.trace
    if kind is NodeKind.EMBED:
        return trace.embed[positions]
    if kind is NodeKind.POS_EMBED and trace.pos_embed is not None:
        return trace.pos_embed[positions]
    if kind is NodeKind.RESID_FINAL:
        return trace.resid_final[positions]
    part, block = trace.blocks[layer], flow.model.blocks[layer]
    if kind is NodeKind.RESID_MID and part.resid_mid is not None:
        return part.resid_mid[positions]
    if kind is NodeKind.RESID_PRE:
        return part.resid_pre[positions]
    if kind is NodeKind.HEAD:
        z = part.z[positions, indices]
        weight = block.attention.W_O
        weight = exact(weight[indices.to(weight.device)], z)
        written = torch.einsum("nd,ndm->nm", z, weight)
        return block.onto_stream(block.attention.post, written, _at(part.ln1_post_scale, positions))
    if kind is NodeKind.NEURON:
        post = part.post[positions, indices, None]
        written = post * block.mlp.writes(indices).to(post.device)
        return block.onto_stream(block.mlp.post, written, _at(part.ln2_post_scale, positions))
    return _biases(flow, layer, positions, indices)


def _at(scale: Tensor | None, positions: Tensor) -> Tensor | None:
    return None if scale is None else scale[positions]


def _biases(flow: Pass, layer: int, positions: Tensor, indices: Tensor) -> Tensor:
    chosen = list(zip(positions.tolist(), indices.tolist(), strict=True))
    rows = {index: written_bias(flow, layer, BIAS_NAMES[index]) for _, index in chosen}
    return torch.stack([rows[index][position] for position, index in chosen])


def read_directions(
    flow: Flow, layer: int, neurons: Int[Tensor, " n"]
) -> Float[Tensor, "n d_model"]:
    """What some neurons look for in the stream: W_in's columns, through the norm's weight."""
    mlp = flow.model.blocks[layer].mlp
    return mlp.norm.pull(mlp.reads(neurons).to(flow.trace.resid_final.device))


def written_bias(flow: Pass, layer: int, name: str) -> Float[Tensor, "pos d_model"]:
    """What a bias adds to the stream at each position; zero where the block has no such bias."""
    block, part, p = flow.model.blocks[layer], flow.trace.blocks[layer], flow.positions
    none = torch.zeros_like(part.resid_pre[:p])
    if name in SET_STATES:
        change = {"set_first": flow.trace.first, "set_mid": part.mid, "set_post": part.after}[name]
        return none if change is None else change.put[:p].to(none)
    kept = factor(flow, name, layer, none)
    if name == "ln_embed":
        bias = flow.model.embed_bias
        return none if bias is None else none + exact(bias, none) * kept
    if name in ("ln1_post", "ln2_post"):
        bias = (block.attention if name == "ln1_post" else block.mlp).post.bias
        scale = 1.0 if block.norms_stream else block.residual_scale
        return none if bias is None else none + exact(bias, none) * scale * kept
    if name == "b_O":
        bias, post, scale = block.attention.b_O, block.attention.post, part.ln1_post_scale
    else:
        bias, post, scale = block.mlp.written_bias(part.router), block.mlp.post, part.ln2_post_scale
    if bias is None:
        return none
    bias = exact(bias, none)
    rows = (none + (bias[: none.shape[0]] if bias.dim() > 1 else bias)) * kept
    return block.onto_stream(post, rows, None if scale is None else scale[:p])
