"""Nodes and figures in words."""

from __future__ import annotations

import math

from flowviz.graph.types import (
    BIAS_NAMES,
    PARTS,
    FlowGraph,
    ModelShape,
    NodeKey,
    NodeKind,
    OpenedPlace,
    Target,
)
from flowviz.inside.types import InsideGraph
from flowviz.views.laws import flow_shown
from flowviz.views.tokens import visible

Picture = FlowGraph | InsideGraph
BIAS_WORDS = {
    "ln1": "the bias of the norm before attention",
    "b_V": "the bias of the values",
    "b_O": "the output bias of attention",
    "ln2": "the bias of the norm before the MLP",
    "b_in": "the input bias of the MLP",
    "b_out": "the output bias of the MLP",
    "ln_final": "the bias of the final norm",
    "b_U": "the bias of the unembedding",
    "ln_embed": "the bias of the norm after the embedding",
    "ln1_post": "the bias of the norm behind attention",
    "ln2_post": "the bias of the norm behind the MLP",
    "set_heads": "what the intervention put into the heads",
    "set_neurons": "what the intervention put into the neurons",
    "set_first": "what the intervention put into the embeddings",
    "set_mid": "what the intervention put into the stream behind attention",
    "set_post": "what the intervention put into the stream behind the MLP",
}
PUT_IN_WORDS = {
    "set_heads": "put into heads",
    "set_neurons": "put into neurons",
    "set_first": "put into embeddings",
    "set_mid": "put in behind attention",
    "set_post": "put in behind the MLP",
}
OF_NO_LAYER = frozenset({"ln_embed", "ln_final", "b_U"})
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
    NodeKind.ATTN_OUT: "L{layer} attention out",
    NodeKind.MLP_OUT: "L{layer} MLP out",
    NodeKind.FACTOR: "F{index}",
    NodeKind.OFFSET: "offset",
    NodeKind.ERROR: "error",
    NodeKind.TARGET: "target",
}


def token_at(graph: Picture, position: int) -> str:
    """The prompt's token at a position, made visible."""
    if 0 <= position < len(graph.tokens):
        return visible(graph.tokens[position].text)
    return "⟨none⟩"


def signed(value: float) -> str:
    """A flow: three significant digits, with its sign."""
    return f"{value + 0.0:+.3g}".replace("-", "−") if math.isfinite(value) else "not a number"


def percent(share: float) -> str:
    """A share of one with as many digits as tell something: 41%, 1.2%, 0.03%, <0.01%."""
    if not math.isfinite(share):
        return "not a number"
    value = abs(100 * share)
    if 0 < value < 0.01:
        return "<0.01%"
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 1 else 2
    return f"{100 * share + 0.0:.{digits}f}%".replace("-", "−")


def share_of_target(flow: float, graph: Picture) -> str:
    """A flow as a share of the target, or why there is none."""
    value = graph.target.value
    return f"{percent(flow / value)} of the target" if value else "the target is 0"


def bias_name(key: NodeKey) -> str:
    """The name of a bias as the model's weights have it."""
    return BIAS_NAMES[key.index] if key.index < len(BIAS_NAMES) else f"bias {key.index}"


def put_in(key: NodeKey) -> bool:
    """Whether a node is what an intervention put in, and not a bias of the model."""
    return key.kind is NodeKind.BIAS and bias_name(key) in PUT_IN_WORDS


def short_label(key: NodeKey, graph: FlowGraph) -> str:
    """The node in two or three words, such as "L3 H5 at 7"."""
    at = f" at {key.position}"
    if key.kind is NodeKind.REST:
        return "rest of " + short_label(key.cut(), graph)
    if key.kind is NodeKind.TARGET:
        return target_name(graph)
    if key.kind is NodeKind.EMBED:
        return f"{token_at(graph, key.position)}{at}"
    if key.part_of:
        return f"{stage(key)} of {short_label(key.whole(), graph)}"
    return place(key, graph.model) + ("" if key.kind is NodeKind.POS_EMBED else at)


def place(key: NodeKey, model: ModelShape) -> str:
    """Where in the model a node stands, without its position: "L3 H5", or "L3 E2 N17"."""
    if key.kind is NodeKind.REST:
        return "rest"
    if key.kind is NodeKind.BIAS:
        name = bias_name(key)
        words = PUT_IN_WORDS.get(name, name)
        return words if name in OF_NO_LAYER else f"L{key.layer} {words}"
    expert = expert_of(key, model)
    if expert is not None:
        return "L{} E{} N{}".format(key.layer, *expert)
    return stage(key)


def stage(key: NodeKey) -> str:
    """Where a hidden state stands, such as "L3 mid"."""
    return SHORT[key.kind].format(layer=key.layer, position=key.position, index=key.index)


