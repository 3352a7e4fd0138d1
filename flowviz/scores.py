"""Two scores beside the flow, because they answer another question.

*direct*: only the path node -> final norm -> logit (direct logit attribution, Elhage et al. 2021).
*gradient*: value times gradient with nothing frozen (attribution patching towards zero, Nanda
2023; Syed et al. 2023). It is not conserved, but it sees attention patterns change.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow, factor, kept
from flowviz.graph.types import BIAS_NAMES
from flowviz.interventions.changes import Affine
from flowviz.interventions.hooks import hooks_of
from flowviz.models.block import Block
from flowviz.models.parts import Norm, exact
from flowviz.trace import BlockTrace
from flowviz.values import NodeValues

_ROW = {name: row for row, name in enumerate(BIAS_NAMES)}


@torch.inference_mode()
def direct_scores(flow: Flow) -> NodeValues:
    """Direct logit attribution; zero for what stands at another position than the target's."""
    shape, trace, at = flow.model.shape, flow.trace, flow.target.position
    values = NodeValues.of(shape, flow.positions, trace.resid_final)
    r = flow.blocks[-1].r_post[-1]
    values.resid_final[-1] = trace.resid_final[at] @ r
    for layer, part in reversed(list(enumerate(trace.blocks))):
        r = _direct_in_block(flow, layer, r, values)
        values.resid_pre[layer, -1] = part.resid_pre[at] @ r
    values.biases[_ROW["set_first"], 0, -1] = _put(trace.first, at, r)
    r = _before(trace.first, at, r)
    if flow.model.embed_bias is not None:
        bias = exact(flow.model.embed_bias, r) @ r
        values.biases[_ROW["ln_embed"], 0, -1] = bias * _factor(trace.blocks[0], "ln_embed", at)
    values.embed[-1] = trace.embed[at] @ r
    if trace.pos_embed is not None:
        values.pos_embed[-1] = trace.pos_embed[at] @ r
    values.biases[:, -1] = flow.values.biases[:, -1]
    return values


def _direct_in_block(flow: Flow, layer: int, r: Tensor, values: NodeValues) -> Tensor:
    """Reads a block's parts along r; returns r before the block, changed by norms on the stream."""
    block, part, at = flow.model.blocks[layer], flow.trace.blocks[layer], flow.target.position
    values.biases[_ROW["set_post"], layer, -1] = _put(part.after, at, r)
    r = _before(part.after, at, r)
    behind = _post_bias(block, block.mlp.post, r) * _factor(part, "ln2_post", at)
    values.biases[_ROW["ln2_post"], layer, -1] = behind
    r = block.before_norm(block.mlp.post, r, _at(part.ln2_post_scale, at))
    into = block.to_output(block.mlp.post, r, _at(part.ln2_post_scale, at))
    values.neurons[layer, -1, : part.post.shape[1]] = (
        part.post[at] * block.mlp.to_neurons(into[None])[0]
    )
    bias = block.mlp.written_bias(None if part.router is None else part.router[at, None])
    if bias is not None:
        written = exact(bias, into)[0] @ into
        values.biases[_ROW["b_out"], layer, -1] = written * _factor(part, "b_out", at)
    if part.resid_mid is not None:
        values.resid_mid[layer, -1] = part.resid_mid[at] @ r
        values.biases[_ROW["set_mid"], layer, -1] = _put(part.mid, at, r)
    r = _before(part.mid, at, r)
    behind = _post_bias(block, block.attention.post, r) * _factor(part, "ln1_post", at)
    values.biases[_ROW["ln1_post"], layer, -1] = behind
    r = block.before_norm(block.attention.post, r, _at(part.ln1_post_scale, at))
    into = block.to_output(block.attention.post, r, _at(part.ln1_post_scale, at))
    heads = block.attention.to_heads(into[None])[0]
    values.heads[layer, -1] = (part.z[at] * heads).sum(-1)
    if block.attention.b_O is not None:
        written = exact(block.attention.b_O, into) @ into
        values.biases[_ROW["b_O"], layer, -1] = written * _factor(part, "b_O", at)
    return r


