"""Values of two passes by column: their difference, from which nodes are ranked."""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import Tensor

from flowviz.graph.types import BIAS_NAMES
from flowviz.models.loaded import LoadedModel
from flowviz.values import NodeValues

POSITION = {
    "embed": 0, "pos_embed": 0, "resid_pre": 1, "resid_mid": 1, "resid_final": 0, "heads": 1,
    "neurons": 1, "biases": 2,
}  # fmt: skip
"""Which dimension of each field counts positions."""


def difference(
    first: NodeValues, second: NodeValues, columns: tuple[list[int], list[int]], count: int
) -> NodeValues:
    """Second minus first, by column; a side without a token in a column has 0 there.

    Args:
        columns: for each position of the first and of the second, its column.
        count: how many columns there are up to the target's, which is the last.
    """
    return NodeValues(
        **{
            field.name: _difference(
                getattr(first, field.name), getattr(second, field.name), field.name, columns, count
            )
            for field in fields(NodeValues)
        }
    )


def _difference(
    first: Tensor, second: Tensor, name: str, columns: tuple[list[int], list[int]], count: int
) -> Tensor:
    along = POSITION[name]
    sizes = list(first.shape)
    sizes[along] = count
    both = torch.zeros(sizes, dtype=torch.promote_types(first.dtype, second.dtype))
    both.index_add_(along, torch.tensor(columns[1]), second.to(both))
    return both.index_add_(along, torch.tensor(columns[0]), first.to(both), alpha=-1)


def beyond_rounding(values: NodeValues, dust: float) -> NodeValues:
    """Zero where a difference is no more than a rounding error."""
    return values.each(lambda value: torch.where(value.abs() > dust, value, 0))


def compared_bytes(model: LoadedModel, tokens: int) -> int:
    """The memory that the differences of two passes of so many tokens in all take at most.

    Three arrays at once: the differences, those beyond rounding, and the ranking.
    """
    shape = model.shape
    per_layer = shape.heads + shape.neurons + 2 + len(BIAS_NAMES)
    return 3 * 4 * tokens * shape.layers * per_layer
