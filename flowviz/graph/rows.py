"""The rows of a picture, from the embeddings at the bottom to the target on top.

Within a layer: the state before it, the biases that enter its heads, the heads with their output
biases, the state between, the biases that enter its neurons, the neurons with theirs. Where
attention and MLP work in parallel they read one state and stand in one row. The last state, the
biases after it and the target have a band of their own.
"""

from __future__ import annotations

from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind

Row = tuple[int, int]  # layer and rank within it

BOTTOM, TOP = -1, 10**9
RANKS = {
    NodeKind.POS_EMBED: 0,
    NodeKind.EMBED: 0,
    NodeKind.RESID_PRE: 1,
    NodeKind.HEAD: 3,
    NodeKind.RESID_MID: 4,
    NodeKind.NEURON: 6,
    NodeKind.RESID_FINAL: 7,
    NodeKind.TARGET: 9,
}
BIAS_RANKS = {
    "ln1": 2,
    "b_V": 2,
    "b_O": 3,
    "ln2": 5,
    "b_in": 5,
    "b_out": 6,
    "ln_final": 8,
    "b_U": 8,
    "ln_embed": 0,
    "ln1_post": 3,
    "ln2_post": 6,
    "set_first": 0,
    "set_heads": 2,
    "set_mid": 3,
    "set_neurons": 5,
    "set_post": 6,
}
BESIDE_ATTENTION = {5: 2, 6: 3}  # where the MLP's ranks go in a parallel block


def row_of(key: NodeKey, parallel: bool = False) -> Row:
    """A node's row: its layer (embeddings below all, the target above all) and its rank there."""
    kind = key.of or key.kind
    rank = _bias_rank(key.index) if kind is NodeKind.BIAS else RANKS[kind]
    if parallel:
        rank = BESIDE_ATTENTION.get(rank, rank)
    if rank == 0:
        return BOTTOM, rank
    return (key.layer, rank) if rank < RANKS[NodeKind.RESID_FINAL] else (TOP, rank)


def _bias_rank(index: int) -> int:
    return BIAS_RANKS[BIAS_NAMES[index]] if index < len(BIAS_NAMES) else BIAS_RANKS["b_out"]