def _put(change: Affine | None, at: int, r: Tensor) -> Tensor | float:
    return 0.0 if change is None else change.put[at].to(r) @ r


def _before(change: Affine | None, at: int, r: Tensor) -> Tensor:
    return r if change is None else r * change.factor[at].to(r)


def _factor(part: BlockTrace, bias: str, at: int) -> Tensor | float:
    factor = part.factor(bias)
    return factor[at, 0] if isinstance(factor, Tensor) else factor


def _at(scale: Tensor | None, position: int) -> Tensor | None:
    return None if scale is None else scale[position]


def _post_bias(block: Block, post: Norm, r: Tensor) -> Tensor | float:
    if post.bias is None:
        return 0.0
    return exact(post.bias, r) @ r * (1.0 if block.norms_stream else block.residual_scale)


def gradient_scores(flow: Flow) -> NodeValues:
    """Value times gradient for every node, from one forward and one backward pass.

    An expert's choice, weight and gates stay frozen: the bridge shows no neurons inside it.
    """
    return by_gradient(flow, gradients_of(flow))


@torch.inference_mode()
def by_gradient(flow: Flow, gradients: Gradients) -> NodeValues:
    """Every node's value, times the gradient at its place (`gradients_of`)."""
    trace, p = flow.trace, flow.positions
    values = NodeValues.of(flow.model.shape, p, trace.resid_final)
    values.embed[:] = _dot(trace.embed[:p], gradients["embed", -1])
    if trace.pos_embed is not None:
        values.pos_embed[:] = _dot(trace.pos_embed[:p], gradients["pos_embed", -1])
    if flow.model.embed_bias is not None:
        bias = exact(flow.model.embed_bias, trace.embed)
        bias = bias * factor(flow, "ln_embed", 0, trace.embed[:p])
        values.biases[_ROW["ln_embed"], 0] = _dot(gradients["embed", -1], bias)
    if trace.first is not None:
        put = trace.first.put[:p].to(trace.embed)
        values.biases[_ROW["set_first"], 0] = _dot(put, gradients["resid_pre", 0])
    values.resid_final[:] = _dot(trace.resid_final[:p], gradients["resid_final", -1])
    for layer, (block, part) in enumerate(zip(flow.model.blocks, trace.blocks, strict=True)):
        at = {name: gradient for (name, where), gradient in gradients.items() if where == layer}
        values.resid_pre[layer] = _dot(part.resid_pre[:p], at["resid_pre"])
        if part.resid_mid is not None:
            values.resid_mid[layer] = _dot(part.resid_mid[:p], at["resid_mid"])
        values.heads[layer] = _dot(part.z[:p], block.attention.to_heads(at["attn_out"]))
        neurons = block.mlp.to_neurons(at["mlp_out"])
        values.neurons[layer, :, : part.post.shape[1]] = part.post[:p] * neurons
        after = ("resid_final", -1) if layer + 1 == values.layers else ("resid_pre", layer + 1)
        rows = _bias_rows(block, part, at, neurons, gradients[after])
        rows |= _put_rows(block, part, at, neurons, gradients[after])
        for name, row in rows.items():
            values.biases[_ROW[name], layer] = row
    values.biases[:, -1] = flow.values.biases[:, -1]
    return values


