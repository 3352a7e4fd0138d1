"""Parts of a block in words."""

from __future__ import annotations

from flowviz.graph.types import BIAS_NAMES, NodeKey, NodeKind
from flowviz.inside.types import InsideGraph, PartKey, PartKind, PartNode
from flowviz.views.tokens import visible
from flowviz.views.words import BIAS_WORDS, expert_of, token_at

K = PartKind
UNREAD = "·"  # the label of what is not read as tokens
ASKING = frozenset({K.QUERY, K.HEAD_QUERY, K.KEY})  # read only where the pattern is the model's own
SUMS = {
    K.LN1: "norm before attention",
    K.CONCAT: "all heads together",
    K.ATTENTION: "attention output",
    K.LN1_POST: "norm behind attention",
    K.LN2: "norm before the MLP",
    K.MLP: "MLP output",
    K.LN2_POST: "norm behind the MLP",
}
SENTENCES = {
    K.LN1: "What attention reads: the state behind its norm.",
    K.QUERY: "The queries of all heads together: what this position looks for.",
    K.CONCAT: "The outputs of all heads together, through W_O, without its bias.",
    K.ATTENTION: "What attention puts out: all heads and b_O.",
    K.LN1_POST: "What attention adds to the stream: its output behind the norm behind it.",
    K.LN2: "What the MLP reads: the state behind its norm.",
    K.MLP: "What the MLP puts out: all neurons and b_out.",
    K.LN2_POST: "What the MLP adds to the stream: its output behind the norm behind it.",
}


def sum_name(key: PartKey, graph: InsideGraph) -> str:
    """What a bar is; one norm may stand before both sublayers of a parallel block."""
    shared = key.kind is K.LN1 and graph.model.parallel
    if shared and graph.node(PartKey(K.LN2, key.layer)) is None:
        return "norm before attention and the MLP"
    return SUMS[key.kind]


def reading(node: PartNode, graph: InsideGraph) -> str:
    """The token that it reads as most, where it is read."""
    if node.projection is None or not node.projection.top or not read_here(node.key, graph):
        return UNREAD
    return visible(node.projection.top[0].text)


def read_here(key: PartKey, graph: InsideGraph) -> bool:
    """Whether a part may be read: queries and keys only where they are those of this pass."""
    return graph.checks.queries_exact or key.kind not in ASKING


def name(key: PartKey, graph: InsideGraph) -> str:
    """The part in a few words, such as "L3 H5 value of ␣Mary"."""
    match key.kind:
        case K.STATE:
            return state_name(key.layer, graph)
        case K.MID:
            return f"L{key.layer} mid"
        case K.MEMORY:
            return f"{source_name(key.source, graph)}, L{key.layer} pre"
        case K.QUERY:
            return f"L{key.layer} query"
        case K.HEAD_QUERY:
            return f"L{key.layer} H{key.index} query"
        case K.KEY | K.VALUE:
            return f"L{key.layer} H{key.index} {key.kind} of {source_name(key.source, graph)}"
        case K.HEAD:
            return f"L{key.layer} H{key.index}"
        case K.ROW:
            return f"L{key.layer} H{key.index} row {key.source}"
        case K.NEURON | K.NEURON_KEY | K.GATE:
            kinds = {K.NEURON: "value", K.NEURON_KEY: "key", K.GATE: "gate"}
            return f"{neuron_name(key, graph)} {kinds[key.kind]}"
        case K.BIAS:
            return f"L{key.layer} {bias_name(key)}"
        case K.REST:
            return f"rest of {name(host(key), graph)}"
        case K.ELSEWHERE:
            return f"{name(host(key), graph)}, to other positions"
        case _:
            return f"L{key.layer} {sum_name(key, graph)}"


def host(key: PartKey) -> PartKey:
    """What a rest or elsewhere node hangs on."""
    return PartKey(key.of or key.kind, key.layer, key.index, key.source)


def state_name(layer: int, graph: InsideGraph) -> str:
    """The stream at this position, before a block or behind the last."""
    return "final" if layer == graph.model.layers else f"L{layer} pre"


