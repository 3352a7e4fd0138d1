"""The finder: how much every head looks at places of one kind.

With A the pattern of a head, x the tokens that are looked at, y those that look, and P(i) the
places of the kind that query i has,

    score = mean over the queries i that have such a place of  Σ_{j in P(i)} A_ij

    first       P(i) = {0}                          "null" attention, Vig 2019
    special     P(i) = {j: x_j is special}          [CLS], [SEP], <s>, …; Clark et al. 2019
    offset:k    P(i) = {i - k}                      same: k = 0, previous: k = 1, next: k = -1
    duplicate   P(i) = {j: x_j = y_i}               duplicate tokens, Wang et al. 2022
    induction   P(i) = {j: x_{j-1} = y_i}           prefix matching, Olsson et al. 2022

What a query may see depends on the part of the model:

    decoder     j ≤ i. Query 0 is left out: it has only itself to look at, whatever the head. For
                duplicates and induction j < i.
    encoder     every j. For duplicates and induction j ≠ i, and no special tokens.
    cross       every j of the other text; places are on the diagonal. For duplicates and induction
                no special tokens.

A place that a head's window does not reach counts as a place with no attention. Beside each score
stands that of a head which attends alike to all that it may see. Clark et al. 2019 look for heads
by such offsets in BERT.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from flowviz.attention.kinds import PLACES, Part
from flowviz.attention.types import KindScores

Places = tuple[NDArray[np.intp], NDArray[np.intp]]


class Finder:
    """Reads the layers of one pass, one after the other.

    Args:
        ids: the tokens that look; equal ones are occurrences of the same token.
        part: which of a model's attentions it is.
        special: the positions of special tokens, among those that are looked at.
        sources: the tokens that are looked at, where these are others.
    """

    def __init__(
        self,
        ids: Sequence[int],
        *,
        part: Part = Part.DECODER,
        special: Sequence[int] = (),
        sources: Sequence[int] | None = None,
    ) -> None:
        self._rows = kind_places(ids, part=part, special=special, sources=sources)
        keys = len(ids if sources is None else sources)
        back = part is Part.DECODER
        self._seen = np.arange(1, len(ids) + 1) if back else np.full(len(ids), keys)
        self._mass: list[list[NDArray[np.float64]]] = []

    def see(self, pattern: NDArray[np.floating]) -> None:
        """Takes the next layer's pattern, [head, query, key]."""
        self._mass.append([_mass(pattern, *places) for places in self._rows])

    def found(self) -> KindScores:
        """The scores of all heads that were seen."""
        return KindScores(
            mass=np.array(self._mass, dtype=np.float64).transpose(1, 0, 2),
            queries=np.array([len(np.unique(i)) for i, _ in self._rows], dtype=np.int64),
            uniform=np.array([(1 / self._seen[i]).sum() for i, _ in self._rows], np.float64),
        )


def find_kinds(
    layers: Iterable[NDArray[np.floating]],
    ids: Sequence[int],
    *,
    part: Part = Part.DECODER,
    special: Sequence[int] = (),
    sources: Sequence[int] | None = None,
) -> KindScores:
    """The scores of all heads, whose layers are read one at a time; see `Finder`."""
    finder = Finder(ids, part=part, special=special, sources=sources)
    for pattern in layers:
        finder.see(pattern)
    return finder.found()


def kind_places(
    ids: Sequence[int],
    *,
    part: Part = Part.DECODER,
    special: Sequence[int] = (),
    sources: Sequence[int] | None = None,
) -> tuple[Places, ...]:
    """Queries and places of each kind, pair by pair, in the order of `ROWS`."""
    y, x = np.asarray(ids), np.asarray(ids if sources is None else sources)
    back = part is Part.DECODER
    named = np.zeros(len(x), bool)
    named[list(special)] = True
    same = y[:, None] == x[None, :]
    if back:
        same &= np.tri(len(x), k=-1, dtype=bool)
    else:
        same &= ~named[None, :]
    if part is Part.ENCODER:
        np.fill_diagonal(same, False)
    specials = np.broadcast_to(named, same.shape)
    if back:
        specials = specials & np.tri(len(x), dtype=bool)
        specials[:1] = False
    i = np.arange(1 if back else 0, len(y))
    offsets = (_diagonal(k, i, len(x)) for k in PLACES)
    return (
        (i, np.zeros_like(i)),
        _pairs(specials),
        _pairs(same),
        _pairs(_behind(same, part)),
        *(_nowhere if back and k < 0 else each for k, each in zip(PLACES, offsets, strict=True)),
    )


_nowhere = (np.arange(0), np.arange(0))


def _behind(same: NDArray[np.bool_], part: Part) -> NDArray[np.bool_]:
    """What stands right behind such places; never the query itself."""
    behind = np.zeros_like(same)
    behind[:, 1:] = same[:, :-1]
    if part is not Part.CROSS:
        np.fill_diagonal(behind, False)
    return behind


def _diagonal(offset: int, queries: NDArray[np.intp], keys: int) -> Places:
    places = queries - offset
    there = (places >= 0) & (places < keys)
    return queries[there], places[there]


def _pairs(mask: NDArray[np.bool_]) -> Places:
    queries, keys = mask.nonzero()
    return queries, keys


def _mass(
    pattern: NDArray[np.floating], queries: NDArray[np.intp], keys: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The attention on some places, [head]."""
    return pattern[:, queries, keys].sum(-1, dtype=np.float64)
