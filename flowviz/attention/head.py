"""One head of a recorded pass, whose queries and keys were held against the model's own pattern."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flowviz.attention.kinds import Part
from flowviz.attention.queries_keys import AttentionTrace, record_attention
from flowviz.attention.why_types import Term
from flowviz.errors import RequestError
from flowviz.graph.describe import prompt_tokens
from flowviz.graph.types import PromptToken
from flowviz.models.loaded import LoadedModel
from flowviz.models.scoring import Scoring
from flowviz.trace import Trace


@dataclass(frozen=True, eq=False)
class UpTo:
    """A recorded pass up to a position (`flowviz.trace.Pass`)."""

    model: LoadedModel
    trace: Trace
    positions: int


@dataclass(frozen=True, eq=False)
class Head:
    """A head that can be asked for its scores.

    Args:
        attention: queries and keys of its block; they are exact.
        scoring: how they are compared.
    """

    model: LoadedModel
    trace: Trace
    attention: AttentionTrace
    scoring: Scoring
    layer: int
    head: int

    @property
    def positions(self) -> int:
        """How many tokens the prompt has."""
        return len(self.trace.ids)

    @property
    def tokens(self) -> tuple[PromptToken, ...]:
        """The prompt."""
        return prompt_tokens(UpTo(self.model, self.trace, self.positions))

    @property
    def key_head(self) -> int:
        """The head of the keys that it reads."""
        return self.head // self.attention.queries_per_key

    @property
    def queries(self) -> Float[Tensor, "pos d_head"]:
        """All its queries as they are compared."""
        at = self._all
        return self.attention.queries.some(at, torch.full_like(at, self.head), at)

    @property
    def keys(self) -> Float[Tensor, "pos d_head"]:
        """All its keys as they are compared."""
        at = self._all
        return self.attention.keys.some(at, torch.full_like(at, self.key_head), at)

    def scores(self, query: int) -> Float[Tensor, " source"]:
        """What the softmax takes at a query, from each source up to it."""
        at = torch.tensor([query], device=self.trace.resid_final.device)
        return self.attention.scores(self.head, at)[0, : query + 1]

    def weights(self, query: int) -> Float[Tensor, " source"]:
        """The model's own attention at a query, on each source up to it."""
        return self.trace.blocks[self.layer].pattern[self.head, query, : query + 1]

    def seen(self, query: int) -> Bool[Tensor, " source"]:
        """Which sources up to a query lie within the head's window."""
        at = torch.tensor([query], device=self.trace.resid_final.device)
        return self.scoring.seen(at, query + 1)[0]

    def sink(self, query: int) -> float | None:
        """What a sink took of the attention; None where the head has none."""
        return None if self.scoring.sinks is None else 1 - float(self.weights(query).sum())

    def terms(self, product: float, key: int) -> tuple[tuple[Term, float], ...]:
        """What makes a scaled product of query and key the score of that key."""
        terms, scoring = [(Term.PRODUCT, product)], self.scoring
        if scoring.cap is not None:
            capped = scoring.cap * math.tanh(product / scoring.cap)
            terms.append((Term.CAP, capped - product))
        if scoring.bias is not None:
            bias = float(scoring.bias(self.positions)[self.head, key])
            terms.append((Term.POSITION, bias))
        return tuple(terms)

    def place(self, name: str, position: int | None) -> int:
        """A position of the prompt, the last where it is None. Raises RequestError beyond it."""
        last = self.positions - 1
        if position is not None and not 0 <= position <= last:
            raise RequestError(
                f"The {name}'s position is {position}; the prompt has the positions 0 to {last}. "
                "Choose one of them."
            )
        return last if position is None else position

    @property
    def _all(self) -> Int[Tensor, " pos"]:
        return torch.arange(self.positions, device=self.trace.resid_final.device)


def head_of(
    model: LoadedModel,
    trace: Trace,
    layer: int,
    head: int,
    attention: AttentionTrace | None = None,
) -> Head:
    """A head of a pass.

    Args:
        attention: queries and keys of its block, where they are at hand.

    Raises:
        RequestError: there is no such head, or its queries and keys cannot be read exactly.
    """
    _check_place("block", layer, len(model.blocks))
    _check_place("head", head, model.blocks[layer].attention.heads)
    if attention is None:
        attention = record_attention(model, trace, [layer])[layer]
    if attention.scoring is None or not attention.exact:
        raise RequestError(
            f"The queries and keys of block {layer} of {model.shape.name} cannot be read exactly"
            f"{_how_far(attention)}, so that its scores are not taken apart. The attention itself "
            "is the model's own and can be looked at."
        )
    return Head(model, trace, attention, attention.scoring, layer, head)


def check_gpt(name: str, mask: tuple[int, ...], part: Part | None) -> None:
    """Raises RequestError where a GPT is asked for what only other models have."""
    if mask:
        raise RequestError(
            f"{name} is a GPT, which has no mask: only encoders such as BERT read hidden tokens. "
            "Leave out the mask."
        )
    if part not in (None, Part.DECODER):
        raise RequestError(f"{name} has no part {part}; it has decoder. Choose that.")


def _check_place(name: str, value: int, count: int) -> None:
    if not 0 <= value < count:
        raise RequestError(f"There is no {name} {value}; choose one from 0 to {count - 1}.")


def _how_far(attention: AttentionTrace) -> str:
    if attention.scoring is None:
        return ""
    error, most = attention.pattern_error, attention.tolerance
    return f" (the pattern that follows from them is off by {error:.2g}, at most {most:.2g})"
