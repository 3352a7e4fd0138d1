"""The norms of a model, and what each of them reads in a recorded pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from flowviz.checks import TOLERANCE
from flowviz.models.block import Block
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact
from flowviz.trace import BlockTrace, Trace

IN_BLOCK = ("ln1", "ln1_post", "ln2", "ln2_post")
FINAL = "ln_final"
States = Float[Tensor, "pos d_model"]


@dataclass(frozen=True)
class Place:
    """Where a norm stands.

    Args:
        name: one of `IN_BLOCK`, or `ln_final`.
        layer: its block; the final norm stands at the number of layers.
    """

    name: str
    layer: int


def norm_at(model: LoadedModel, place: Place) -> Norm:
    """The norm that stands there; one that does nothing where there is none."""
    if place.name == FINAL:
        return model.ln_final
    block = model.blocks[place.layer]
    part = block.attention if place.name.startswith("ln1") else block.mlp
    return part.post if place.name.endswith("post") else part.norm


def norm_places(model: LoadedModel) -> tuple[Place, ...]:
    """Where norms stand, in the order of the pass; one that attention and MLP share stands once."""
    every = [Place(name, layer) for layer in range(model.shape.layers) for name in IN_BLOCK]
    every.append(Place(FINAL, model.shape.layers))
    there = {place: norm_at(model, place) for place in every}
    first = {id(norm): place for place, norm in reversed(there.items())}
    return tuple(p for p, norm in there.items() if norm.eps is not None and first[id(norm)] == p)


def read_at(model: LoadedModel, trace: Trace, place: Place) -> States | None:
    """What a norm reads at every position; None where that cannot be made again.

    What a sublayer puts out is summed from its parts, and the scale that follows is held against
    the one that the model had.
    """
    if place.name == FINAL:
        return trace.resid_final
    block, part = model.blocks[place.layer], trace.blocks[place.layer]
    if place.name == "ln1":
        return part.resid_pre
    if place.name == "ln2":
        return part.mlp_state
    state, output, scale = (
        (part.resid_pre, _attention(block, part), part.ln1_post_scale)
        if place.name == "ln1_post"
        else (part.mlp_state, _mlp(block, part), part.ln2_post_scale)
    )
    read = state + output * block.residual_scale if block.norms_stream else output
    return read if _same(model, norm_at(model, place).scale_of(read), scale) else None


def _attention(block: Block, part: BlockTrace) -> States:
    attention = block.attention
    output = part.z.flatten(1) @ exact(attention.W_O, part.z).flatten(0, 1)
    return output if attention.b_O is None else output + exact(attention.b_O, output)


def _mlp(block: Block, part: BlockTrace) -> States:
    output = part.post @ exact(block.mlp.W_out, part.post).flatten(0, 1)
    bias = block.mlp.written_bias(part.router)
    return output if bias is None else output + bias.to(output.device)


def _same(model: LoadedModel, made: Tensor, own: Tensor | None) -> bool:
    if own is None:
        return False
    return bool(((made - own).abs() <= TOLERANCE.get(model.dtype, 0.0) * own.abs()).all())


def inputs_of(
    model: LoadedModel, trace: Trace, places: tuple[Place, ...]
) -> Iterator[tuple[Place, States]]:
    """What each norm reads, those left out for which it cannot be made again."""
    for place in places:
        read = read_at(model, trace, place)
        if read is not None:
            yield place, read
