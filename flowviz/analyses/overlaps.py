"""Overlap: how many of their top tokens the parts of one pass share.

For two vectors a and b of a pass, with top_k(v) the k tokens that v promotes most when it is read
through the lens,

    I_k(a, b) = |top_k(a) ∩ top_k(b)| / k.

Two random sets of k tokens share k / d_vocab by chance. All is measured at one position of each
prompt, the last unless another is named:

1. Of every head its output through W_O, and *raw*: its z in its own slots of the concatenated
   heads, which VISIT reads as if they were a vector of the stream (they are as wide as it, and
   nothing else speaks for that). Against the attention's output (all heads and b_O), the block's
   output (the stream behind the block) and the final output (the stream behind the last block).
2. The same for heads through W_O, by their rank by norm within their layer.
3. Of every head the values that it reads, through W_O, by their rank by attention weight, against
   the head's output, which is their weighted sum.
4. Of every head its query, its key and its value at that position, in pairs. Queries and keys are
   read as directions in the stream through the head's QK circuit, before rotary positions turn
   them (flowviz/attention/queries_keys.py); only where they give the model's own attention pattern.

What is written (heads, values, the attention's output) and what is looked for (queries, keys) is
read as a component, through the linear part of the final norm; outputs of blocks are read as
states. See flowviz/lens.py. A positive factor does not change which tokens a component has on top,
so that no scale and no attention weight has to be chosen for it.

Sources: Katz and Belinkov 2023 (VISIT); logit lens: nostalgebraist 2020; projecting parameters and
the QK and OV circuits: Dar et al. 2022, Elhage et al. 2021.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor

from flowviz.analyses.among import Among
from flowviz.analyses.means import Means
from flowviz.analyses.passes import Asked, passes, read_all, silent
from flowviz.analyses.top import Tops, shared
from flowviz.analyses.types import Overlap, Prompt, Series
from flowviz.analyses.written import attention_output, head_outputs, unprojected, values
from flowviz.errors import RequestError
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel
from flowviz.trace import Trace

MOST_VALUES = 10  # values of a head, the most attended
OUTPUTS = {
    "attention_output": "the attention's output",
    "block_output": "the block's output",
    "final_output": "the final output",
}
HEADS = {"head_through_W_O": "Heads through W_O", "head_raw": "Raw heads"}


@torch.inference_mode()
def overlap(
    model: LoadedModel,
    prompts: Iterable[Prompt | str],
    k: int = 50,
    position: int | None = None,
    progress: Progress = silent,
) -> Overlap:
    """I_k between the parts of a pass, as means over prompts; see the head of this module.

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
    figures = _Figures(model, min(k, model.shape.vocabulary))
    for one, trace in passes(model, asked, progress):
        figures.take(trace, one.last if position is None else position)
    return figures.result(len(asked))


def _check_position(asked: tuple[Asked, ...], position: int | None) -> None:
    if position is None:
        return
    if position < 0:
        raise RequestError(f"The position is {position}; positions are counted from 0.")
    short = next((one for one in asked if position > one.last), None)
    if short is not None:
        raise RequestError(
            f"The position is {position}, but prompt {short.number} has positions 0 to "
            f"{short.last}. Choose another."
        )


class _Figures:
    """The figures of all prompts, by series."""

    def __init__(self, model: LoadedModel, k: int) -> None:
        shape = model.shape
        self.model, self.tops = model, Tops(model, k)
        self.by_layer = {(head, out): Means(shape.layers) for head in HEADS for out in OUTPUTS}
        self.by_norm = {out: Means(shape.heads) for out in OUTPUTS}
        self.by_attention = Means(MOST_VALUES)
        self.among = Among(model, self.tops)

    def take(self, trace: Trace, at: int) -> None:
        """One prompt, layer after layer."""
        final = self.tops.of_states(trace.resid_final[at : at + 1])
        for layer in range(len(trace.blocks)):
            self._block(trace, layer, at, final)
        self.among.take(trace, at)

    def _block(self, trace: Trace, layer: int, at: int, final: Int[Tensor, "1 k"]) -> None:
        block, part = self.model.blocks[layer], trace.blocks[layer]
        written = head_outputs(block, part, at)
        heads = self.tops.of_components(written)
        after = self.tops.of_states(trace.resid_post(layer)[at : at + 1])
        attention = self.tops.of_components(attention_output(block, part, at, written))
        outputs = dict(zip(OUTPUTS, (attention, after, final), strict=True))
        norms = written.norm(dim=-1)
        says = (norms > 0).cpu()  # what is all zero has no tokens on top
        self._heads(layer, "head_through_W_O", heads[says], outputs)
        ranks = norms.argsort(descending=True, stable=True).argsort().cpu()
        for name, output in outputs.items():
            self.by_norm[name].add(ranks[says], shared(heads, output)[says])
        raw = unprojected(block, part, at)
        if raw is not None:
            self._heads(layer, "head_raw", self.tops.of_components(raw)[says], outputs)
        self._values(trace, layer, at, heads)

    def _heads(
        self, layer: int, kind: str, heads: Int[Tensor, "n k"], outputs: dict[str, Tensor]
    ) -> None:
        for name, output in outputs.items():
            figures = shared(heads, output)
            self.by_layer[kind, name].add(torch.full_like(figures, layer).long(), figures)

    def _values(self, trace: Trace, layer: int, at: int, heads: Int[Tensor, "head k"]) -> None:
        block, part = self.model.blocks[layer], trace.blocks[layer]
        most = part.pattern[:, at, : at + 1].sort(descending=True, stable=True)
        weights, sources = (found[:, :MOST_VALUES] for found in most)
        vectors = values(block, part, at, sources)
        tops = self.tops.of_components(vectors.flatten(0, 1)).unflatten(0, sources.shape)
        figures = shared(tops, heads[:, None])
        read = ((weights > 0) & (vectors.norm(dim=-1) > 0)).cpu()
        ranks = torch.arange(sources.shape[1], device="cpu").expand_as(sources)
        self.by_attention.add(ranks[read], figures[read])

    def result(self, prompts: int) -> Overlap:
        """All series, each with what it has figures of."""
        model, shape = self.model, self.model.shape
        values = self.by_attention.series(
            "value_by_attention~head", "Values, against their head", range(1, MOST_VALUES + 1)
        )
        return Overlap(
            model=shape.name,
            k=self.tops.k,
            prompts=prompts,
            chance=self.tops.k / shape.vocabulary,
            by_layer=_there(
                means.series(
                    f"{head}~{out}", f"{HEADS[head]}, against {OUTPUTS[out]}", range(shape.layers)
                )
                for (head, out), means in self.by_layer.items()
            ),
            by_norm_rank=_there(
                means.series(
                    f"head_by_norm~{out}",
                    f"Heads by norm, against {OUTPUTS[out]}",
                    range(1, shape.heads + 1),
                )
                for out, means in self.by_norm.items()
            ),
            by_attention_rank=_there([values]),
            among=_there(self.among.series()),
            notes=(*_no_raw(model), *self.among.notes()),
        )


def _there(series: Iterable[Series]) -> tuple[Series, ...]:
    return tuple(one for one in series if one.x)


def _no_raw(model: LoadedModel) -> tuple[str, ...]:
    attention = model.blocks[0].attention
    width, d_model = attention.heads * attention.d_head, model.shape.d_model
    if not torch.count_nonzero(attention.W_O):
        return ("The attention of this model cannot be read, so that its heads say nothing.",)
    if width == d_model:
        return ()
    return (
        f"Raw heads are left out: all heads together are {width} wide and the stream {d_model}, "
        "so that they cannot be read as a vector of it.",
    )
