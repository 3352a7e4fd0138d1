"""How one head is looked at: choices of the page that need no new run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowviz.attention.request import MOST_PLACE
from flowviz.checked import choice, whole


class View(StrEnum):
    """What is drawn."""

    NEURONS = "neurons"  # query, keys and their products, dimension by dimension
    DISTANCE = "distance"  # how the dimensions' shares change with distance
    WHY = "why"  # the score, split into what wrote the query and the key


class Dims(StrEnum):
    """The order of the dimensions."""

    NUMBER = "number"
    DECIDING = "deciding"


class Order(StrEnum):
    """The order of the sources."""

    POSITION = "position"
    ATTENTION = "attention"


class Over(StrEnum):
    """What distances are read over."""

    PROMPT = "prompt"
    SET = "set"


@dataclass(frozen=True)
class Look:
    """All choices.

    Args:
        start: where the window of sources begins, in their order; None for where the most
            attended one is in sight.
        dim: the dimension that is marked.
    """

    view: View = View.NEURONS
    dims: Dims = Dims.NUMBER
    order: Order = Order.POSITION
    start: int | None = None
    dim: int | None = None

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> Look:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        base = cls()
        return cls(
            view=choice("view", flat.get("view"), View) or base.view,
            dims=choice("dims", flat.get("dims"), Dims) or base.dims,
            order=choice("order", flat.get("order"), Order) or base.order,
            start=whole("start", flat.get("start"), 0, MOST_PLACE),
            dim=whole("dim", flat.get("dim"), 0, MOST_PLACE),
        )
