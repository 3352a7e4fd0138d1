"""The rows of a picture, from the embeddings at the bottom to the target on top.

Within a layer: the state before it, the biases that enter its heads, the heads with their output
biases, the state between, the biases that enter its neurons, the neurons with theirs. Where
attention and MLP work in parallel they read one state and stand in one row. The last state, the
biases after it and the target have a band of their own. What a sublayer adds stands above its heads
or neurons where it is opened, and the parts of an opened node stand above it.
"""

from __future__ import annotations

from flowviz.graph.types import BIAS_NAMES, PARTS, NodeKey, NodeKind

Row = tuple[int, float]  # layer and rank within it

BOTTOM, TOP = -1, 10**9
RANKS: dict[NodeKind, float] = {
    NodeKind.POS_EMBED: 0.0,
    NodeKind.EMBED: 0.0,
    NodeKind.RESID_PRE: 1.0,
    NodeKind.HEAD: 3.0,
    NodeKind.ATTN_OUT: 3.25,
    NodeKind.RESID_MID: 4.0,
    NodeKind.NEURON: 6.0,
    NodeKind.MLP_OUT: 6.25,
    NodeKind.RESID_FINAL: 7.0,
    NodeKind.TARGET: 9.0,
}
BIAS_RANKS = {
    "ln1": 2.0,
    "b_V": 2.0,
    "b_O": 3.0,
    "ln2": 5.0,
    "b_in": 5.0,
    "b_out": 6.0,
    "ln_final": 8.0,
    "b_U": 8.0,
    "ln_embed": 0.0,
    "ln1_post": 3.0,
    "ln2_post": 6.0,
    "set_first": 0.0,
    "set_heads": 2.0,
    "set_mid": 3.0,
    "set_neurons": 5.0,
    "set_post": 6.0,
}
ABOVE = 0.3  # the parts of an opened node
BESIDE_ATTENTION = {
    5.0: 2.0,
    6.0: 3.0,
    6.25: 3.25,
    6.25 + ABOVE: 3.25 + ABOVE,
}  # where the MLP's ranks go in a parallel block


def row_of(key: NodeKey, parallel: bool = False) -> Row:
    """A node's row: its layer (embeddings below all, the target above all) and its rank there."""
    kind = key.of or key.kind
    rank = _bias_rank(key.index) if kind is NodeKind.BIAS else _rank(kind, key.part_of)
    if parallel:
        rank = BESIDE_ATTENTION.get(rank, rank)
    if rank == 0:
        return BOTTOM, rank
    return (key.layer, rank) if rank < RANKS[NodeKind.RESID_FINAL] else (TOP, rank)


def _rank(kind: NodeKind, part_of: NodeKind | None) -> float:
    if kind not in PARTS:
        return RANKS[kind]
    return RANKS[part_of or NodeKind.RESID_PRE] + ABOVE


def _bias_rank(index: int) -> float:
    return BIAS_RANKS[BIAS_NAMES[index]] if index < len(BIAS_NAMES) else BIAS_RANKS["b_out"]
