"""Which heads, values, rows of W_O and neurons are drawn; the same request, the same choice.

By norm, VISIT's way: heads by the length of what they write, rows of W_O and neurons by their
activation times the length of their weights' own vector; neurons from both ends of the signed
order, those that are silent left out. By flow: heads and rows by the absolute flow, neurons from
both ends of the signed flow. Ties go to the lower index. Values are those that their head attends
most, in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.inside.heads import HeadsAt
from flowviz.inside.neurons import NeuronsAt
from flowviz.inside.request import InsideSettings, Rank

MOST_ELEMENTS = 3_000


@dataclass(frozen=True)
class Chosen:
    """What is drawn of one block.

    Args:
        heads: the strongest first.
        sources: for each of them, the positions that it attends most, the strongest first.
        rows: head and row within it.
        neurons: those with the highest rank from the top down, then those with the lowest.
    """

    heads: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]
    rows: tuple[tuple[int, int], ...]
    neurons: tuple[int, ...]

    @property
    def values(self) -> list[tuple[int, int]]:
        """Head and source of all values."""
        drawn = zip(self.heads, self.sources, strict=True)
        return [(head, source) for head, sources in drawn for source in sources]

    @property
    def elements(self) -> int:
        """How many nodes and edges it takes at least: without biases, rests, memories, gates."""
        parts = len(self.heads) + len(self.values) + len(self.neurons)
        return 6 * parts + 3 * len(self.rows)


def choose(heads: HeadsAt, neurons: NeuronsAt, settings: InsideSettings) -> Chosen:
    """Chooses by the settings."""
    by_flow = settings.rank is Rank.FLOW
    lengths = heads.place.attention_onto_stream(heads.written).norm(dim=-1)
    strengths = heads.z.abs() * heads.row_lengths
    rows = _largest((heads.row_flows.abs() if by_flow else strengths).flatten(), settings.rows)
    drawn = _largest(heads.flows.abs() if by_flow else lengths, settings.heads)
    d_head = heads.attention.d_head
    return Chosen(
        heads=tuple(drawn),
        sources=tuple(_attended(heads.weights[head], settings.memories) for head in drawn),
        rows=tuple((row // d_head, row % d_head) for row in rows),
        neurons=_neurons(neurons, settings, by_flow),
    )


def check_size(elements: int) -> None:
    """Raises RequestError for more nodes and edges than a picture can hold."""
    if elements > MOST_ELEMENTS:
        raise RequestError(
            f"This picture would take {elements:,} nodes and edges or more; at most "
            f"{MOST_ELEMENTS:,} are drawn. Open fewer blocks, or choose fewer heads, memories, "
            "rows or neurons."
        )


def _neurons(neurons: NeuronsAt, settings: InsideSettings, by_flow: bool) -> tuple[int, ...]:
    rank = neurons.flows if by_flow else neurons.post * neurons.lengths
    awake = neurons.post.nonzero().flatten()
    high = [int(awake[i]) for i in _largest(rank[awake], settings.high)]
    low = [int(awake[i]) for i in _largest(-rank[awake], settings.low)]
    return tuple(dict.fromkeys([*high, *low]))


def _attended(weights: Tensor, most: int) -> tuple[int, ...]:
    """The positions that a head attends most, of those that it attends at all."""
    return tuple(source for source in _largest(weights, most) if weights[source] > 0)


def _largest(values: Tensor, most: int) -> list[int]:
    order = torch.sort(values, descending=True, stable=True).indices
    return order[:most].tolist()