def _bias_rows(
    block: Block, part: BlockTrace, at: dict[str, Tensor], neurons: Tensor, after: Tensor
) -> dict[str, Tensor]:
    attention, mlp, p = block.attention, block.mlp, after.shape[0]
    inside = torch.einsum("phd,nhd->np", at["v"], attention.value_biases.to(after.device))
    linear = at.get("linear" if mlp.gated else "pre")
    linear = part.gate[:p] * neurons if linear is None else linear
    neuron = linear @ mlp.neuron_biases.to(after.device).T
    rows = {"ln1": inside[0], "b_V": inside[1], "ln2": neuron[:, 0], "b_in": neuron[:, 1]}
    if attention.b_O is not None:
        rows["b_O"] = at["attn_out"] @ exact(attention.b_O, after) * _factors(part, "b_O", p)
    bias = mlp.written_bias(None if part.router is None else part.router[:p])
    if bias is not None:
        rows["b_out"] = _dot(at["mlp_out"], exact(bias, after)) * _factors(part, "b_out", p)
    behind = after if part.resid_mid is None else kept(part.mid, at["resid_mid"])
    scale = 1.0 if block.norms_stream else block.residual_scale
    for name, post, gradient in (
        ("ln1_post", attention.post, behind),
        ("ln2_post", mlp.post, kept(part.after, after)),
    ):
        if post.bias is not None:
            rows[name] = gradient @ exact(post.bias, after) * scale * _factors(part, name, p)
    return rows


def _factors(part: BlockTrace, bias: str, positions: int) -> Tensor | float:
    factor = part.factor(bias)
    return factor[:positions, 0] if isinstance(factor, Tensor) else factor


def _put_rows(
    block: Block, part: BlockTrace, at: dict[str, Tensor], neurons: Tensor, after: Tensor
) -> dict[str, Tensor]:
    """What interventions put in, times the gradient where they did."""
    rows, p = {}, len(after)
    if part.set_z is not None:
        heads = block.attention.to_heads(at["attn_out"])
        rows["set_heads"] = (part.set_z[:p].to(heads) * heads).sum((-1, -2))
    if part.set_post is not None:
        rows["set_neurons"] = _dot(part.set_post[:p].to(neurons), neurons)
    if part.mid is not None and part.resid_mid is not None:
        rows["set_mid"] = _dot(part.mid.put[:p].to(after), at["resid_mid"])
    if part.after is not None:
        rows["set_post"] = _dot(part.after.put[:p].to(after), after)
    return rows


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return (left * right).sum(-1)


Gradients = dict[tuple[str, int], Tensor]
_NAMES = ("embed", "pos_embed", "resid_pre", "resid_mid", "resid_final", "attn_out", "mlp_out",
          "v", "pre", "linear")  # fmt: skip


def gradients_of(flow: Flow, moved: Float[Tensor, "pos d_model"] | None = None) -> Gradients:
    """The gradient of the target, before a soft cap, at the places that are named.

    Args:
        moved: what is added to the tokens' embeddings first; None for the pass as it was.
    """
    kept: dict[tuple[str, int], Tensor] = {}

    def keep(place: tuple[str, int]) -> Any:
        def hook(value: Tensor, hook: Any = None) -> Tensor:
            if place[0] in ("embed", "pos_embed"):
                value = value.detach()
                if moved is not None and place[0] == "embed":
                    value = value + moved.view_as(value).to(value)
                value.requires_grad_()
            kept[place] = value
            return value  # or no gradient reaches what is kept

        return hook

    model, target = flow.model, flow.target
    wanted = (*_NAMES, "logits")
    hooks = [(name, keep(place)) for name, place in model.hooks.items() if place[0] in wanted]
    if flow.trace.changes is not None:
        hooks = [*hooks_of(flow.trace.changes.until(flow.positions)), *hooks]
    ids = torch.tensor([flow.trace.ids[: flow.positions]], device=model.device)
    with model.lock, torch.enable_grad():
        model.bridge.run_with_hooks(ids, fwd_hooks=hooks, prepend_bos=False)
        logits = kept.pop(("logits", -1))[0, -1].to(flow.direction.dtype)
        aim = logits[target.token]
        if target.contrast is not None:
            aim = aim - logits[target.contrast]
        found = torch.autograd.grad(aim * model.logit_scale, list(kept.values()), allow_unused=True)
        model.forget_pass()
    return {
        place: _first(torch.zeros_like(value) if gradient is None else gradient, flow)
        for (place, value), gradient in zip(kept.items(), found, strict=True)
    }


def _first(gradient: Tensor, flow: Flow) -> Tensor:
    gradient = gradient[0] if gradient.dim() > 2 else gradient
    return gradient.to(flow.direction)
