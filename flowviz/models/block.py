"""One transformer block, the same for every architecture. It is one of

    sequential    mid = pre + post1(attention(ln1(pre)))     after = mid + post2(MLP(ln2(mid)))
    parallel      after = pre + attention(ln1(pre)) + MLP(ln2(pre))
    post-norm     mid = post1(pre + attention(pre))          after = post2(mid + MLP(mid))

where any norm may be absent, and what is added may be multiplied with a residual scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.models.parts import Norm, Weights, exact
from flowviz.models.scoring import Scoring


@dataclass(frozen=True, eq=False)
class Attention:
    """The attention of one block: what its values and outputs are made with.

    Args:
        norm: what it reads the stream through.
        weights: W_V and W_O.
        post: the norm behind it.
        scoring: its queries and keys; None where they cannot be read.
    """

    norm: Norm
    weights: Weights
    b_V: Float[Tensor, "kv_head d_head"] | None
    b_O: Float[Tensor, " d_model"] | None
    post: Norm = field(default_factory=Norm)
    scoring: Scoring | None = None

    @property
    def W_V(self) -> Float[Tensor, "kv_head d_model d_head"]:  # noqa: N802
        """From what is read to the values."""
        return self.weights.into()

    @property
    def W_O(self) -> Float[Tensor, "head d_head d_model"]:  # noqa: N802
        """From the heads' z to what they write."""
        return self.weights.out()

    @property
    def heads(self) -> int:
        """How many heads there are."""
        return self.weights.out_shape[0]

    @property
    def value_heads(self) -> int:
        """How many heads have values of their own."""
        return self.weights.in_shape[0]

    @property
    def d_head(self) -> int:
        """The width of a head."""
        return self.weights.out_shape[1]

    @property
    def queries_per_value(self) -> int:
        """How many heads share one value head (grouped-query attention); 1 without it."""
        return self.heads // self.value_heads

    @cached_property
    def value_biases(self) -> Float[Tensor, "2 kv_head d_head"]:
        """What the norm's bias and b_V add to every value."""
        weight, bias = exact(self.W_V), self.norm.bias
        none = torch.zeros_like(weight[:, 0])
        through = none if bias is None else torch.einsum("d,kdh->kh", exact(bias), weight)
        return torch.stack([through, none if self.b_V is None else exact(self.b_V)])

    def to_heads(self, output: Float[Tensor, "pos d_model"]) -> Float[Tensor, "pos head d_head"]:
        """The gradient at each head's z, from that at the sum of their outputs."""
        heads = output @ exact(self.W_O, output).flatten(0, 1).T
        return heads.unflatten(-1, (self.heads, self.d_head))

    def to_input(self, values: Float[Tensor, "pos kv_head d_head"]) -> Float[Tensor, "pos d_model"]:
        """The gradient at what it reads, from that at its values."""
        return values.flatten(1) @ exact(self.W_V, values).transpose(1, 2).flatten(0, 1)


class Firing(NamedTuple):
    """What the neurons of a block did.

    Args:
        gate: the frozen factor of each: act(z)/z, or act(g) for a gated MLP, times the router's.
        post: the output of each.
        router: for experts, the weight of each; zero where it was not chosen.
    """

    gate: Float[Tensor, "pos d_mlp"]
    post: Float[Tensor, "pos d_mlp"]
    router: Float[Tensor, "pos expert"] | None = None


@runtime_checkable
class Router(Protocol):
    """Chooses experts by the input that the MLP reads, and runs them."""

    def fire(self, inputs: Float[Tensor, "pos d_model"]) -> Firing:
        """What every neuron does on this input."""
        ...


class Gate(NamedTuple):
    """The branch of a gated MLP that decides how far each neuron opens, act(x @ weight + bias).

    Args:
        weight: reads [expert d_model d_expert].
    """

    weight: Callable[[], Tensor]
    bias: Float[Tensor, " d_mlp"] | None


