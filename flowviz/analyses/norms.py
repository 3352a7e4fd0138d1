"""Norms as semantic filters: which tokens lose and gain when a vector goes through a norm.

A norm takes off the mean (LayerNorm), divides by the scale, multiplies with its weight and adds its
bias. Centring and division only choose how long a vector is and where its zero is; what a norm has
*learned* is weight and bias. So, for every norm N and every vector x that it reads,

    before    x̂ = x centred and divided by its own scale as N does it, without weight and bias
    after     ŷ = w * x̂ + b

and both are read as tokens in the same way: of a norm in a block as states, through the final norm
with their own scale and the unembedding, so that `before` is the usual logit lens of x; of the
final norm through the unembedding alone, because that is what reads its output (through the final
norm again nothing could change). A norm without weight and bias then changes nothing. What stays
is that the final norm's weight may lengthen x̂, and so sharpen the distribution.

    change of a token = mean of p_after - p_before      losers and gainers: the largest
    shift = mean of ½ Σ |p_after - p_before|            overlap: I_k of the top k before and after

**Control.** The same of random vectors: beside every x stand `DRAWS` Gaussian ones, centred where N
centres, and as long as what N keeps of x. What a norm does to all vectors shows there too; what it
does to the vectors that it was trained on stands out against it. The deviation of the mean is that
from one draw of all vectors to the next.

All positions of all prompts are read; where they are more than `MOST_VECTORS`, so many of them,
chosen by a fixed seed. Norms behind a sublayer read what it put out, and on the stream the sum.

Sources: Katz and Belinkov 2023 (VISIT), norms as semantic filters; nostalgebraist 2020, logit lens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor

from flowviz.analyses.filtered import Filtered
from flowviz.analyses.norm_places import FINAL, Place, inputs_of, norm_at, norm_places
from flowviz.analyses.passes import Asked, passes, read_all, silent
from flowviz.analyses.types import NormFilter, NormFilters, Prompt
from flowviz.jobs import Progress
from flowviz.models.loaded import LoadedModel

SEED = 0
DRAWS = 4
MOST_VECTORS = 1000


@torch.inference_mode()
def norm_filters(
    model: LoadedModel,
    prompts: Iterable[Prompt | str],
    k: int = 50,
    progress: Progress = silent,
) -> NormFilters:
    """What every norm of a model filters; see the head of this module.

    Args:
        k: how many tokens are listed, and compared in the overlap; at most the vocabulary.
        progress: told once a prompt; what it raises ends the work.

    Raises:
        RequestError: a prompt cannot be read.

    Example:
        >>> found = norm_filters(flowviz.load_model("demo"), ["The capital of Japan is"])
        >>> [token.text for token in found.norms[-1].losers[:3]]
    """
    asked, k = read_all(model, prompts), min(k, model.shape.vocabulary)
    chosen, places = _chosen(asked), norm_places(model)
    random = torch.Generator(device="cpu").manual_seed(SEED)
    read = {
        place: Filtered(model, norm_at(model, place), place.name == FINAL, k, random)
        for place in places
    }
    for one, trace in passes(model, tuple(one for one in asked if one.number in chosen), progress):
        for place, vectors in inputs_of(model, trace, places):
            read[place].take(vectors[chosen[one.number].to(vectors.device)], DRAWS)
    positions = sum(len(one.ids) for one in asked)
    return NormFilters(
        model=model.shape.name,
        prompts=len(asked),
        k=k,
        norms=tuple(
            NormFilter(place.name, place.layer, **filtered.figures(k))
            for place, filtered in read.items()
            if filtered.count
        ),
        positions=positions,
        draws=DRAWS,
        notes=_notes(positions, read),
    )


def _chosen(asked: tuple[Asked, ...]) -> dict[int, Int[Tensor, " n"]]:
    """The positions of each prompt that are read, by its number."""
    every = [(one.number, at) for one in asked for at in range(len(one.ids))]
    random = torch.Generator(device="cpu").manual_seed(SEED)
    kept = torch.randperm(len(every), generator=random, device="cpu")[:MOST_VECTORS]
    by_prompt: dict[int, list[int]] = defaultdict(list)
    for place in kept.sort().values.tolist():
        number, at = every[place]
        by_prompt[number].append(at)
    return {number: torch.tensor(at, device="cpu") for number, at in by_prompt.items()}


def _notes(positions: int, read: dict[Place, Filtered]) -> tuple[str, ...]:
    notes = []
    if positions > MOST_VECTORS:
        notes.append(
            f"The prompts have {positions:,} positions; {MOST_VECTORS:,} of them were read, chosen "
            "at random by a fixed seed."
        )
    missing = [f"{at.name} of block {at.layer}" for at, found in read.items() if not found.count]
    if missing:
        notes.append(
            f"Left out, because what they read cannot be made again: {', '.join(missing)}."
        )
    if not read:
        notes.append("This model has no norms that can be read.")
    return tuple(notes)
