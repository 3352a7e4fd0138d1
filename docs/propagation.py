"""Rules of propagation: what a norm, an attention pattern and a gate let through backwards.

The target is carried back through a pass sublayer by sublayer, as the flow is, but every
nonlinearity is taken for a linear map of one's choice:

    norm      x / σ(x)     the share of σ's own derivative that is let through: 0 frozen, 1 whole
    pattern   A(x) V(x)    the same for A, and for V
    gate      act(z)       its ratio act(z)/z, its derivative, or half of both

Frozen throughout it is the flow, whole throughout the gradient; half a pattern and half its values
is the rule of AttnLRP (Achtibat et al. 2024). Whatever the rule, y - J x stays over where y(x) is
taken for J x; counted as a constant of that place, every rule keeps the sum (`Carried.constants`).

For models like GPT-2: sublayers one behind the other, without rotary positions or experts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.flow import Flow
from flowviz.models.block import Attention, Mlp
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact


class Gate(StrEnum):
    """How a neuron's activation is taken."""

    RATIO = "ratio"
    HALF = "half"
    DERIVATIVE = "derivative"


@dataclass(frozen=True)
class Rule:
    """What is let through, from 0 (frozen) to 1 (as the derivative has it).

    Args:
        final: for the final norm, where it is treated apart.
    """

    pattern: float = 0.0
    values: float = 1.0
    norm: float = 0.0
    gate: Gate = Gate.RATIO
    final: float | None = None


FROZEN = Rule()
WHOLE = Rule(pattern=1.0, norm=1.0, gate=Gate.DERIVATIVE)


@dataclass(frozen=True, eq=False)
class Carried:
    """The gradient under a rule: at the embeddings, at each head's z, at each neuron's output.

    Args:
        constants: what biases and the left-over of every nonlinearity hold of the target.
    """

    embed: Float[Tensor, "pos d_model"]
    heads: Float[Tensor, "layer pos head d_head"]
    neurons: Float[Tensor, "layer pos d_mlp"]
    constants: float = 0.0

    def __add__(self, other: Carried) -> Carried:
        return Carried(
            self.embed + other.embed,
            self.heads + other.heads,
            self.neurons + other.neurons,
            self.constants + other.constants,
        )

    def __rmul__(self, share: float) -> Carried:
        return Carried(
            share * self.embed, share * self.heads, share * self.neurons, share * self.constants
        )


def mean(shares: Sequence[tuple[float, Carried]]) -> Carried:
    """Several carried gradients by their shares: what each conserves, their mean conserves."""
    first, *others = (share * carried for share, carried in shares)
    return sum(others, first)


def carry(flow: Flow, rule: Rule, moved: Float[Tensor, "pos d_model"] | None = None) -> Carried:
    """Carries the target of a flow back by a rule.

    Args:
        moved: what is added to the embeddings first, so that the pass is another one.
    """
    model = flow.model
    pre, mid, last = _states(model, _embedded(flow, moved))
    final = rule.norm if rule.final is None else rule.final
    gradient = torch.zeros_like(last)
    gradient[-1] = flow.direction
    r, constants = _back(lambda x: _normed(model.ln_final, x, final), last, gradient)
    heads, neurons = [], []
    for block, before, between in reversed(list(zip(model.blocks, pre, mid, strict=True))):
        mlp, attention = block.mlp, block.attention
        constants += _held(mlp.written_bias(None), r)
        neurons.append(mlp.to_neurons(r))
        through, rest = _back(lambda x, m=mlp: _neurons(m, x, rule), between, neurons[-1])
        r, constants = r + through, constants + rest + _held(attention.b_O, r + through)
        heads.append(attention.to_heads(r))
        through, rest = _back(lambda x, a=attention: _heads(a, x, rule), before, heads[-1])
        r, constants = r + through, constants + rest
    return Carried(r, torch.stack(heads[::-1]), torch.stack(neurons[::-1]), constants)


