"""How one head's dimensions change with distance over a set of prompts: the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowviz.attention.request import MOST_PLACE, HeadsRequest
from flowviz.checked import whole


@dataclass(frozen=True)
class DecayRequest(HeadsRequest):
    """The prompts are given as to the finder; the answer is the `Decay` over all of them."""

    layer: int = 0
    head: int = 0

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> DecayRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        asked = super().from_mapping(flat)
        assert isinstance(asked, cls)
        layer, head = (whole(name, flat.get(name), 0, MOST_PLACE) for name in ("layer", "head"))
        return replace(asked, layer=layer or 0, head=head or 0)
