"""Muon for the blocks' matrices, AdamW for embeddings, norms and biases.

Muon (Jordan et al. 2024) replaces a matrix's momentum by the nearest semi-orthogonal matrix, found
by five Newton-Schulz steps X <- aX + (bA + cA²)X with A = XXᵀ. The update is scaled by
0.2·sqrt(longer side) so that its size is that of AdamW's and one learning rate serves both
(Liu et al. 2025). GPT-2's fused q, k, v matrix is three matrices here. Matrices of one shape are
worked on together.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

_STEPS = (3.4445, -4.7750, 2.0315)


def orthogonalise(update: Float[Tensor, "n rows cols"]) -> Float[Tensor, "n rows cols"]:
    """Five Newton-Schulz steps on matrices that are at least as wide as high."""
    a, b, c = _STEPS
    x = update / (update.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x


class Muon:
    """Both optimisers, as one. ``state_dict`` holds all that a resumed run needs."""

    def __init__(self, model: nn.Module, decay: float = 0.05, momentum: float = 0.95) -> None:
        self.matrices = [p for n, p in model.named_parameters() if _in_block(n) and p.ndim == 2]
        known = {id(p) for p in self.matrices}
        others = [p for p in model.parameters() if id(p) not in known]
        self.adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0)
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.decay, self.momentum = decay, momentum

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One update of every parameter at this learning rate; gradients are cleared."""
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self.adam.zero_grad()
        updates = [self._nesterov(p, m) for p, m in zip(self.matrices, self.momenta, strict=True)]
        for p, update in zip(self.matrices, _together(updates), strict=True):
            p.mul_(1 - rate * self.decay).add_(update, alpha=-rate)
            p.grad = None

    def _nesterov(self, parameter: Tensor, momentum: Tensor) -> Tensor:
        gradient = parameter.grad
        assert gradient is not None, "a step follows a backward pass"
        momentum.lerp_(gradient, 1 - self.momentum)
        return gradient.lerp(momentum, self.momentum)

    def state_dict(self) -> dict:
        """What a resumed run needs."""
        return {"adam": self.adam.state_dict(), "momenta": self.momenta}

    def load_state_dict(self, state: dict) -> None:
        """Go on from such a state."""
        self.adam.load_state_dict(state["adam"])
        self.momenta = list(state["momenta"])


def _in_block(name: str) -> bool:
    """Is it a block's parameter, as GPT-2 (`h`) or BERT (`layer`) names them?"""
    return ".h." in name or ".layer." in name


def _together(updates: list[Tensor]) -> list[Tensor]:
    """Orthogonalise all updates, a batch for each shape."""
    parts = [part for update in updates for part in _parts(update)]
    wide = [part.T if part.shape[0] > part.shape[1] else part for part in parts]
    done: dict[int, Tensor] = {}
    for shape in {part.shape for part in wide}:
        members = [i for i, part in enumerate(wide) if part.shape == shape]
        whole = orthogonalise(torch.stack([wide[i] for i in members]))
        for i, result in zip(members, whole * 0.2 * max(shape) ** 0.5, strict=True):
            done[i] = result.T if parts[i].shape[0] > parts[i].shape[1] else result
    results = iter(done[i] for i in range(len(parts)))
    return [torch.cat([next(results) for _ in _parts(update)], dim=1) for update in updates]


def _parts(update: Tensor) -> tuple[Tensor, ...]:
    rows, cols = update.shape
    return update.split(rows, dim=1) if cols == 3 * rows else (update,)
