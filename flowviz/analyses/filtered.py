"""What one norm does to the tokens of many vectors, and to those of random ones; see `norms.py`."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.analyses.top import logits_of, rows_at_once, shared, state_logits
from flowviz.analyses.types import RankedToken, TokenChange
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact

PARTS = 8  # of what is held at once one is for logits: beside them stand probabilities, twice


class Pair(NamedTuple):
    """Vectors before and behind a norm.

    Args:
        figures: of each I_k, total variation distance, and change of entropy in bits.
    """

    before: Float[Tensor, "n d_vocab"]
    after: Float[Tensor, "n d_vocab"]
    figures: Float[Tensor, "n 3"]


class Filtered:
    """Sums over the vectors that one norm reads, on the processor and in double precision.

    Args:
        final: whether it is the final norm, behind which only the unembedding stands.
        random: where the random vectors come from.
    """

    def __init__(
        self, model: LoadedModel, norm: Norm, final: bool, k: int, random: torch.Generator
    ) -> None:
        self.model, self.norm, self.final, self.k, self.random = model, norm, final, k, random
        self.count = self.controls = 0
        self.sums = torch.zeros(4, model.shape.vocabulary, dtype=torch.float64, device="cpu")
        self.means = torch.zeros(2, 3, dtype=torch.float64, device="cpu")

    def take(self, vectors: Float[Tensor, "n d_model"], draws: int) -> None:
        """Vectors that the norm reads, and so many random ones beside each."""
        for some in vectors.split(max(rows_at_once(self.model) // PARTS, 1)):
            own = self._pair(some)
            changes = []
            for _ in range(draws):
                random = self._pair(self._like(some))
                changes.append(random.after - random.before)
                self.means[1] += _total(random.figures)
            self.means[0] += _total(own.figures)
            self.count, self.controls = self.count + len(some), self.controls + len(some) * draws
            control = torch.stack(changes)
            parts = (own.before, own.after, control.mean(0), control.var(0, correction=1))
            self.sums += torch.stack([_total(part) for part in parts])

    def _like(self, vectors: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_model"]:
        """Gaussian vectors, centred where the norm centres, as long as what it keeps of these."""
        kept = self._centred(vectors)
        drawn = torch.randn(vectors.shape, generator=self.random, device="cpu").to(vectors)
        drawn = self._centred(drawn)
        return drawn * (kept.norm(dim=-1, keepdim=True) / drawn.norm(dim=-1, keepdim=True))

    def _centred(self, vectors: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_model"]:
        return vectors - vectors.mean(-1, keepdim=True) if self.norm.centred else vectors

    def _pair(self, vectors: Float[Tensor, "n d_model"]) -> Pair:
        norm, scale = self.norm, self.norm.scale_of(vectors)
        behind = norm.apply(vectors, scale)
        behind = behind if norm.bias is None else behind + exact(norm.bias, behind)
        before, after = self._logits(self._centred(vectors) / scale), self._logits(behind)
        tops = (logits.topk(self.k).indices for logits in (before, after))
        common = shared(*tops)
        (before, bits_before), (after, bits_after) = _softmax(before), _softmax(after)
        shift = (after - before).abs().sum(-1) / 2
        figures = (common, shift.cpu().double(), (bits_after - bits_before).cpu().double())
        return Pair(before, after, torch.stack(figures, -1))

    def _logits(self, vectors: Float[Tensor, "n d_model"]) -> Float[Tensor, "n d_vocab"]:
        if self.final:
            return torch.cat(list(logits_of(self.model, vectors, states=True)))
        return torch.cat(list(state_logits(self.model, vectors)))

    def figures(self, k: int) -> dict[str, Any]:
        """The fields of a `NormFilter`, as means over the vectors."""
        before, after, control, variance = self.sums / max(self.count, 1)
        spread = (variance / max(self.count, 1)).sqrt()
        own, random = self.means[0] / max(self.count, 1), self.means[1] / max(self.controls, 1)
        text = self.model.vocabulary.text

        def changes(sign: int) -> tuple[TokenChange, ...]:
            change = after - before
            best = (change * sign).topk(k)
            ids = best.indices[best.values > 0]
            columns = (before, after, change, control, spread)
            rows = zip(ids.tolist(), *(column[ids].tolist() for column in columns), strict=True)
            return tuple(TokenChange(i, text(i), *numbers) for i, *numbers in rows)

        def ranked(mean: Tensor) -> tuple[RankedToken, ...]:
            best = mean.topk(k)
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            return tuple(RankedToken(i, text(i), p) for i, p in pairs)

        names = ("overlap", "shift", "entropy_change")
        return {
            "vectors": self.count,
            "losers": changes(-1),
            "gainers": changes(1),
            "top_before": ranked(before),
            "top_after": ranked(after),
            **dict(zip(names, own.tolist(), strict=True)),
            **{f"control_{n}": x for n, x in zip(names, random.tolist(), strict=True)},
        }


def _softmax(logits: Float[Tensor, "n d_vocab"]) -> tuple[Tensor, Float[Tensor, " n"]]:
    """Probabilities, and their entropy in bits."""
    logs = logits.log_softmax(-1)
    probabilities = logs.exp()
    return probabilities, -(probabilities * logs).sum(-1) / torch.log(logs.new_tensor(2.0))


def _total(part: Tensor) -> Tensor:
    return part.sum(0).cpu().double()
