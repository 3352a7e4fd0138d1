"""Mixtures of experts: all experts of a block as one MLP, their neurons one after the other.

The router's weights are frozen with the rest: at each position the neurons of an expert that was
not chosen are silent, and those of a chosen one are multiplied with its weight,

    post = w * act(g) * u        g, u: the gate and the linear branch of the neuron's own expert.

Sources: Shazeer et al. 2017; Jiang et al. 2024 (Mixtral). GPT-OSS (OpenAI 2025) clamps both
branches and adds one to u: that one joins `b_in`, and a clamp is a frozen factor like a gate.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.models.block import Firing, Gate, Mlp, Router
from flowviz.models.parts import Norm, Weights, exact


def expert_mlp(module: Any, norm: Norm, post: Norm) -> Mlp:
    """The experts of a Hugging Face block (`experts`, and `gate` or `router`) as one MLP."""
    experts = _inner(module.experts)
    router = Experts(experts, _inner(getattr(module, "gate", None) or module.router))
    bias = getattr(experts, "down_proj_bias", None)
    return Mlp(
        norm=norm,
        weights=Weights(lambda: router.W_in, lambda: router.W_out),
        b_in=router.b_in,
        b_out=None if bias is None else bias.detach(),
        act=router.act,
        gated=True,
        post=post,
        router=router,
        gate=Gate(
            lambda: router.W_gate, None if router.b_gate is None else router.b_gate.flatten()
        ),
    )


def _inner(module: Any) -> Any:
    """The module that a bridge may stand around."""
    inner = getattr(module, "original_component", None)
    return module if inner is None else _inner(inner)


class Experts(Router):
    """The stacked weights of all experts, and which of them answer at which position.

    Args:
        experts: holds `gate_up_proj` and `down_proj`, each for all experts.
        choose: input → (logits, weights of the chosen, indices of the chosen).
    """

    def __init__(self, experts: Any, choose: Any) -> None:
        self._choose = choose
        self._clamps = hasattr(experts, "alpha") and hasattr(experts, "limit")
        self._alpha = float(getattr(experts, "alpha", 1))
        self._limit = float(getattr(experts, "limit", torch.inf))
        both, down = experts.gate_up_proj.detach(), experts.down_proj.detach()
        transposed = getattr(experts, "is_transposed", False)
        self._both = both if transposed else both.transpose(1, 2)  # expert d_model 2*d_expert
        self.W_out = down if transposed else down.transpose(1, 2)
        self._interleaved = not getattr(experts, "is_concatenated", True)
        self.W_gate, self.W_in = self._branches(self._both)
        self.b_gate = self.b_in = None
        if hasattr(experts, "gate_up_proj_bias"):
            self.b_gate, b_up = self._branches(experts.gate_up_proj_bias.detach())
            self.b_in = (b_up + 1 if self._clamps else b_up).flatten()
        self.act = self._swish if self._clamps else experts.act_fn

    def _branches(self, both: Tensor) -> tuple[Tensor, Tensor]:
        if self._interleaved:
            return both[..., ::2], both[..., 1::2]
        gate, up = both.chunk(2, dim=-1)
        return gate, up

    def _swish(self, gate: Tensor) -> Tensor:
        gate = gate.clamp(max=self._limit)
        return gate * torch.sigmoid(gate * self._alpha)

    def fire(self, inputs: Float[Tensor, "pos d_model"]) -> Firing:
        """What every neuron does on this input; one product for each expert that was chosen."""
        _, weights, chosen = self._choose(inputs.to(self.W_in))
        size, count = self.W_in.shape[2], self.W_in.shape[0]
        router = torch.zeros(inputs.shape[0], count, dtype=inputs.dtype, device=inputs.device)
        router.scatter_(1, chosen.to(inputs.device), weights.to(inputs))
        gate = torch.zeros(inputs.shape[0], count, size, dtype=inputs.dtype, device=inputs.device)
        post = torch.zeros_like(gate)
        for expert in router.any(0).nonzero().flatten().tolist():
            at = router[:, expert].nonzero().flatten()
            factor, signal = self._one(expert, inputs[at])
            gate[at, expert] = factor * router[at, expert, None]
            post[at, expert] = gate[at, expert] * signal
        return Firing(gate.flatten(1), post.flatten(1), router)

    def _one(self, expert: int, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The frozen factor of each neuron of one expert, and its linear input."""
        gate = inputs @ exact(self.W_gate[expert], inputs)
        signal = inputs @ exact(self.W_in[expert], inputs)
        if self.b_gate is not None and self.b_in is not None:
            gate = gate + exact(self.b_gate[expert], inputs)
            signal = signal + exact(self.b_in.unflatten(0, (-1, signal.shape[1]))[expert], inputs)
        factor = self.act(gate)
        if not self._clamps:
            return factor, signal
        up = signal - 1
        clamped = (up.clamp(-self._limit, self._limit) + 1) / signal
        return torch.where(up.abs() > self._limit, factor * clamped, factor), signal
