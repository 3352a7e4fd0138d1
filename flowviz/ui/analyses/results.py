"""A result as the page shows it: charts, then the numbers behind them as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from flowviz.analyses.request import AnalysisRequest
from flowviz.analyses.types import (
    ActiveNeurons,
    HeadMatch,
    NeuronMatch,
    NormFilters,
    Overlap,
    Result,
    TargetCourse,
    TokenSearch,
)
from flowviz.ui.analyses.norms import norms
from flowviz.ui.analyses.numbers import Links, numbers
from flowviz.ui.analyses.parts import chart, head, side_by_side
from flowviz.views.analyses.links import Place
from flowviz.views.analyses.neurons import difference_chart, shares_chart
from flowviz.views.analyses.overlap import overlap_panels
from flowviz.views.analyses.search import head_bars, neuron_bars
from flowviz.views.analyses.target import probability_chart, rank_chart
from flowviz.views.tokens import visible


@dataclass(frozen=True)
class Look:
    """How a result is looked at: the theme, the chosen norm, where finds are opened."""

    theme: str
    norm: object = None
    place: Place | None = None


def found(request: AnalysisRequest, result: Result, look: Look) -> list[Component]:
    """All that is shown of a result."""
    links = Links(request.model, look.place)
    return [head(request.analysis, result), *_charts(result, look), *numbers(result, links)]


def _charts(result: Result, look: Look) -> list[Component]:
    match result:
        case Overlap():
            panels = overlap_panels(result, look.theme)
            return [side_by_side(*(chart(p.title, p.reading, p.figure) for p in panels))]
        case TargetCourse():
            return [_course(result, look.theme)]
        case NormFilters():
            return norms(result, look.theme, look.norm)
        case ActiveNeurons():
            return [_active(result, look.theme)]
        case TokenSearch():
            return [_search(result, look.theme)]


def _course(result: TargetCourse, theme: str) -> html.Div:
    return side_by_side(
        chart("Probability by stage", "Means; the band is one deviation from prompt to prompt.",
              probability_chart(result, theme)),
        chart("Rank by stage", "The median, which a few bad prompts do not move, and the mean.",
              rank_chart(result, theme)),
    )  # fmt: skip


def _active(result: ActiveNeurons, theme: str) -> html.Div:
    return side_by_side(
        chart("How many are how often active",
              "Read from the right: the neurons that are active on nearly every prompt.",
              shares_chart(result, theme)),
        chart("How the listed ones differ from their layer",
              "In the dotted field a neuron is like the others of its layer.",
              difference_chart(result, theme)),
    )  # fmt: skip


def _search(result: TokenSearch, theme: str) -> html.Div:
    token = visible(result.token)
    return side_by_side(
        _neurons(f"Neurons for {token}", result.promoting_neurons, theme),
        _neurons(f"Neurons against {token}", result.suppressing_neurons, theme),
        _heads(f"Heads for {token}", result.promoting_heads, theme),
        _heads(f"Heads against {token}", result.suppressing_heads, theme),
    )


def _neurons(title: str, matches: Sequence[NeuronMatch], theme: str) -> html.Section:
    reading = "What each adds to the logit for a unit of activation; beside it the token's rank "
    return _bars(title, f"{reading}among the neuron's own tokens, and the cosine.", matches,
                 neuron_bars, theme)  # fmt: skip


def _heads(title: str, matches: Sequence[HeadMatch], theme: str) -> html.Section:
    reading = "The strongest effect for full attention, and the source tokens that have it."
    return _bars(title, reading, matches, head_bars, theme)


def _bars(title: str, reading: str, matches: Sequence, draw: Callable, theme: str) -> html.Section:
    if not matches:
        return html.Section([html.H3(title), html.P("There are none.")], className="chart")
    return chart(title, reading, draw(matches, theme))
