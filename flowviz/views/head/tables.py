"""One head as tables: rows of plain values for CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import WhyThere
from flowviz.views.files import table_csv
from flowviz.views.head.words import End, part_name, parts_of


@dataclass(frozen=True)
class Table:
    """A table of a file's name."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]

    def csv(self) -> str:
        """Its text."""
        return table_csv(self.columns, self.rows)


def sources_table(view: NeuronView) -> Table:
    """A row a source: its score, its attention, and each dimension's share of the score."""
    d_head = len(view.q)
    shares = view.product * view.scale
    rows = [
        {
            "position": token.position,
            "token": token.text,
            "score": float(view.score[at]),
            "attention": float(view.pattern[at]),
            **{f"share_{dim}": float(shares[at, dim]) for dim in range(d_head)},
        }
        for at, token in enumerate(view.sources)
    ]
    columns = ("position", "token", "score", "attention", *(f"share_{d}" for d in range(d_head)))
    return Table("sources", columns, rows)


def dimensions_table(view: NeuronView) -> Table:
    """A row a dimension, the most deciding first."""
    columns = ("dimension", "query", "decides")
    rows = [
        {"dimension": dim, "query": float(view.q[dim]), "decides": float(view.deciding[dim])}
        for dim in view.strongest
    ]
    return Table("dimensions", columns, rows)


def slopes_table(decay: Decay) -> Table:
    """A row a dimension, the steepest first; then the whole score."""
    columns = ("dimension", "slope", "correlation")
    rows: list[dict[str, Any]] = [
        {
            "dimension": dim,
            "slope": float(decay.slopes[dim]),
            "correlation": float(decay.correlations[dim]),
        }
        for dim in decay.strongest
    ]
    rows.append({"dimension": "score", "slope": decay.slope, "correlation": None})
    return Table("slopes", columns, rows)


def parts_table(found: WhyThere) -> Table:
    """A row a part of the query or of the key."""
    columns = ("end", "component", "name", "share", "beyond")
    rows = [
        {
            "end": str(end),
            "component": str(part.what),
            "name": part_name(part, found, end),
            "share": part.share,
            "beyond": part.beyond,
        }
        for end in End
        for part in parts_of(found, end)
    ]
    return Table("parts", columns, rows)


def pairs_table(found: WhyThere) -> Table:
    """A row a pair of a query's part and a key's part."""
    rows = [
        {
            "query_component": str(asks.what),
            "key_component": str(asked.what),
            "share": float(found.pairs[i, j]),
        }
        for i, asks in enumerate(found.query_parts)
        for j, asked in enumerate(found.key_parts)
    ]
    return Table("pairs", ("query_component", "key_component", "share"), rows)


def means_table(decay: Decay) -> Table:
    """A row a distance: how many pairs, the mean score, each dimension's mean share."""
    d_head, means = decay.sums.shape[1], decay.means
    rows = [
        {
            "distance": distance,
            "pairs": int(count),
            "score": float(means[distance].sum()),
            **{f"share_{dim}": float(means[distance, dim]) for dim in range(d_head)},
        }
        for distance, count in enumerate(decay.counts)
        if count
    ]
    columns = ("distance", "pairs", "score", *(f"share_{dim}" for dim in range(d_head)))
    return Table("distances", columns, rows)


def tables(answer: WhyThere | NeuronView | Decay) -> tuple[Table, Table]:
    """The two tables of an answer, the chief one first."""
    if isinstance(answer, WhyThere):
        return parts_table(answer), pairs_table(answer)
    if isinstance(answer, Decay):
        return slopes_table(answer), means_table(answer)
    return dimensions_table(answer), sources_table(answer)
