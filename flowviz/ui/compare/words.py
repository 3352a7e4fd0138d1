"""What the page says of a comparison: how exact it is, what to bear in mind, where all is one."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from flowviz.compare.types import Comparison
from flowviz.views.compare.words import (
    SAME,
    coverage,
    different_numbers,
    exactness,
    failures,
    value_words,
)
from flowviz.views.laws import exactness_tip

Said = list[Component | str]


def status_line(comparison: Comparison) -> Said:
    """How exact both passes are, and how much of what differs is drawn."""
    sides = (comparison.first, comparison.second)
    exact = all(side.checks.exact for side in sides)
    tip = "\n\n".join(
        f"{which} pass. {exactness_tip(side.checks)}"
        for which, side in zip(("First", "Second"), sides, strict=True)
    )
    shown = exact and not comparison.same
    rest = html.Span("◇", className="rest-mark") if shown else ""
    look = "exact" if exact else "not-exact"
    line = html.Span(exactness(comparison), className=look, title=tip)
    return [line, f" · {coverage(comparison)} ", rest]


def banner(comparison: Comparison) -> Said:
    """Where a law failed on a side: which; nothing where all held."""
    failed = failures(comparison)
    if not failed:
        return []
    said = "So no flow is compared; predictions and readings are still right."
    return [*(html.Strong(f"{words} ") for words in failed), html.Span(said)]


def note(comparison: Comparison) -> str:
    """What to bear in mind where the two sides explain different numbers."""
    return different_numbers(comparison) or ""


def same_words(comparison: Comparison) -> Said:
    """What stands in the picture's place where nothing differs."""
    if not comparison.same:
        return []
    return [
        html.H2(SAME),
        html.P("Change a word of the second prompt, or choose another checkpoint or a change in "
               "the pass."),
    ]  # fmt: skip


def value_line(comparison: Comparison) -> html.Span:
    """The number that is explained, on both sides."""
    return html.Span(value_words(comparison))
