"""One head packed for the browser: base64 of little-endian float32, never JSON lists.

Of many sources a window travels: 64 keys of 128 dimensions take 44 kB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowviz.attention.arrays import array_text
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import ScorePart, WhyThere
from flowviz.graph.types import NodeKey
from flowviz.views.head.look import Order, View
from flowviz.views.head.words import (
    End,
    attended,
    figure,
    head_name,
    most_attended,
    part_name,
    part_tip,
    token_name,
)
from flowviz.views.tokens import visible

MOST_SOURCES = 64
MOST_LINES = 6  # of the distance chart, beside the whole score


@dataclass(frozen=True)
class Sources:
    """A window of a query's sources, in some order.

    Args:
        places: the sources that are shown, as rows of the view's keys.
        start: where the window begins, in the order of all.
        count: how many sources there are.
    """

    places: tuple[int, ...]
    start: int
    count: int

    @classmethod
    def of(cls, view: NeuronView, order: Order, start: int | None) -> Sources:
        """The window that begins there, or as near as can be; None for the most attended's."""
        count = len(view.k)
        ranked = np.arange(count)
        if order is Order.ATTENTION:
            ranked = np.argsort(-view.pattern, kind="stable")
        middle = int(np.flatnonzero(ranked == most_attended(view))[0]) - MOST_SOURCES // 2
        last = max(0, count - MOST_SOURCES)
        begin = max(0, min(middle if start is None else start, last))
        return cls(tuple(map(int, ranked[begin : begin + MOST_SOURCES])), begin, count)

    def words(self, view: NeuronView, order: Order) -> str:
        """What is in sight, and how much attention the rest has; empty where all is."""
        if len(self.places) == self.count:
            return ""
        end = self.start + len(self.places)
        held = attended(float(view.pattern[list(self.places)].sum()))
        ranked = "by attention" if order is Order.ATTENTION else "in order"
        return (
            f"Sources {self.start + 1} to {end} of {self.count:,} {ranked}; they have {held} of "
            "the attention."
        )


def neurons_packed(view: NeuronView, order: Order, start: int | None) -> dict[str, Any]:
    """Query, keys and scores of a window of sources: what the neuron view draws.

    `q` and `deciding` are float32 [dimension], `k` is [source, dimension], `score` and `pattern`
    [source]. A product is q times k; times `scale` it is a dimension's share of the score.
    `largest` holds the largest size of all sources, so that every window has one scale.
    """
    window = Sources.of(view, order, start)
    rows, most = list(window.places), most_attended(view)
    sources = view.sources
    return {
        "view": str(View.NEURONS),
        "name": head_name(view.layer, view.head),
        "layer": view.layer,
        "head": view.head,
        "query": view.query,
        "reads": token_name(view.tokens, view.query),
        "scale": view.scale,
        "d_head": len(view.q),
        "positions": [sources[at].position for at in rows],
        "tokens": [visible(sources[at].text) for at in rows],
        "most": sources[most].position,
        "start": window.start,
        "count": window.count,
        "strongest": list(view.strongest),
        "largest": {
            "q": _largest(view.q),
            "k": _largest(view.k),
            "product": _largest(view.product),
            "deciding": _largest(view.deciding),
        },
        "q": array_text(view.q, "<f4"),
        "deciding": array_text(view.deciding, "<f4"),
        "k": array_text(view.k[rows], "<f4"),
        "score": array_text(view.score[rows], "<f4"),
        "pattern": array_text(view.pattern[rows], "<f4"),
    }


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0)) or 1.0


def decay_packed(decay: Decay) -> dict[str, Any]:
    """Mean shares by distance: what the distance view draws.

    `means` is float32 [distance, dimension], not a number where no pair has that distance.
    """
    return {
        "view": str(View.DISTANCE),
        "name": head_name(decay.layer, decay.head),
        "layer": decay.layer,
        "head": decay.head,
        "counts": decay.counts.tolist(),
        "d_head": int(decay.sums.shape[1]),
        "means": array_text(decay.means, "<f4"),
        "slopes": decay.slopes.tolist(),
        "correlations": decay.correlations.tolist(),
        "slope": decay.slope,
        "lines": list(decay.strongest[:MOST_LINES]),
    }


def why_packed(found: WhyThere, linked: bool = True) -> dict[str, Any]:
    """Parts and their pairs: what the heat map draws. `pairs` is float32 [row, column].

    Args:
        linked: whether its components can be opened in the flow: only a GPT has one.
    """
    return {
        "view": str(View.WHY),
        "name": head_name(found.layer, found.head),
        "layer": found.layer,
        "head": found.head,
        "query": found.query,
        "key": found.key,
        "reads": token_name(found.tokens, found.query),
        "read": token_name(found.sources, found.key),
        "count": len(found.pattern),
        "product": found.product,
        "rows": [_part(part, found, End.QUERY, linked) for part in found.query_parts],
        "columns": [_part(part, found, End.KEY, linked) for part in found.key_parts],
        "pairs": array_text(found.pairs, "<f4"),
        "largest": _largest(found.pairs),
    }


def _part(part: ScorePart, found: WhyThere, end: End, linked: bool) -> dict[str, Any]:
    node = str(part.what) if linked and isinstance(part.what, NodeKey) else None
    return {
        "name": part_name(part, found, end),
        "tip": part_tip(part, found, end),
        "share": figure(part.share),
        "beyond": figure(part.beyond),
        "node": node,
    }