def expert_of(key: NodeKey, model: ModelShape) -> tuple[int, int] | None:
    """Of a neuron in an expert: which expert, and which of its neurons."""
    if key.kind is not NodeKind.NEURON or key.layer >= len(model.expert_neurons):
        return None
    size = model.expert_neurons[key.layer]
    return divmod(key.index, size) if size else None


def describe(key: NodeKey, graph: FlowGraph) -> str:
    """What the node is, in one plain sentence or two."""
    where = f"position {key.position} ({token_at(graph, key.position)})"
    match key.kind:
        case NodeKind.HEAD:
            return f"Head {key.index} of layer {key.layer}, writing at {where}."
        case NodeKind.NEURON:
            return f"{_neuron(key, graph)} of layer {key.layer}, firing at {where}."
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
        case NodeKind.ATTN_OUT:
            return f"What the attention of layer {key.layer} adds to the stream, at {where}."
        case NodeKind.MLP_OUT:
            return f"What the MLP of layer {key.layer} adds to the stream, at {where}."
        case NodeKind.FACTOR | NodeKind.OFFSET | NodeKind.ERROR:
            return _describe_part(key, graph)
        case _:
            stage = STAGE[key.kind].format(layer=key.layer)
            return f"The hidden state {stage}, at {where}."


def _describe_part(key: NodeKey, graph: FlowGraph) -> str:
    whole = f" {describe(key.whole(), graph)}" if key.part_of else ""
    known = opened_place(key, graph)
    named = f" of the dictionary {known.dictionary}" if known else ""
    if key.kind is NodeKind.FACTOR:
        return f"Factor {key.index}{named}, a part of this node.{whole}"
    if key.kind is NodeKind.OFFSET:
        return f"The offset{named}, which is a part of every vector there.{whole}"
    return f"The error: what no factor{named} holds of this node.{whole}"


def opened_place(key: NodeKey, graph: FlowGraph) -> OpenedPlace | None:
    """How a node is opened, or the node that a part is of; None where it is not."""
    whole = key.whole() if key.part_of else key
    return next((place for place in graph.opened if place.key == whole), None)


def _neuron(key: NodeKey, graph: FlowGraph) -> str:
    expert = expert_of(key, graph.model)
    return "Expert {}, neuron {}".format(*expert) if expert else f"Neuron {key.index}"


def _describe_bias(key: NodeKey, where: str) -> str:
    name = bias_name(key)
    words = BIAS_WORDS.get(name, "a bias")
    layer = "" if name in OF_NO_LAYER else f" in layer {key.layer}"
    named = "" if put_in(key) else f" ({name})"
    return f"{words[0].upper()}{words[1:]}{named}{layer}, at {where}."


def target_name(graph: Picture) -> str:
    """The target's token, or both tokens: "␣Paris − ␣Rome"."""
    target = graph.target
    first = visible(target.token.token)
    return first if target.contrast is None else f"{first} − {visible(target.contrast.token)}"


def target_words(graph: Picture) -> str:
    """What is explained, with its value; both values where the model caps its logits."""
    target = graph.target
    after = f"after position {target.position} ({token_at(graph, target.position)})"
    token = visible(target.token.token)
    value = f"= {plain(target.value)}"
    if graph.model.logit_cap is not None:
        cap = f"{graph.model.logit_cap:g}"
        value += f" before the soft cap at {cap}, {plain(capped_value(target))} after it"
    if target.contrast is None:
        return f"logit of {token} {after} {value}"
    return f"logit of {token} minus that of {visible(target.contrast.token)} {after} {value}"


def plain(value: float) -> str:
    """Three significant digits, with a sign only where it is negative."""
    return signed(value).lstrip("+")


def capped_value(target: Target) -> float:
    """The target by the model's own logits, which are capped where it caps them."""
    return target.token.logit - (target.contrast.logit if target.contrast else 0.0)


def cap_words(graph: Picture) -> str | None:
    """What a soft cap is, where the model has one."""
    if graph.model.logit_cap is None:
        return None
    cap = f"{graph.model.logit_cap:g}"
    return (
        f"This model caps its logits softly: it turns each logit x into {cap} · tanh(x / {cap}), "
        f"so that none passes {cap}. The flow splits the logit before the cap, because only that "
        "is a sum of parts; probabilities come from the logits after it."
    )


def coverage_words(graph: FlowGraph) -> str:
    """How much of the whole is drawn."""
    if not flow_shown(graph):
        return "no flow is shown, only hidden states as tokens and the heads' attention"
    others = PARTS | {NodeKind.REST, NodeKind.TARGET}
    drawn = sum(node.key.kind not in others for node in graph.nodes)
    return (
        f"{drawn:,} of {graph.nodes_total:,} nodes hold {percent(graph.coverage)} "
        "of the influence; the rest is kept as rest nodes"
    )
