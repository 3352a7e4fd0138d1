"""Ports: which nodes can flow into which, without looking at a single number.

A node *opens* ports through which others flow into it, and each node *leads to* some ports. Two
nodes can be joined by an edge where the one leads to a port that the other opens. Growing a
selection along ports keeps it connected to the target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.request import Wiring

Port = tuple[str, int, int]
TO_TARGET: Port = ("target", 0, 0)


@dataclass(frozen=True)
class Layout:
    """What decides who can flow into whom.

    Args:
        layers: how many blocks there are.
        position: the target's.
        parallel: attention and MLP of a block read the same state.
        cut: the block whose incoming states the target reads; None where that is the final state.
    """

    wiring: Wiring
    layers: int
    position: int
    parallel: bool = False
    cut: int | None = None


def opened(key: NodeKey) -> Iterator[Port]:
    """The ports that a drawn node opens."""
    layer, at = key.layer, key.position
    match key.kind:
        case NodeKind.TARGET:
            yield TO_TARGET
        case NodeKind.HEAD:
            yield from (("heads", layer, source) for source in range(at + 1))
        case NodeKind.NEURON:
            yield ("neurons", layer, at)
        case NodeKind.RESID_MID:
            yield ("mid", layer, at)
        case NodeKind.RESID_PRE | NodeKind.RESID_FINAL:
            yield ("post", layer - 1, at)  # the first state is behind no block: post of -1


def leads_to(key: NodeKey, layout: Layout) -> Iterator[Port]:
    """The ports that a node can flow into."""
    name = BIAS_NAMES[key.index] if key.kind is NodeKind.BIAS else ""
    if name and key.layer == layout.layers:
        yield TO_TARGET
    elif name in _READ_BIASES:
        yield (_READ_BIASES[name], key.layer, key.position)
    elif layout.wiring is Wiring.CIRCUIT:
        yield from _of_component(key, name, layout)
    else:
        yield from _along_stream(key, name, layout)


_READ_BIASES = {
    "ln1": "heads",
    "b_V": "heads",
    "set_heads": "heads",
    "ln2": "neurons",
    "b_in": "neurons",
    "set_neurons": "neurons",
}
_BEHIND_HEADS = ("b_O", "ln1_post", "set_mid")
_AT_THE_BOTTOM = ("ln_embed", "set_first")


def _along_stream(key: NodeKey, name: str, layout: Layout) -> Iterator[Port]:
    layer, at = key.layer, key.position
    behind_heads = "post" if layout.parallel else "mid"
    match key.kind:
        case NodeKind.EMBED | NodeKind.POS_EMBED:
            yield ("post", -1, at)
        case NodeKind.RESID_PRE:
            yield (behind_heads, layer, at)
            yield ("heads", layer, at)
            if layout.parallel:
                yield ("neurons", layer, at)
            if layer == layout.cut:
                yield TO_TARGET
        case NodeKind.RESID_MID:
            yield ("post", layer, at)
            yield ("neurons", layer, at)
        case NodeKind.HEAD:
            yield (behind_heads, layer, at)
        case NodeKind.NEURON:
            yield ("post", layer, at)
        case NodeKind.BIAS if name in _AT_THE_BOTTOM:
            yield ("post", -1, at)
        case NodeKind.BIAS:
            yield (behind_heads if name in _BEHIND_HEADS else "post", layer, at)
        case NodeKind.RESID_FINAL if at == layout.position:
            yield TO_TARGET


def _of_component(key: NodeKey, name: str, layout: Layout) -> Iterator[Port]:
    at = key.position
    if at == layout.position:
        yield TO_TARGET
    at_the_bottom = key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED) or name in _AT_THE_BOTTOM
    for layer in range(0 if at_the_bottom else key.layer + 1, layout.layers):
        yield ("heads", layer, at)
        yield ("neurons", layer, at)
    before_mlp = key.kind is NodeKind.HEAD or name in _BEHIND_HEADS
    if before_mlp and not layout.parallel:
        yield ("neurons", key.layer, at)