@dataclass(frozen=True, eq=False)
class Mlp:
    """The MLP of one block: neurons, in one expert or in several.

    `W_in` is what carries the signal: for a gated MLP the linear branch. The gate's own weights
    are not needed for the flow, once its value is frozen. Neuron i belongs to expert i // d_expert.

    Args:
        norm: what it reads the stream through.
        weights: W_in and W_out.
        b_in: what is added to each neuron's linear input.
        act: the activation function.
        post: the norm behind it.
        router: chooses experts and runs them; None where there are none.
        gate: the weights of the gate, to be read as tokens; None where there is none.
    """

    norm: Norm
    weights: Weights
    b_in: Float[Tensor, " d_mlp"] | None
    b_out: Float[Tensor, "expert d_model"] | None
    act: Callable[[Tensor], Tensor]
    gated: bool
    post: Norm = field(default_factory=Norm)
    router: Router | None = None
    gate: Gate | None = None

    @property
    def neurons(self) -> int:
        """How many neurons all experts have together."""
        return self.experts * self.d_expert

    @property
    def experts(self) -> int:
        """How many experts there are; 1 for a plain MLP."""
        return self.weights.out_shape[0]

    @property
    def d_expert(self) -> int:
        """How many neurons one expert has."""
        return self.weights.out_shape[1]

    @property
    def W_in(self) -> Float[Tensor, "expert d_model d_expert"]:  # noqa: N802
        """From what is read to the neurons."""
        return self.weights.into()

    @property
    def W_out(self) -> Float[Tensor, "expert d_expert d_model"]:  # noqa: N802
        """From the neurons to what they write."""
        return self.weights.out()

    @cached_property
    def neuron_biases(self) -> Float[Tensor, "2 d_mlp"]:
        """What the norm's bias and b_in add to every neuron's (linear) input."""
        none = torch.zeros(
            self.neurons, device=self.W_in.device, dtype=exact(self.W_in[0, 0]).dtype
        )
        bias = self.norm.bias
        through = none if bias is None else self.signal(exact(bias))
        return torch.stack([through, none if self.b_in is None else exact(self.b_in)])

    def signal(self, vector: Float[Tensor, " d_model"]) -> Float[Tensor, " d_mlp"]:
        """The linear input that a vector gives to every neuron."""
        return torch.matmul(vector, exact(self.W_in, vector)).flatten()

    def outputs_of(self, read: Float[Tensor, " d_model"]) -> Float[Tensor, " d_mlp"]:
        """What every neuron gives when the MLP reads this vector, behind its norm."""
        if self.router is not None:
            return self.router.fire(read[None]).post[0]
        signal = self.signal(read)
        if self.b_in is not None:
            signal = signal + exact(self.b_in, read)
        if self.gate is None:
            return self.act(signal)
        opens = torch.matmul(read, exact(self.gate.weight(), read)).flatten()
        if self.gate.bias is not None:
            opens = opens + exact(self.gate.bias, read)
        return self.act(opens) * signal

    def outputs_behind_norm(self, state: Float[Tensor, " d_model"]) -> Float[Tensor, " d_mlp"]:
        """What every neuron gives when this state stands before the MLP's norm."""
        read = self.norm.apply(state, self.norm.scale_of(state))
        return self.outputs_of(
            read if self.norm.bias is None else read + exact(self.norm.bias, read)
        )

    def to_neurons(self, output: Float[Tensor, "pos d_model"]) -> Float[Tensor, "pos d_mlp"]:
        """The gradient at each neuron's output, from that at the sum of what they write."""
        return _by_position(torch.matmul(output, exact(self.W_out, output).transpose(1, 2)))

    def to_input(self, inputs: Float[Tensor, "pos d_mlp"]) -> Float[Tensor, "pos d_model"]:
        """The gradient at what it reads, from that at each neuron's linear input."""
        by_expert = inputs.unflatten(-1, (self.experts, -1)).transpose(0, 1)
        return torch.matmul(by_expert, exact(self.W_in, inputs).transpose(1, 2)).sum(0)

    def reads(self, neurons: Int[Tensor, " n"]) -> Float[Tensor, "n d_model"]:
        """The input directions of some neurons."""
        return self._columns(self.W_in, neurons)

    def opens(self, neurons: Int[Tensor, " n"]) -> Float[Tensor, "n d_model"]:
        """The directions by which the gates of some neurons open; of a gated MLP alone."""
        if self.gate is None:
            raise ValueError("an MLP without a gate")
        return self._columns(self.gate.weight(), neurons)

    def _columns(self, weight: Tensor, neurons: Tensor) -> Tensor:
        expert, place = self._places(neurons)
        return exact(weight[expert.to(weight.device), :, place.to(weight.device)])

    def writes(self, neurons: Int[Tensor, " n"]) -> Float[Tensor, "n d_model"]:
        """The output directions of some neurons."""
        expert, place = self._places(neurons)
        weight = self.W_out
        return exact(weight[expert.to(weight.device), place.to(weight.device)])

    def _places(self, neurons: Tensor) -> tuple[Tensor, Tensor]:
        return neurons.div(self.d_expert, rounding_mode="floor"), neurons % self.d_expert

    def written(self, firing: Firing) -> Float[Tensor, "pos d_model"]:
        """What the neurons write together with their bias, from what each gives."""
        by_expert = firing.post.unflatten(-1, (self.experts, -1)).transpose(0, 1)
        written = torch.matmul(by_expert, exact(self.W_out, by_expert)).sum(0)
        bias = self.written_bias(firing.router)
        return written if bias is None else written + bias

    def written_bias(
        self, router: Float[Tensor, "pos expert"] | None
    ) -> Float[Tensor, "places d_model"] | None:
        """The output bias at each position; one row for all where no router weighs it."""
        if self.b_out is None:
            return None
        return exact(self.b_out) if router is None else router @ exact(self.b_out, router)


