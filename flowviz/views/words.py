"""Nodes and figures in words."""

from __future__ import annotations

import math

from flowviz.graph.types import BIAS_NAMES, Checks, FlowGraph, NodeKey, NodeKind
from flowviz.views.tokens import visible

BIAS_WORDS = {
    "ln1": "the bias of the norm before attention",
    "b_V": "the bias of the values",
    "b_O": "the output bias of attention",
    "ln2": "the bias of the norm before the MLP",
    "b_in": "the input bias of the MLP",
    "b_out": "the output bias of the MLP",
    "ln_final": "the bias of the final norm",
    "b_U": "the bias of the unembedding",
}
AT_THE_END = frozenset({"ln_final", "b_U"})
STAGE = {
    NodeKind.RESID_PRE: "before block {layer}",
    NodeKind.RESID_MID: "in block {layer}, between attention and MLP",
    NodeKind.RESID_FINAL: "after the last block",
}
SHORT = {
    NodeKind.EMBED: "embedding",
    NodeKind.POS_EMBED: "position {position}",
    NodeKind.RESID_PRE: "L{layer} pre",
    NodeKind.RESID_MID: "L{layer} mid",
    NodeKind.RESID_FINAL: "final",
    NodeKind.HEAD: "L{layer} H{index}",
    NodeKind.NEURON: "L{layer} N{index}",
    NodeKind.TARGET: "target",
}


def token_at(graph: FlowGraph, position: int) -> str:
    """The prompt's token at a position, made visible."""
    if 0 <= position < len(graph.tokens):
        return visible(graph.tokens[position].text)
    return "⟨none⟩"


def signed(value: float) -> str:
    """A flow: three significant digits, with its sign."""
    return f"{value:+.3g}".replace("-", "−") if math.isfinite(value) else "not a number"


def percent(share: float) -> str:
    """A share of one with as many digits as tell something: 41%, 1.2%, 0.03%, <0.01%."""
    if not math.isfinite(share):
        return "not a number"
    value = abs(100 * share)
    if 0 < value < 0.01:
        return "<0.01%"
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 1 else 2
    return f"{100 * share:.{digits}f}%".replace("-", "−")


def share_of_target(flow: float, graph: FlowGraph) -> str:
    """A flow as a share of the target, or why there is none."""
    value = graph.target.value
    return f"{percent(flow / value)} of the target" if value else "the target is 0"


def bias_name(key: NodeKey) -> str:
    """The name of a bias as the model's weights have it."""
    return BIAS_NAMES[key.index] if key.index < len(BIAS_NAMES) else f"bias {key.index}"


def short_label(key: NodeKey, graph: FlowGraph) -> str:
    """The node in two or three words, such as "L3 H5 at 7"."""
    at = f" at {key.position}"
    if key.kind is NodeKind.REST:
        return "rest of " + short_label(key.cut(), graph)
    if key.kind is NodeKind.TARGET:
        return target_name(graph)
    if key.kind is NodeKind.EMBED:
        return f"{token_at(graph, key.position)}{at}"
    return place(key) + ("" if key.kind is NodeKind.POS_EMBED else at)


def place(key: NodeKey) -> str:
    """Where in the model a node stands, without its position, such as "L3 H5"."""
    if key.kind is NodeKind.REST:
        return "rest"
    if key.kind is NodeKind.BIAS:
        name = bias_name(key)
        return name if name in AT_THE_END else f"L{key.layer} {name}"
    return SHORT[key.kind].format(layer=key.layer, position=key.position, index=key.index)


def describe(key: NodeKey, graph: FlowGraph) -> str:
    """What the node is, in one plain sentence or two."""
    where = f"position {key.position} ({token_at(graph, key.position)})"
    match key.kind:
        case NodeKind.HEAD:
            return f"Head {key.index} of layer {key.layer}, writing at {where}."
        case NodeKind.NEURON:
            return f"Neuron {key.index} of layer {key.layer}, firing at {where}."
        case NodeKind.EMBED:
            return f"The embedding of the prompt's token at {where}."
        case NodeKind.POS_EMBED:
            return f"The position embedding of {where}."
        case NodeKind.BIAS:
            return _describe_bias(key, where)
        case NodeKind.REST:
            whole = describe(key.cut(), graph)
            return f"What flows into this node and is not drawn, kept as one sum. {whole}"
        case NodeKind.TARGET:
            return f"The target: {target_words(graph)}."
        case _:
            stage = STAGE[key.kind].format(layer=key.layer)
            return f"The hidden state {stage}, at {where}."


def _describe_bias(key: NodeKey, where: str) -> str:
    name = bias_name(key)
    words = BIAS_WORDS.get(name, "a bias")
    layer = "" if name in AT_THE_END else f" in layer {key.layer}"
    return f"{words[0].upper()}{words[1:]} ({name}){layer}, at {where}."


def target_name(graph: FlowGraph) -> str:
    """The target's token, or both tokens: "␣Paris − ␣Rome"."""
    target = graph.target
    first = visible(target.token.token)
    return first if target.contrast is None else f"{first} − {visible(target.contrast.token)}"


def target_words(graph: FlowGraph) -> str:
    """What is explained, with its value."""
    target = graph.target
    value = signed(target.value).lstrip("+")
    after = f"after position {target.position} ({token_at(graph, target.position)})"
    token = visible(target.token.token)
    if target.contrast is None:
        return f"logit of {token} {after} = {value}"
    return f"logit of {token} minus that of {visible(target.contrast.token)} {after} = {value}"


def exactness_words(checks: Checks) -> str:
    """Whether the run was exact, or which law failed and by how much."""
    laws = {
        "conservation at the nodes": checks.node_error,
        "the sum over every cut": checks.cut_error,
        "what the rest nodes make up": checks.rest_error,
        "the target against the model's own logits": checks.target_error,
        "the blocks' parts against their output": checks.block_error,
    }
    if checks.exact and all(map(math.isfinite, laws.values())):
        return f"Exact to {_small(max(laws.values()))} ({checks.dtype})"
    worst = max(laws, key=lambda law: laws[law] if math.isfinite(laws[law]) else math.inf)
    return (
        f"Not exact: {worst} is off by {_small(laws[worst])}, "
        f"more than {_small(checks.tolerance)} ({checks.dtype})"
    )


def coverage_words(graph: FlowGraph) -> str:
    """How much of the whole is drawn."""
    drawn = sum(node.key.kind not in (NodeKind.REST, NodeKind.TARGET) for node in graph.nodes)
    return (
        f"{drawn:,} of {graph.nodes_total:,} nodes hold {percent(graph.coverage)} "
        "of the influence; the rest is kept as rest nodes"
    )


def _small(error: float) -> str:
    if not math.isfinite(error):
        return "a number that is not finite"
    return f"{error:.1g}" if error >= 0.01 or error == 0 else f"{error:.0e}".replace("e-0", "e-")
