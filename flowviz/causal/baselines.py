"""What a replaced component is replaced by.

*zero*: nothing. *mean*: its mean over a reference set, over all prompts and positions, so that it
still says what it always says. *resample*: its value at the same position of another prompt
(Chan et al. 2022, causal scrubbing; Zhang and Nanda 2024 compare the three).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.causal.types import Ablation
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKind
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace, record


@dataclass(frozen=True, eq=False)
class Baseline:
    """The values that take the place of others; one position stands for all.

    Args:
        words: what they are, for the page ("the mean over 200 prompts").
        heads: for each block, each head's z.
        neurons: for each block, each neuron's output; blocks may differ in how many they have.
        states: hidden states by kind and layer; none for zero.
        prompts: for a mean, the reference set as token ids.
    """

    kind: Ablation
    words: str
    embed: Float[Tensor, "pos d_model"]
    pos_embed: Float[Tensor, "pos d_model"]
    heads: tuple[Float[Tensor, "pos head d_head"], ...]
    neurons: tuple[Float[Tensor, "pos _"], ...]
    states: Mapping[tuple[NodeKind, int], Float[Tensor, "pos d_model"]] = field(
        default_factory=dict
    )
    prompts: tuple[tuple[int, ...], ...] = ()

    def row(self, rows: Float[Tensor, "pos ..."], position: int) -> Float[Tensor, "..."]:
        """The values of one position, of any of the tables above.

        Raises:
            RequestError: the prompt that they are from is shorter.
        """
        if len(rows) == 1 and self.kind is not Ablation.RESAMPLE:
            return rows[0]
        if position >= len(rows):
            raise RequestError(
                f"The other prompt has {len(rows)} tokens: nothing stands at its position "
                f"{position}. Give a longer one, or change an earlier position."
            )
        return rows[position]


def zero(model: LoadedModel) -> Baseline:
    """Nothing at all."""
    nothing = torch.zeros(1, model.shape.d_model, device=model.device)

    def zeros(*sizes: int) -> Tensor:
        return torch.zeros(1, *sizes, device=model.device)

    return Baseline(
        Ablation.ZERO,
        "zero",
        nothing,
        nothing,
        tuple(zeros(block.attention.heads, block.attention.d_head) for block in model.blocks),
        tuple(zeros(block.mlp.neurons) for block in model.blocks),
    )


def resample(trace: Trace, positions: int, words: str) -> Baseline:
    """The values of another prompt, position by position.

    Raises:
        RequestError: the other prompt is shorter than what is replaced.
    """
    if len(trace.ids) < positions:
        raise RequestError(
            f"The other prompt has {len(trace.ids)} tokens; the first {positions} of this one are "
            "replaced position by position. Give a prompt that is at least as long."
        )
    cut = slice(positions)
    none = torch.zeros_like(trace.embed[cut])
    return Baseline(
        Ablation.RESAMPLE,
        words,
        trace.embed[cut],
        none if trace.pos_embed is None else trace.pos_embed[cut],
        tuple(part.z[cut] for part in trace.blocks),
        tuple(part.post[cut] for part in trace.blocks),
        {place: state[cut] for place, state in _states(trace)},
    )


def _states(trace: Trace) -> Iterator[tuple[tuple[NodeKind, int], Tensor]]:
    for layer, part in enumerate(trace.blocks):
        yield (NodeKind.RESID_PRE, layer), part.resid_pre
        if part.resid_mid is not None:
            yield (NodeKind.RESID_MID, layer), part.resid_mid
    yield (NodeKind.RESID_FINAL, len(trace.blocks)), trace.resid_final


def mean(
    model: LoadedModel,
    prompts: Iterable[list[int]],
    progress: Callable[[int], None] = lambda _done: None,
) -> Baseline:
    """The mean over all positions of a reference set, given as token ids.

    Args:
        model: the model whose components they are.
        prompts: the set; it is run one prompt at a time, and nothing of it is kept.
        progress: told how many prompts are done; may raise to stop.

    Raises:
        RequestError: the set is empty.
    """
    total, tokens, count, read = None, 0, 0, []
    for ids in prompts:
        read.append(tuple(ids))
        values = resample(record(model, ids), len(ids), "")
        summed = _summed(values)
        total = summed if total is None else [a + b for a, b in zip(total, summed, strict=True)]
        tokens, count = tokens + len(ids), count + 1
        progress(count)
    if total is None:
        raise RequestError("The reference set holds no prompt. Give some, or ablate by zero.")
    embed, pos_embed, *rest = (part / tokens for part in total)
    layers = model.shape.layers
    words = f"the mean over {count:,} prompts"
    heads, neurons, states = rest[:layers], rest[layers : 2 * layers], rest[2 * layers :]
    named = dict(zip(values.states, states, strict=True))
    parts = tuple(heads), tuple(neurons), named, tuple(read)
    return Baseline(Ablation.MEAN, words, embed, pos_embed, *parts)


def _summed(values: Baseline) -> list[Tensor]:
    parts = (
        values.embed, values.pos_embed, *values.heads, *values.neurons, *values.states.values()
    )  # fmt: skip
    return [part.sum(0, keepdim=True) for part in parts]
