"""Two scores beside the flow, because they answer another question.

*direct*: only the path node -> final norm -> logit (direct logit attribution, Elhage et al. 2021).
*gradient*: value times gradient with nothing frozen (attribution patching towards zero, Nanda
2023; Syed et al. 2023). It is not conserved, but it sees attention patterns change.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import BIAS_NAMES
from flowviz.models.architecture import hook_names
from flowviz.models.loaded import exact
from flowviz.values import NodeValues

_ROW = {name: row for row, name in enumerate(BIAS_NAMES)}


@torch.inference_mode()
def direct_scores(flow: Flow) -> NodeValues:
    """Direct logit attribution; zero for what stands at another position than the target's."""
    shape, p, trace = flow.model.shape, flow.positions, flow.trace
    values = NodeValues.zeros(shape.layers, p, shape.heads, shape.neurons)
    at, r = flow.target.position, flow.blocks[-1].r_post[-1]
    values.embed[-1] = trace.embed[at] @ r
    if trace.pos_embed is not None:
        values.pos_embed[-1] = trace.pos_embed[at] @ r
    values.resid_final[-1] = trace.resid_final[at] @ r
    for layer, (block, part) in enumerate(zip(flow.model.blocks, trace.blocks, strict=True)):
        values.resid_pre[layer, -1] = part.resid_pre[at] @ r
        values.resid_mid[layer, -1] = part.resid_mid[at] @ r
        values.heads[layer, -1] = (part.z[at] * (exact(block.W_O) @ r)).sum(-1)
        values.neurons[layer, -1] = part.post[at] * (exact(block.W_out) @ r)
        for name, bias in (("b_O", block.b_O), ("b_out", block.b_out)):
            if bias is not None:
                values.biases[_ROW[name], layer, -1] = exact(bias) @ r
    values.biases[:, -1] = flow.values.biases[:, -1]
    return values


def gradient_scores(flow: Flow) -> NodeValues:
    """Value times gradient for every node, from one forward and one backward pass."""
    parts = _values_and_gradients(flow)
    shape, p = flow.model.shape, flow.positions
    values = NodeValues.zeros(shape.layers, p, shape.heads, shape.neurons)
    for (name, layer), (value, gradient) in parts.items():
        product = (value * gradient)[0, :p]
        match name:
            case "embed" | "pos_embed" | "resid_final":
                getattr(values, name)[:] = product.sum(-1)
            case "resid_pre" | "resid_mid":
                getattr(values, name)[layer] = product.sum(-1)
            case "z":
                values.heads[layer] = product.sum(-1)
            case "post":
                values.neurons[layer] = product
    _add_biases(flow, {place: gradient[0, :p] for place, (_, gradient) in parts.items()}, values)
    return values


def _add_biases(flow: Flow, gradients: dict[tuple[str, int], Tensor], values: NodeValues) -> None:
    for layer, block in enumerate(flow.model.blocks):
        after = ("resid_final", -1) if layer + 1 == values.layers else ("resid_pre", layer + 1)
        inside = torch.einsum("phd,nhd->np", gradients["v", layer], block.value_biases)
        neuron = gradients["linear" if block.gated else "pre", layer] @ block.neuron_biases.T
        rows = {"ln1": inside[0], "b_V": inside[1], "ln2": neuron[:, 0], "b_in": neuron[:, 1]}
        if block.b_O is not None:
            rows["b_O"] = gradients["resid_mid", layer] @ exact(block.b_O)
        if block.b_out is not None:
            rows["b_out"] = gradients[after] @ exact(block.b_out)
        for name, row in rows.items():
            values.biases[_ROW[name], layer] = row
    values.biases[:, -1] = flow.values.biases[:, -1]


_NAMES = ("embed", "pos_embed", "resid_pre", "resid_mid", "resid_final", "z", "post", "v", "pre",
          "linear")  # fmt: skip


def _values_and_gradients(flow: Flow) -> dict[tuple[str, int], tuple[Tensor, Tensor]]:
    kept: dict[tuple[str, int], Tensor] = {}

    def keep(place: tuple[str, int]) -> Any:
        def hook(value: Tensor, hook: Any = None) -> Tensor:
            if place[0] in ("embed", "pos_embed"):
                value = value.detach().requires_grad_()
            kept[place] = value
            return value  # or no gradient reaches what is kept

        return hook

    model, target = flow.model, flow.target
    hooks = [(n, keep(place)) for n, place in hook_names(model).items() if place[0] in _NAMES]
    ids = torch.tensor([flow.trace.ids[: flow.positions]], device=model.device)
    with model.lock, torch.enable_grad():
        logits = model.bridge.run_with_hooks(ids, fwd_hooks=hooks, prepend_bos=False)[0, -1]
        aim = logits[target.token]
        if target.contrast is not None:
            aim = aim - logits[target.contrast]
        gradients = torch.autograd.grad(aim, list(kept.values()), allow_unused=True)
        model.forget_pass()
    return {
        place: (value.detach(), torch.zeros_like(value) if gradient is None else gradient)
        for (place, value), gradient in zip(kept.items(), gradients, strict=True)
    }
