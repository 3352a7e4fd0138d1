"""Two passes compared, as a report to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from flowviz.compare.types import Comparison, Side
from flowviz.graph.types import STATES
from flowviz.views.compare.tables import change_rows
from flowviz.views.compare.words import (
    SAME,
    change_words,
    changes_words,
    coverage,
    different_numbers,
    exactness,
    explained,
    failures,
    name,
    value_words,
)
from flowviz.views.tokens import clip, visible, width
from flowviz.views.words import percent, signed

COLUMNS, INDENT = 100, 14
MOST_CHANGES = 20
MOST_PREDICTIONS = 8
CELLS = (38, 10, 10, 12, 12, 14)
PREDICTION_CELLS = (38, 10, 10, 12)
NONE = "–"


def text(comparison: Comparison) -> str:
    """The whole report; of what changed, components alone, because states hold them all."""
    parts = [_head(comparison), _predictions(comparison), _changes(comparison)]
    return "\n\n".join("\n".join(part) for part in parts)


def _head(comparison: Comparison) -> list[str]:
    said = (different_numbers(comparison), *failures(comparison))
    drawn = coverage(comparison)
    if not comparison.same and comparison.graph.checks.exact:
        drawn += " rest nodes"
    return [
        *_side("First", comparison.first),
        *_side("Second", comparison.second),
        *_line("Aligned", comparison.alignment),
        *_line("Explained", f"{explained(comparison)}: {value_words(comparison)}"),
        *_line("Exactness", exactness(comparison)),
        *_line("Drawn", drawn),
        *(line for words in said if words for line in _line("Mind", words)),
    ]


def _side(which: str, side: Side) -> list[str]:
    changed = changes_words(side)
    donor = f", values from {visible(side.donor)}" if side.donor else ""
    words = f"{visible(side.prompt)} · {len(side.tokens):,} tokens · {visible(side.model.name)}"
    return [
        *_line(which, words),
        *(_line("", f"changed: {changed}{donor}") if changed else []),
    ]


def _line(title: str, words: str) -> list[str]:
    lines = wrap(words, COLUMNS - INDENT, break_on_hyphens=False) or [""]
    heads = [title, *[""] * (len(lines) - 1)]
    return [f"{head:<{INDENT}}{line}" for head, line in zip(heads, lines, strict=True)]


def _predictions(comparison: Comparison) -> list[str]:
    rows = [
        (
            visible(pair.token),
            percent(pair.first.probability),
            percent(pair.second.probability),
            change_words(pair.difference),
        )
        for pair in comparison.predictions[:MOST_PREDICTIONS]
    ]
    head = ("Predictions", "first", "second", "points")
    return [_row(row, PREDICTION_CELLS) for row in (head, *rows)]


def _changes(comparison: Comparison) -> list[str]:
    if comparison.same:
        return [f"{SAME}."]
    rows = change_rows(comparison)
    pairs = zip(rows, comparison.changes, strict=True) if rows else ()
    found = [(row, change) for row, change in pairs if change.key.kind not in STATES]
    head = ("What changed most", "first", "second", "difference", "reads first", "second as")
    cells = [
        (
            name(change.key, comparison),
            NONE if row["first"] is None else signed(row["first"]),
            NONE if row["second"] is None else signed(row["second"]),
            signed(row["difference"]),
            _top(row["first_top"]),
            _top(row["second_top"]),
        )
        for row, change in found[:MOST_CHANGES]
    ]
    return [_row(row, CELLS) for row in (head, *cells)] if cells else ["No flow is shown."]


def _top(token: str | None) -> str:
    return NONE if token is None else visible(token)


def _row(cells: Sequence[str], sizes: Iterable[int]) -> str:
    """The first cell on the left, numbers on the right of theirs."""
    made = []
    for place, (cell, size) in enumerate(zip(cells, sizes, strict=True)):
        cell = clip(cell, size - 1)
        pad = " " * (size - width(cell))
        made.append(cell + pad if place in (0,) else pad + cell)
    return "".join(made).rstrip()
