"""Runs in which all vectors of a text at one site are replaced, and the means of vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site
from flowviz.factors.passes.losses import Model, losses_of
from flowviz.factors.passes.runs import Change, Row, Run

Vectors = NDArray[np.float32]
Instead = Callable[[Site, Vectors], Vectors]  # of a site's vectors, what stands in their place
VECTORS_AT_ONCE = 2**15


def losses_instead(
    model: Model,
    runs: Sequence[Run],
    sites: Sequence[Site],
    ways: Sequence[Instead],
    progress: Callable[[float], None] = lambda _share: None,
) -> NDArray[np.float64]:
    """The loss of each run with each site's vectors replaced on their own: [way, site, run].

    Sites are taken together as far as their vectors fit into `VECTORS_AT_ONCE`.

    Args:
        ways: what is put in the place of the vectors of the text's tokens, of all runs one after
            the other.
        progress: told which share is done; may raise to stop.
    """
    reader, tokens = open_reader(model), sum(len(run.ids) for run in runs)
    at_once = max(1, VECTORS_AT_ONCE // max(1, tokens))
    found = []
    for first in range(0, len(sites), at_once):
        progress(first / len(sites))
        some = sites[first : first + at_once]
        own = _vectors(reader, runs, some)
        rows = [
            row
            for instead in ways
            for site in some
            for row in _changed(runs, site, own[site], instead(site, _of_text(runs, own[site])))
        ]
        found.append(losses_of(model, rows).reshape(len(ways), len(some), len(runs)))
    return np.concatenate(found, axis=1)


def means_of(
    model: Model,
    pieces: Sequence[Sequence[Run]],
    sites: Sequence[Site],
    progress: Callable[[int], None],
) -> dict[Site, Vectors]:
    """The mean vector of the text's tokens at each site, [width].

    Args:
        pieces: runs that are read together; progress: told which of these is next.
    """
    reader, count = open_reader(model), 0
    sums = {site: np.zeros(reader.sites.get(site, 0)) for site in sites}
    for number, runs in enumerate(pieces):
        progress(number)
        for site, vectors in _vectors(reader, runs, sites).items():
            sums[site] += _of_text(runs, vectors).sum(0, dtype=np.float64)
        count += sum(len(run.text) for run in runs)
    return {site: (total / max(1, count)).astype(np.float32) for site, total in sums.items()}


def _vectors(reader: Reader, runs: Sequence[Run], sites: Sequence[Site]) -> dict[Site, Vectors]:
    """Those of all tokens of all runs, one run after the other."""
    return reader.vectors([run.ids for run in runs], sites, [run.types for run in runs])


def _of_text(runs: Sequence[Run], vectors: Vectors) -> Vectors:
    return vectors[np.concatenate([run.text + start for run, start in _starts(runs)])]


def _starts(runs: Sequence[Run]) -> list[tuple[Run, int]]:
    """Each run, and where its vectors begin among those of all."""
    ends = np.cumsum([len(run.ids) for run in runs])
    return [(run, int(end) - len(run.ids)) for run, end in zip(runs, ends, strict=True)]


def _changed(runs: Sequence[Run], site: Site, own: Vectors, instead: Vectors) -> list[Row]:
    """Each run with what its vectors gain by being replaced; special tokens gain nothing."""
    found, used = list[Row](), 0
    for run, start in _starts(runs):
        added = np.zeros((len(run.ids), own.shape[1]), np.float32)
        text = run.text
        added[text] = instead[used : used + len(text)] - own[start + text]
        found.append((run, Change(site, added)))
        used += len(text)
    return found
