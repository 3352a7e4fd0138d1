"""How factors are looked at: choices of the page that need no new answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowviz.checked import choice
from flowviz.contexts.kinds import Site


class Tab(StrEnum):
    """Which contexts of a factor are shown."""

    TOP = "top"  # the strongest, one a sentence
    BANDS = "bands"  # from all levels of activation


@dataclass(frozen=True)
class Look:
    """All choices.

    Args:
        tab: which contexts are shown.
        layer: the site whose activations the prompt's table shows; None for the dictionary's own
            middle.
    """

    tab: Tab = Tab.TOP
    layer: Site | None = None

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> Look:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        layer = flat.get("layer")
        return cls(
            tab=choice("contexts", flat.get("contexts"), Tab) or Tab.TOP,
            layer=Site.parse(layer) if layer else None,
        )