def _by_position(values: Tensor) -> Tensor:
    """expert pos d_expert → pos d_mlp."""
    return values.transpose(0, 1).flatten(1)


@dataclass(frozen=True, eq=False)
class Block:
    """One block; see the head of this module.

    Args:
        parallel: both read the state before the block.
        residual_scale: what the output of each is multiplied with.
        norms_stream: the norms behind them act on the sum, and not on what is added to it.
    """

    attention: Attention
    mlp: Mlp
    parallel: bool = False
    residual_scale: float = 1.0
    norms_stream: bool = False

    def onto_stream(
        self,
        post: Norm,
        output: Float[Tensor, "... d_model"],
        scale: Float[Tensor, "... 1"] | None,
    ) -> Float[Tensor, "... d_model"]:
        """What a part of a sublayer's output becomes in the stream, its biases left aside."""
        if scale is not None and not self.norms_stream:
            output = post.apply(output, scale)
        return output if self.residual_scale == 1 else output * self.residual_scale

    def to_output(
        self,
        post: Norm,
        gradient: Float[Tensor, "... d_model"],
        scale: Float[Tensor, "... 1"] | None,
    ) -> Float[Tensor, "... d_model"]:
        """The gradient at a sublayer's output, from that at the sum it is added to."""
        if self.residual_scale != 1:
            gradient = gradient * self.residual_scale
        if scale is None or self.norms_stream:
            return gradient
        return post.back(gradient, scale)

    def before_norm(
        self,
        post: Norm,
        gradient: Float[Tensor, "... d_model"],
        scale: Float[Tensor, "... 1"] | None,
    ) -> Float[Tensor, "... d_model"]:
        """The gradient at the sum that a norm on the stream reads; the same where there is none."""
        return gradient if scale is None or not self.norms_stream else post.back(gradient, scale)