def source_name(position: int, graph: InsideGraph) -> str:
    """A prompt token with its position."""
    return f"{token_at(graph, position)} at {position}"


def neuron_name(key: PartKey, graph: InsideGraph) -> str:
    """A neuron, with its expert where it has one."""
    expert = expert_of(NodeKey(NodeKind.NEURON, key.layer, 0, key.index), graph.model)
    return "L{} E{} N{}".format(key.layer, *expert) if expert else f"L{key.layer} N{key.index}"


def bias_name(key: PartKey) -> str:
    """The name of a bias as the model's weights have it."""
    return BIAS_NAMES[key.index] if key.index < len(BIAS_NAMES) else f"bias {key.index}"


def describe(key: PartKey, graph: InsideGraph) -> str:
    """What the part is, in one plain sentence or two."""
    here = source_name(graph.position, graph)
    match key.kind:
        case K.STATE:
            last = key.layer > graph.layers[1]
            side = f"behind block {key.layer - 1}" if last else f"before block {key.layer}"
            return f"The residual stream {side}, at {here}."
        case K.MID:
            return f"The residual stream between attention and MLP of block {key.layer}, at {here}."
        case K.MEMORY:
            return (
                f"The residual stream before block {key.layer} at another position, "
                f"{source_name(key.source, graph)}: keys and values are made of it."
            )
        case K.BIAS:
            words = BIAS_WORDS.get(bias_name(key), "a bias")
            return f"{words[0].upper()}{words[1:]} ({bias_name(key)}) of block {key.layer}."
        case K.REST:
            return f"What flows into {name(host(key), graph)} and is not drawn, kept as one sum."
        case K.ELSEWHERE:
            return f"What {name(host(key), graph)} gives to other positions than {here}."
        case _:
            return SENTENCES.get(key.kind) or _describe_component(key, graph)


def _describe_component(key: PartKey, graph: InsideGraph) -> str:
    head = f"head {key.index} of block {key.layer}"
    neuron = f"neuron {neuron_name(key, graph)}"
    source = source_name(key.source, graph)
    sentences = {
        K.HEAD_QUERY: f"The query of {head}: what it looks for.",
        K.KEY: f"The key of {head} at {source}: what finds it there.",
        K.VALUE: f"The value of {head} at {source}, times its attention weight, through W_O.",
        K.HEAD: f"What {head} writes here: the sum of its values.",
        K.ROW: f"Row {key.source} of W_O in {head}, times its entry of the heads' output: an "
        "“attention neuron”.",
        K.NEURON_KEY: f"The key of {neuron}: the column of FF1 that switches it.",
        K.GATE: f"The gate of {neuron}: the column that says how far it opens.",
        K.NEURON: f"The value of {neuron}: the row of FF2, times the neuron's activation.",
    }
    return sentences[key.kind]


def in_flow_graph(key: PartKey, graph: InsideGraph) -> NodeKey | None:
    """The node of the flow graph that it is, or is a part of; None where there is none."""
    at = graph.position
    match key.kind:
        case K.STATE if key.layer == graph.model.layers:
            return NodeKey(NodeKind.RESID_FINAL, key.layer, at)
        case K.STATE:
            return NodeKey(NodeKind.RESID_PRE, key.layer, at)
        case K.MEMORY:
            return NodeKey(NodeKind.RESID_PRE, key.layer, key.source)
        case K.MID:
            return NodeKey(NodeKind.RESID_MID, key.layer, at)
        case K.HEAD | K.HEAD_QUERY | K.KEY | K.VALUE | K.ROW:
            return NodeKey(NodeKind.HEAD, key.layer, at, key.index)
        case K.NEURON | K.NEURON_KEY | K.GATE:
            return NodeKey(NodeKind.NEURON, key.layer, at, key.index)
        case K.BIAS:
            return NodeKey(NodeKind.BIAS, key.layer, at, key.index)
        case _:
            return None
