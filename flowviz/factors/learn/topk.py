"""Learning a sparse autoencoder that keeps the k largest (Gao et al. 2024), with eai-sparsify.

    p = W (x - b) + c      a = the k largest of max(0, p)      x̂ = b + Σ_f a_f w_f,  |w_f| = 1
    loss = ‖x - x̂‖² / ‖x - mean‖² + AUXILIARY · (the same of what is left, by dead factors alone)

The library gives the network and its backward pass. The loop, the rate and the loss of dead factors
are ours: a factor is dead that was nobody's for `DEAD_AFTER` steps. (The library's own loss of dead
factors does not reach the encoder, in 1.3.3: its backward pass leaves out what comes back to p. So
no factor would come to life again.) Gradients along a decoder row are taken out, and rows brought
to length 1, as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear

from flowviz.factors.dictionary.encoders import Autoencoder
from flowviz.factors.kinds import Method
from flowviz.factors.learn.learner import Learned, fitting
from flowviz.factors.learn.settings import LearnSettings
from flowviz.factors.types import Measured

with redirect_stdout(StringIO()):  # it prints that it does without Triton
    from sparsify import SparseCoder, SparseCoderConfig

AUXILIARY = 1 / 32
DEAD_AFTER = 50  # steps
FALLS = 0.2  # the share of the steps, at the end, over which the rate falls to zero
MOMENTS = ("exp_avg", "exp_avg_sq")  # of Adam


class TopKLearner:
    """See `Learner`."""

    def __init__(self, settings: LearnSettings, width: int, device: str) -> None:
        self._settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            config = SparseCoderConfig(num_latents=settings.factors, k=settings.k)
            self._coder = SparseCoder(width, config).to(device)
        self._adam = torch.optim.Adam(self._coder.parameters(), lr=settings.rate)
        self._unused = torch.zeros(settings.factors, device=device)
        self._step = 0
        self._begin_moments()

    def learn(self, vectors: Float[Tensor, "batch width"]) -> Measured:
        """See `Learner`."""
        coder, given = self._coder, vectors.to(self._unused.device)
        for group in self._adam.param_groups:
            group["lr"] = self._rate()
        found = coder(given)
        (found.fvu + AUXILIARY * self._of_dead(given, found.sae_out)).backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        self._adam.step()
        self._adam.zero_grad()
        coder.set_decoder_norm_to_unit_norm()
        self._count(found.latent_indices, found.latent_acts)
        error = (given - found.sae_out.detach()).square().sum(1).mean()
        return Measured(
            self._step,
            float(error),
            1 - float(found.fvu.detach()),
            float((found.latent_acts > 0).sum(1).float().mean()),
            int((self._unused >= DEAD_AFTER).sum()),
        )

    def state(self) -> dict[str, Tensor]:
        """See `Learner`."""
        found = {"step": torch.tensor(self._step), "unused": self._unused}
        for name, weight in self._coder.named_parameters():
            found[name] = weight.detach()
            found |= {f"{name} {each}": self._adam.state[weight][each] for each in MOMENTS}
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """See `Learner`."""
        self._unused = fitting("unused", state, self._unused)
        self._step = int(state["step"])
        for name, weight in self._coder.named_parameters():
            weight.data = fitting(name, state, weight.data)
            own = self._adam.state[weight]
            own |= {each: fitting(f"{name} {each}", state, own[each]) for each in MOMENTS}
            own["step"] = torch.tensor(float(self._step))

    def learned(self, offset: Float[Tensor, " width"], scale: float) -> Learned:
        """See `Learner`."""
        state = {name: weight.detach().cpu() for name, weight in self._coder.named_parameters()}
        lengths = state["W_dec"].norm(dim=1)
        base = offset + scale * state["b_dec"]
        encoder = Autoencoder(
            Method.TOPK,
            (state["encoder.weight"] / scale).T.contiguous(),
            state["encoder.bias"],
            lengths * scale,
            base,
            k=self._settings.k,
        )
        return Learned(encoder, state["W_dec"] / lengths[:, None], base)

    def _of_dead(self, given: Tensor, rebuilt: Tensor) -> Tensor:
        """What the strongest of the dead factors leave of the error, as a share of the variance."""
        coder, dead = self._coder, torch.nonzero(self._unused >= DEAD_AFTER).flatten()
        if not len(dead) or coder.W_dec is None:
            return rebuilt.new_zeros(())
        error, centre = (given - rebuilt).detach(), coder.b_dec.detach()
        before = linear(given - centre, coder.encoder.weight[dead], coder.encoder.bias[dead])
        most = given.shape[1] // 2
        strongest = before.relu().topk(min(most, len(dead)), dim=1)
        active = torch.zeros_like(before).scatter(1, strongest.indices, strongest.values)
        left = (error - active @ coder.W_dec[dead]).square().sum()
        share = min(len(dead) / most, 1.0)
        return share * left / (given - given.mean(0)).square().sum()

    def _begin_moments(self) -> None:
        """Adam's state before its first step, so that there is always one to keep."""
        for weight in self._coder.parameters():
            zeros = {each: torch.zeros_like(weight) for each in MOMENTS}
            self._adam.state[weight] = {"step": torch.tensor(0.0), **zeros}

    def _rate(self) -> float:
        left = (self._settings.steps - self._step) / (FALLS * self._settings.steps)
        return self._settings.rate * min(1.0, left)

    def _count(self, factors: Tensor, activations: Tensor) -> None:
        self._step += 1
        self._unused += 1
        self._unused[factors[activations > 0]] = 0
