"""The norms as semantic filters on the page: all of them, and one closely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.analyses.types import NormFilter, NormFilters, RankedToken, Result
from flowviz.ui.analyses.ids import Analyses
from flowviz.ui.analyses.numbers import numbers_of_norm
from flowviz.ui.analyses.parts import chart, side_by_side
from flowviz.views.analyses.norms import (
    MEASURES,
    Measure,
    change_chart,
    find_norm,
    norm_key,
    norm_title,
    overview_chart,
)
from flowviz.views.tokens import visible
from flowviz.views.words import percent


def norms(result: NormFilters, theme: str, chosen: object) -> list[Component]:
    """Three charts over all norms, and the chosen one, by default the one that shifts most."""
    norm = find_norm(result, chosen)
    if norm is None:
        return [html.P("This model has no norms that could be read.", className="note")]
    overview = [_overview(result, number, each, theme) for number, each in enumerate(MEASURES)]
    return [
        side_by_side(*overview),
        html.Section(
            [
                dmc.Select(
                    id=Analyses.NORM,
                    value=norm_key(norm),
                    data=[{"value": norm_key(n), "label": norm_title(n)} for n in result.norms],
                    allowDeselect=False,
                    searchable=True,
                    label="Look at one norm",
                    className="norm-box",
                ),
                html.Div(norm_detail(result, norm, theme), id=Analyses.NORM_DETAIL),
            ],
            className="one-norm",
        ),
    ]


def _overview(result: NormFilters, number: int, measure: Measure, theme: str) -> html.Section:
    name = {"type": Analyses.OVERVIEW, "index": number}
    reading = f"{measure.reading} Hollow marks: random vectors of equal length."
    return chart(measure.title, reading, overview_chart(result, measure, theme), name)


def chosen_norm(result: Result, key: object, theme: str) -> list[Component]:
    """The chosen norm of a result; nothing of a result that has no norms."""
    if not isinstance(result, NormFilters):
        return []
    norm = find_norm(result, key)
    return norm_detail(result, norm, theme) if norm else []


def norm_detail(result: NormFilters, norm: NormFilter, theme: str) -> list[Component]:
    """One norm: its figures, the tokens that lose and gain, the first ones before and after."""
    return [
        _figures(norm),
        side_by_side(
            chart("What loses", "Probability before → after, as means over the vectors.",
                  change_chart(norm.losers, theme)),
            chart("What gains", "The upright marks say what the same norm does to random vectors.",
                  change_chart(norm.gainers, theme)),
        ),
        html.Section(
            [
                html.H3("The first tokens, before and after"),
                html.P("By mean probability. Those in both lists are marked."),
                html.Div(
                    [
                        _list("before", norm.top_before, norm.top_after),
                        _list("after", norm.top_after, norm.top_before),
                    ],
                    className="tops",
                ),
            ]
        ),
        *numbers_of_norm(result, norm),
    ]  # fmt: skip


def _figures(norm: NormFilter) -> html.Dl:
    pairs = [
        (
            measure.title,
            measure.words(measure.value(norm)),
            f"random vectors {measure.words(measure.control(norm))}",
        )
        for measure in MEASURES
    ]
    vectors = ("Vectors", f"{norm.vectors:,}", "over which the means are")
    return html.Dl(
        [
            html.Div([html.Dt(name), html.Dd([value, html.Small(control)])])
            for name, value, control in [*pairs, vectors]
        ],
        className="figures",
    )  # fmt: skip


def _list(name: str, tokens: Sequence[RankedToken], others: Sequence[RankedToken]) -> html.Div:
    most = max((token.probability for token in tokens), default=0.0) or 1.0
    ranks = {token.id: rank for rank, token in enumerate(others, 1)}
    items = [_ranked(token, ranks.get(token.id), most) for token in tokens]
    return html.Div([html.H4(name), html.Ol(items)])


def _ranked(token: RankedToken, other: int | None, most: float) -> html.Li:
    words = visible(token.text)
    beside = f"also in the other list, as number {other}" if other else "only in this list"
    about: Any = {"title": f"{words}: {percent(token.probability)}, {beside}"}
    return html.Li(
        [
            html.I(style={"width": f"{100 * token.probability / most:.0f}%"}),
            html.Span(words),
            html.Small(percent(token.probability)),
            html.Small(f"↔ {other}" if other else "", className="other"),
        ],
        className="shared" if other else "alone",
        **about,
    )
