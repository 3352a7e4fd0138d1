"""Overlap: how many of their top tokens the parts of one pass share.

For two vectors a and b of a pass, with top_k(v) the k tokens that v promotes most when it is read
through the lens,

    I_k(a, b) = |top_k(a) ∩ top_k(b)| / k.

Two random sets share k / d_vocab of it by chance. All is measured at one position of each prompt,
the last unless another is named:

1. Of every head its output through W_O, and *raw*: its z in its own slots of the concatenated
   heads, which VISIT reads as if they were a vector of the stream (they are as wide as it, and
   nothing else speaks for that). Against the attention's output (all heads and b_O), the block's
   output (the stream behind the block) and the final output (the stream behind the last block).
2. The same for heads through W_O, by their rank by norm within their layer.
3. Of every head the values that it reads, weight times value through W_O, by their rank by
   attention weight, against the head's output, which is their sum.
4. Of every head its query, its key and its unweighted value at that position, in pairs; queries
   and keys through the head's QK circuit, before rotary positions turn them.

What is written (heads, values, the attention's output) is read as a component, through the linear
part of the final norm; outputs of blocks are read as states. See flowviz/lens.py. A positive scale
does not change which tokens are on top, so none has to be chosen.

Sources: Katz and Belinkov 2023 (VISIT); logit lens: nostalgebraist 2020; projecting parameters and
the QK and OV circuits: Dar et al. 2022, Elhage et al. 2021.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flowviz.analyses.means import Means
from flowviz.analyses.passes import Asked, passes, read_all, silent
from flowviz.analyses.top import shared, top_tokens
from flowviz.analyses.types import Overlap, Prompt, Series
from flowviz.analyses.written import attention_output, head_outputs, unprojected, values
from flowviz.errors import RequestError
from flowviz.jobs import Progress
from flowviz.lens import normed_components, normed_states
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace

MOST_VALUES = 10  # values of a head, the most attended
OUTPUTS = {
    "attention_output": "the attention's output",
    "block_output": "the block's output",
    "final_output": "the final output",
}
HEADS = {"head_through_W_O": "Heads through W_O", "head_raw": "Raw heads"}
NO_RAW = (
    "Raw heads are missing: the concatenated heads are {width} wide and the stream {d_model}, so "
    "that they cannot be read as a vector of it."
)


@torch.inference_mode()
def overlap(
    model: LoadedModel,
    prompts: Iterable[Prompt | str],
    k: int = 50,
    position: int | None = None,
    progress: Progress = silent,
) -> Overlap:
    """I_k between heads, values and outputs, as means over prompts; see the head of this module.

    Args:
        k: how many tokens are compared; at most the vocabulary.
        position: the prompt position that is looked at, from 0; each prompt's last where it is
            None.
        progress: told once a prompt; what it raises ends the work.

    Raises:
        RequestError: a prompt cannot be read, or has no such position.

    Example:
        >>> found = overlap(flowviz.load_model("demo"), ["The capital of Japan is the city of"])
        >>> found.by_layer[0].title
        "Heads through W_O, against the attention's output"
    """
    asked = read_all(model, prompts)
    _check_position(asked, position)
    tables = _Tables(model, min(k, model.shape.vocabulary))
    for one, trace in passes(model, asked, progress):
        tables.take(trace, one.last if position is None else position)
    return tables.result(len(asked))


def _check_position(asked: tuple[Asked, ...], position: int | None) -> None:
    short = next((one for one in asked if position is not None and position > one.last), None)
    if short is not None or (position is not None and position < 0):
        where = f"prompt {short.number} has positions 0 to {short.last}" if short else "it is none"
        raise RequestError(f"The position is {position}, but {where}. Choose another.")


class _Tables:
    """The figures of all prompts, by series."""

    def __init__(self, model: LoadedModel, k: int) -> None:
        self.model, self.k = model, k
        shape = model.shape
        self.by_layer = {(head, out): Means(shape.layers) for head in HEADS for out in OUTPUTS}
        self.by_norm = {out: Means(shape.heads) for out in OUTPUTS}
        self.by_attention = Means(MOST_VALUES)

    def take(self, trace: Trace, at: int) -> None:
        """One prompt, layer after layer."""
        final = self.tops(trace.resid_final[at : at + 1], states=True)
        for layer in range(len(trace.blocks)):
            self._block(trace, layer, at, final)

    def tops(self, vectors: Float[Tensor, "n d_model"], states: bool) -> Int[Tensor, "n k"]:
        """The top tokens of states, or of components."""
        one = torch.ones_like(vectors[:, :1])
        read = (
            normed_states(self.model, vectors)
            if states
            else normed_components(self.model, vectors, one)
        )
        return top_tokens(self.model, read, one[:, 0].bool() & states, self.k)

    def _block(self, trace: Trace, layer: int, at: int, final: Int[Tensor, "1 k"]) -> None:
        block, part = self.model.blocks[layer], trace.blocks[layer]
        heads = head_outputs(block, part, at)
        after = self.tops(trace.resid_post(layer)[at : at + 1], states=True)
        attention = self.tops(attention_output(block, part, at, heads), states=False)
        outputs = dict(zip(OUTPUTS, (attention, after, final), strict=True))
        of_heads = self.tops(heads, states=False)
        self._heads(layer, "head_through_W_O", of_heads, outputs)
        ranks = heads.norm(dim=-1).argsort(descending=True, stable=True).argsort()
        for name, output in outputs.items():
            self.by_norm[name].add(ranks, shared(of_heads, output))
        raw = unprojected(block, part, at)
        if raw is not None:
            self._heads(layer, "head_raw", self.tops(raw, states=False), outputs)
        self._values(trace, layer, at, of_heads)

    def _heads(
        self, layer: int, kind: str, heads: Int[Tensor, "head k"], outputs: dict[str, Tensor]
    ) -> None:
        for name, output in outputs.items():
            figures = shared(heads, output)
            self.by_layer[kind, name].add(torch.full_like(figures, layer).long(), figures)

    def _values(self, trace: Trace, layer: int, at: int, heads: Int[Tensor, "head k"]) -> None:
        block, part = self.model.blocks[layer], trace.blocks[layer]
        most = part.pattern[:, at, : at + 1].sort(descending=True, stable=True)
        weights, sources = (found[:, :MOST_VALUES] for found in most)
        vectors = values(block, part, at, sources)
        tops = self.tops(vectors.flatten(0, 1), states=False).unflatten(0, sources.shape)
        figures, read = shared(tops, heads[:, None]), weights > 0
        ranks = torch.arange(sources.shape[1], device=sources.device).expand_as(sources)
        self.by_attention.add(ranks[read], figures[read])

    def result(self, prompts: int) -> Overlap:
        """All series, each with what it has figures of."""
        model, shape = self.model, self.model.shape
        layers, ranks = range(shape.layers), range(1, shape.heads + 1)
        lines = [
            means.series(f"{head}~{out}", f"{HEADS[head]}, against {OUTPUTS[out]}", layers)
            for (head, out), means in self.by_layer.items()
        ]
        by_norm = [
            means.series(f"head_by_norm~{out}", f"Heads by norm, against {OUTPUTS[out]}", ranks)
            for out, means in self.by_norm.items()
        ]
        values = self.by_attention.series(
            "value_by_attention~head", "Values, against their head", range(1, MOST_VALUES + 1)
        )
        return Overlap(
            model=shape.name,
            k=self.k,
            prompts=prompts,
            chance=self.k / shape.vocabulary,
            by_layer=_there(lines),
            by_norm_rank=_there(by_norm),
            by_attention_rank=_there([values]),
            among=(),
            notes=tuple(_notes(model)),
        )


def _there(series: list[Series]) -> tuple[Series, ...]:
    return tuple(one for one in series if one.x)


def _notes(model: LoadedModel) -> list[str]:
    attention = model.blocks[0].attention
    width = attention.heads * attention.d_head
    if width == model.shape.d_model:
        return []
    return [NO_RAW.format(width=width, d_model=model.shape.d_model)]
