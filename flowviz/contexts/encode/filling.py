"""From what hooks show to the vectors of sites, each made as soon as all that it needs is there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from flowviz.contexts.encode.batch import Batch
from flowviz.contexts.kinds import Site


@dataclass(frozen=True, eq=False)
class Source:
    """How the vectors of a site are made.

    Args:
        parts: what hooks must show.
        width: of a vector.
        make: from these, in this order, to one vector a position, in the same order of positions.
    """

    parts: tuple[Hashable, ...]
    width: int
    make: Callable[..., Tensor]


def as_it_is(value: Tensor) -> Tensor:
    """Vectors that are shown as they are wanted."""
    return value


class Filling:
    """The vectors of some sites, filled in the course of a pass."""

    def __init__(self, batch: Batch, sources: Mapping[Site, Source]) -> None:
        self.found: dict[Site, NDArray[np.float32]] = {
            site: np.empty((batch.tokens, source.width), np.float32)
            for site, source in sources.items()
        }
        self._batch, self._sources = batch, sources
        self._sites: dict[Hashable, list[Site]] = {}
        self._seen: dict[Site, dict[Hashable, Tensor]] = {site: {} for site in sources}
        for site, source in sources.items():
            for part in source.parts:
                self._sites.setdefault(part, []).append(site)

    @property
    def wanted(self) -> Sequence[Hashable]:
        """All that hooks must show."""
        return list(self._sites)

    def take(self, part: Hashable, value: Tensor) -> None:
        """What a hook has shown; it is not needed behind the last part of a site."""
        for site in self._sites[part]:
            source, seen = self._sources[site], self._seen[site]
            seen[part] = value
            if len(seen) == len(source.parts):
                made = source.make(*(seen[each] for each in source.parts))
                self._batch.put(made, self.found[site])
                seen.clear()
