"""The smallest set of components, in the order of a score, that recovers a given share.

1. Of about twenty sizes between one component and all, find the smallest that recovers the share;
   look again between it and the one before, until nothing stands between. (Recovered does not grow
   evenly with size, so this is a small set, not provably the smallest.)
2. Drop what it does not need: measure it without each component alone, drop as many of those that
   matter least as can go together, and repeat until the weakest cannot go.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from flowviz.causal.places import Places, Ranked
from flowviz.causal.recovered import Passes
from flowviz.causal.types import Kept, Smallest
from flowviz.errors import RequestError
from flowviz.graph.types import NodeKey
from flowviz.values import NodeValues

SIZES = 20  # tried at once
MOST_DROPPED_FROM = 400  # a larger set is not tried without each of its components


def smallest(
    passes: Passes,
    values: NodeValues,
    share: float,
    progress: Callable[[int], None] = lambda _done: None,
) -> Smallest:
    """The smallest set that is found, in the order of these values, the highest first.

    Raises:
        RequestError: the share is not between 0 and 1.
    """
    if not 0 < share <= 1:
        raise RequestError(f"The share to recover is {share}; it must be above 0 and up to 1.")
    places, kept = _by_size(passes, values, share, progress)
    while len(places) <= MOST_DROPPED_FROM:
        order, alone = _without_each(passes, places, progress)
        if not order:
            break
        fewer = _drop(passes, places, order, share, progress)
        if fewer is None:
            return Smallest(share, tuple(places.named()), kept, order[0], alone)
        places, kept = fewer
    return Smallest(share, (), kept, None, None)


def _by_size(
    passes: Passes, values: NodeValues, share: float, progress: Callable[[int], None]
) -> tuple[Places, Kept]:
    ranked = Ranked(values, passes.every)
    low, high = 0, len(ranked)
    (best,) = passes.keep([passes.every])
    while high - low > 1:
        sizes = _between(low, high)
        found = passes.keep(map(ranked.first, sizes), progress)
        enough = [row for row, kept in enumerate(found) if kept.recovered >= share]
        row = enough[0] if enough else len(sizes)
        if enough:
            best, high = found[row], sizes[row]
        low = sizes[row - 1] if row else low
    return ranked.first(high), best


def _between(low: int, high: int) -> list[int]:
    """Sizes strictly between two, evenly by ratio, each once."""
    steps = torch.logspace(0, 1, SIZES + 2, base=max(high / max(low, 1), 1.0))[1:-1]
    sizes = {int(max(low, 1) * step) for step in steps.tolist()} | {(low + high) // 2}
    return sorted(size for size in sizes if low < size < high)


def _without_each(
    passes: Passes, places: Places, progress: Callable[[int], None]
) -> tuple[list[NodeKey], Kept | None]:
    """The components, the one that matters least first, and what is left without that one."""
    keys = places.named()
    if not keys:
        return [], None
    found = passes.keep((_minus(passes, places, [key]) for key in keys), progress)
    pairs = sorted(zip(found, keys, strict=True), key=lambda pair: (-pair[0].recovered, pair[1]))
    return [key for _, key in pairs], pairs[0][0]


def _drop(
    passes: Passes,
    places: Places,
    order: list[NodeKey],
    share: float,
    progress: Callable[[int], None],
) -> tuple[Places, Kept] | None:
    """Without as many of the first as can go together; None where not even the first can."""
    counts = sorted({1, *(len(order) * part // SIZES for part in range(1, SIZES))} - {0})
    sets = [_minus(passes, places, order[:count]) for count in counts]
    found = zip(sets, passes.keep(sets, progress), strict=True)
    enough = [(fewer, kept) for fewer, kept in found if kept.recovered >= share]
    return enough[-1] if enough else None


def _minus(passes: Passes, places: Places, keys: list[NodeKey]) -> Places:
    model, positions = passes.flow.model, passes.flow.positions
    return places & ~Places.of(model, positions, keys)
