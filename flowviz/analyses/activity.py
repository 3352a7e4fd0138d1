"""How often each neuron of a layer is among its most active, counted prompt by prompt."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

ROUNDING = 1e-9


class Activity:
    """The counts of one layer, on the processor.

    Args:
        neurons: how many neurons the layer has.
        n: how many of them count as active on a prompt; all where it has fewer.
    """

    def __init__(self, neurons: int, n: int) -> None:
        self.n, self.prompts = min(n, neurons), 0
        self.count = torch.zeros(neurons, dtype=torch.long, device="cpu")
        self.example = torch.zeros(neurons, dtype=torch.long, device="cpu")
        self._where_active, self._everywhere, self._peak = torch.zeros(
            3, neurons, dtype=torch.float64, device="cpu"
        )

    def take(self, post: Float[Tensor, " d_mlp"], number: int) -> None:
        """One prompt: the output of every neuron at the position that is looked at.

        Args:
            number: the prompt's, kept as the example of the neurons that never were more active.
        """
        post = post.cpu().double()
        strength = post.abs()
        active = torch.zeros_like(self.count, dtype=torch.bool)
        active[strength.topk(self.n).indices] = True
        active &= strength > 0
        stronger = active & (strength > self._peak)
        self.prompts += 1
        self.count += active
        self._everywhere += post
        self._where_active += post * active
        self._peak = torch.where(stronger, strength, self._peak)
        self.example[stronger] = number

    @property
    def share(self) -> Float[Tensor, " d_mlp"]:
        """On which share of the prompts each is active."""
        return self.count / self.prompts

    @property
    def mean(self) -> Float[Tensor, " d_mlp"]:
        """The mean activation of each where it is active; zero for those that never are."""
        return self._where_active / self.count.clamp(min=1)

    @property
    def sign(self) -> Float[Tensor, " d_mlp"]:
        """The sign of each one's mean activation over all prompts; 1 where it is zero."""
        return torch.where(self._everywhere < 0, -1.0, 1.0)

    def reaching(self, share: float) -> Bool[Tensor, " d_mlp"]:
        """Which are active on at least this share of the prompts."""
        return self.count >= share * self.prompts - ROUNDING

    def always(self, share: float) -> Int[Tensor, " n"]:
        """Their indices."""
        return self.reaching(share).nonzero().flatten()
