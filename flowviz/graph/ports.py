"""Ports: which nodes can flow into which, without looking at a single number.

A node *opens* ports through which others flow into it, and each node *leads to* some ports. Two
nodes can be joined by an edge where the one leads to a port that the other opens. Growing a
selection along ports keeps it connected to the target.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.request import Wiring

Port = tuple[str, int, int]
TO_TARGET: Port = ("target", 0, 0)


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


def leads_to(
    key: NodeKey, wiring: Wiring, layers: int, target_position: int, cut: int | None
) -> Iterator[Port]:
    """The ports that a node can flow into."""
    if key.kind is NodeKind.BIAS and (BIAS_NAMES[key.index] in _BIAS_PORTS or key.layer == layers):
        yield from _of_bias(key, layers)
    elif wiring is Wiring.CIRCUIT:
        yield from _of_component(key, layers, target_position)
    else:
        yield from _along_stream(key, target_position, cut)


_BIAS_PORTS = {"ln1": "heads", "b_V": "heads", "ln2": "neurons", "b_in": "neurons"}


def _of_bias(key: NodeKey, layers: int) -> Iterator[Port]:
    if key.layer == layers:
        yield TO_TARGET
    else:
        yield (_BIAS_PORTS[BIAS_NAMES[key.index]], key.layer, key.position)


def _along_stream(key: NodeKey, target_position: int, cut: int | None) -> Iterator[Port]:
    layer, at = key.layer, key.position
    match key.kind:
        case NodeKind.EMBED | NodeKind.POS_EMBED:
            yield ("post", -1, at)
        case NodeKind.RESID_PRE:
            yield ("mid", layer, at)
            yield ("heads", layer, at)
            if layer == cut:
                yield TO_TARGET
        case NodeKind.RESID_MID:
            yield ("post", layer, at)
            yield ("neurons", layer, at)
        case NodeKind.HEAD:
            yield ("mid", layer, at)
        case NodeKind.NEURON:
            yield ("post", layer, at)
        case NodeKind.BIAS:
            yield ("mid" if BIAS_NAMES[key.index] == "b_O" else "post", layer, at)
        case NodeKind.RESID_FINAL if at == target_position:
            yield TO_TARGET


def _of_component(key: NodeKey, layers: int, target_position: int) -> Iterator[Port]:
    at = key.position
    if at == target_position:
        yield TO_TARGET
    first = 0 if key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED) else key.layer + 1
    for layer in range(first, layers):
        yield ("heads", layer, at)
        yield ("neurons", layer, at)
    before_mlp = key.kind is NodeKind.BIAS and BIAS_NAMES[key.index] == "b_O"
    if key.kind is NodeKind.HEAD or before_mlp:
        yield ("neurons", key.layer, at)