def integrate(flow: Flow, rule: Rule, steps: int = 5, lowest: float = 0.0) -> Carried:
    """The mean over passes whose embeddings go from the prompt's mean embedding to their own.

    Args:
        lowest: the share of the way at which it begins.
    """
    embed = flow.trace.embed[: flow.positions]
    shares = [lowest + (1 - lowest) * (step + 0.5) / steps for step in range(steps)]
    away = embed - embed.mean(0)
    return mean([(1 / steps, carry(flow, rule, (share - 1) * away)) for share in shares])


def _embedded(flow: Flow, moved: Tensor | None) -> Tensor:
    trace, p = flow.trace, flow.positions
    embed = trace.embed[:p] if trace.pos_embed is None else trace.embed[:p] + trace.pos_embed[:p]
    return embed if moved is None else embed + moved


@torch.inference_mode()
def _states(model: LoadedModel, x: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """The stream before each block, between its sublayers, and at the end."""
    pre, mid = [], []
    for block in model.blocks:
        attention, mlp = block.attention, block.mlp
        pre.append(x)
        z = _heads(attention, x, FROZEN)
        x = x + torch.einsum("phd,hdm->pm", z, exact(attention.W_O)) + _bias(attention.b_O, x)
        mid.append(x)
        post = _neurons(mlp, x, FROZEN)
        x = x + post @ exact(mlp.W_out)[0] + _bias(mlp.written_bias(None), x)
    return pre, mid, x


def _bias(bias: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like[:1]) if bias is None else exact(bias, like).reshape(1, -1)


def _held(bias: Tensor | None, gradient: Tensor) -> float:
    return float((_bias(bias, gradient) * gradient).sum())


def _back(
    taken: Callable[[Tensor], Tensor], state: Tensor, gradient: Tensor
) -> tuple[Tensor, float]:
    """The gradient in front of what is taken, and what is left over there: (y - J x) · r."""
    with torch.inference_mode(False), torch.enable_grad():
        state, gradient = state.clone().requires_grad_(), gradient.clone()
        held = (taken(state) * gradient).sum()
        (before,) = torch.autograd.grad(held, state)
    return before, float(held.detach() - (before * state.detach()).sum())


def _let_through(value: Tensor, share: float) -> Tensor:
    """The same value, with a share of its derivative."""
    return share * value + (1 - share) * value.detach()


def _normed(norm: Norm, x: Tensor, share: float) -> Tensor:
    normed = norm.apply(x, _let_through(norm.scale_of(x), share))
    return normed if norm.bias is None else normed + exact(norm.bias, x)


def _heads(attention: Attention, x: Tensor, rule: Rule) -> Tensor:
    scoring, read = attention.scoring, _normed(attention.norm, x, rule.norm)
    if scoring is None:
        raise ValueError("queries and keys that cannot be read")
    queries, keys = scoring.queries.project(read), scoring.keys.project(read)
    scores = torch.einsum("qhd,khd->hqk", queries, keys) * scoring.scale
    later = torch.ones_like(scores[0]).triu(1).bool()
    pattern = scores.masked_fill(later, -math.inf).softmax(-1)
    values = torch.einsum("km,hmd->khd", read, exact(attention.W_V))
    values = values if attention.b_V is None else values + exact(attention.b_V)
    pattern, values = _let_through(pattern, rule.pattern), _let_through(values, rule.values)
    return torch.einsum("hqk,khd->qhd", pattern, values)


def _neurons(mlp: Mlp, x: Tensor, rule: Rule) -> Tensor:
    z = _normed(mlp.norm, x, rule.norm) @ exact(mlp.W_in)[0]
    z = z if mlp.b_in is None else z + exact(mlp.b_in)
    out = mlp.act(z)
    by_ratio = z * torch.where(z.abs() > 1e-6, out / z, torch.full_like(z, 0.5)).detach()
    share = {Gate.RATIO: 0.0, Gate.HALF: 0.5, Gate.DERIVATIVE: 1.0}[rule.gate]
    return share * out + (1 - share) * by_ratio
