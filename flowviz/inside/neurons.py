"""The MLP of a block at one position: what each neuron reads, and what it writes.

With its gate (act(z)/z, or act(g) of a gated MLP) frozen, neuron n puts out

    post[n] = gate[n] * (signal[n] + what the norm's bias gives + b_in[n])

where signal[n] is the normed state times the neuron's column of W_in. So flow(neuron) = flow(its
key) = from the state + from the norm's bias + from b_in.
"""

from __future__ import annotations

from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.inside.place import Place
from flowviz.models.parts import exact


class NeuronsAt:
    """All neurons of one block at one position, before any is chosen."""

    def __init__(self, place: Place) -> None:
        self.place, self.mlp = place, place.block.mlp
        self.post: Float[Tensor, " d_mlp"] = place.trace.post[place.at]
        self.gate: Float[Tensor, " d_mlp"] = place.trace.gate[place.at]
        self._gradient = place.gradient.neurons[place.at]

    @cached_property
    def normed(self) -> Float[Tensor, " d_model"]:
        """The state that the MLP reads, through its norm, without the norm's bias."""
        at, trace = self.place.at, self.place.trace
        return self.mlp.norm.apply(trace.mlp_state[at], trace.ln2_scale[at])

    @cached_property
    def read(self) -> Float[Tensor, " d_model"]:
        """What the MLP reads."""
        bias = self.mlp.norm.bias
        return self.normed if bias is None else self.normed + exact(bias, self.normed)

    @cached_property
    def signal(self) -> Float[Tensor, " d_mlp"]:
        """Each neuron's linear input from the state alone."""
        return self.mlp.signal(self.normed)

    @cached_property
    def biases(self) -> Float[Tensor, "2 d_mlp"]:
        """What the norm's bias and b_in add to it."""
        return self.mlp.neuron_biases.to(self.post.device)

    @cached_property
    def inputs(self) -> Float[Tensor, " d_mlp"]:
        """Each neuron's linear input."""
        return self.signal + self.biases.sum(0)

    @cached_property
    def from_state(self) -> Float[Tensor, " d_mlp"]:
        """The flow of each neuron that comes from the state."""
        return self.signal * self.gate * self._gradient

    @cached_property
    def constants(self) -> Float[Tensor, "2 d_mlp"]:
        """The flow of each neuron that comes from the norm's bias and from b_in."""
        return self.biases * self.gate * self._gradient

    @cached_property
    def flows(self) -> Float[Tensor, " d_mlp"]:
        """The flow of each neuron."""
        return self.post * self._gradient

    @cached_property
    def lengths(self) -> Float[Tensor, " d_mlp"]:
        """The length of each neuron's row of W_out."""
        return exact(self.mlp.W_out, self.post).norm(dim=-1).flatten()

    def write(self, outputs: Float[Tensor, " d_mlp"]) -> Float[Tensor, " d_model"]:
        """What neurons with these outputs add to the MLP's output; silent experts are left out."""
        by_expert = outputs.unflatten(0, (self.mlp.experts, -1))
        total = torch.zeros_like(self.place.trace.resid_pre[0])
        for expert in by_expert.any(1).nonzero().flatten().tolist():
            weight = self.mlp.W_out[expert]
            total = total + by_expert[expert] @ exact(weight, outputs)
        return total

    @cached_property
    def written(self) -> Float[Tensor, " d_model"]:
        """What all neurons add to the MLP's output."""
        return self.write(self.post)

    def gates(self, neurons: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """The input of some neurons' gates, of a gated MLP."""
        inputs = self.mlp.opens(neurons).to(self.post.device) @ self.read
        bias = None if self.mlp.gate is None else self.mlp.gate.bias
        return inputs if bias is None else inputs + exact(bias, inputs)[neurons]
