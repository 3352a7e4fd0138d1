"""Which tables of a result the page shows, and where their rows lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dash import html
from dash.development.base_component import Component

from flowviz.analyses.tables import Table, tables
from flowviz.analyses.types import (
    ActiveNeurons,
    NormFilter,
    NormFilters,
    Overlap,
    Result,
    TargetCourse,
    TokenSearch,
)
from flowviz.ui.analyses.tables import shown_table
from flowviz.views.analyses.links import Place, match_link, neuron_link, outcome_link

# what shows at once; the others show their name until that is clicked
FIRST = {
    Overlap: ("by_layer",),
    TargetCourse: ("prompts",),
    NormFilters: ("norms",),
    ActiveNeurons: ("neurons",),
    TokenSearch: ("neurons", "heads"),
}
OF_ONE_NORM = ("changes", "tops")


@dataclass(frozen=True)
class Links:
    """Where rows lead: into the flow of their own prompt, or of a prompt that was given."""

    model: str
    place: Place | None = None


def numbers(result: Result, links: Links) -> list[Component]:
    """The tables of a result, the chief ones first; those of a norm stand with the norm."""
    first = FIRST[type(result)]
    made = [each for each in tables(result) if each.name not in OF_ONE_NORM]
    made.sort(key=lambda each: each.name not in first)
    shown = [
        shown_table(each, _addresses(result, each.name, links), folded=each.name not in first)
        for each in made
    ]
    return [html.H2("The numbers", className="numbers-head"), *shown]


def numbers_of_norm(result: NormFilters, norm: NormFilter) -> list[Component]:
    """The tables of one norm."""
    made = [table for table in tables(result) if table.name in OF_ONE_NORM]
    return [shown_table(_rows_of(table, norm), folded=True) for table in made]


def _rows_of(table: Table, norm: NormFilter) -> Table:
    named = (norm.name, norm.layer)
    rows = tuple(row for row in table.rows if (row["norm"], row["layer"]) == named)
    return replace(table, rows=rows)


def _addresses(result: Result, table: str, links: Links) -> Sequence[str | None]:
    match result, table:
        case TargetCourse(), "prompts":
            return [outcome_link(links.model, outcome) for outcome in result.outcomes]
        case ActiveNeurons(), "neurons":
            return [neuron_link(links.model, neuron) for neuron in result.neurons]
        case TokenSearch(), "neurons":
            found = (*result.promoting_neurons, *result.suppressing_neurons)
            return [match_link(links.model, match, links.place) for match in found]
        case TokenSearch(), "heads":
            heads = (*result.promoting_heads, *result.suppressing_heads)
            return [match_link(links.model, match, links.place) for match in heads]
    return ()
