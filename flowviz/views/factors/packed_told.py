"""One factor as plain values, which `assets/factors-told.js` and `-charts.js` draw."""

from __future__ import annotations

import math
from typing import Any

from flowviz.contexts.kinds import Role, Site
from flowviz.contexts.types import Summary
from flowviz.factors.look.types import Band, FactorContext, FactorTold, Near, Reach, Reading
from flowviz.views.contexts.packed import chart_packed, visible_line
from flowviz.views.contexts.words import ROLE_WORDS
from flowviz.views.factors.words import (
    LEVEL_WORDS,
    depth,
    number,
    reach_words,
    share,
    site_short,
    site_words,
    window_words,
)
from flowviz.views.tokens import visible


def told_packed(told: FactorTold) -> dict[str, Any]:
    """All of one factor."""
    most = max((each.activation for each in told.top), default=0.0)
    most = max(most, float(told.edges[-1]) if len(told.edges) else 0.0) or 1.0
    return {
        "factor": told.factor,
        "title": f"Factor {told.factor}",
        "site": str(told.site),
        "where": site_words(told.site),
        "top": [context_packed(each, most) for each in told.top],
        "bands": [_band(each, most) for each in told.bands],
        "curve": _curve(told),
        "histogram": _histogram(told),
        "reach": _reach(told.reach),
        "promoted": _readings(told.promoted),
        "suppressed": _readings(told.suppressed),
        "near": [_near(each) for each in told.near],
        "charts": [_summary(each) for each in told.summaries if each.bars],
        "base_of": next((each.base_of for each in told.summaries), ""),
        "notes": [note for note in told.notes if note not in told.about.notes],
    }


def context_packed(context: FactorContext, most: float) -> dict[str, Any]:
    """One context; `most`: the activation that is painted full."""
    return {
        "sentence": context.sentence,
        "at": context.at,
        "place": visible_line(" · ".join(filter(None, (context.part, context.place)))),
        "strength": number(context.activation),
        "bar": round(min(max(context.share, 0.0), 1.0), 4),
        "word": visible(context.word) if context.word else "",
        "position": context.position,
        "before": context.before,
        "behind": context.behind,
        "tokens": [
            piece(text, activation, most)
            for text, activation in zip(context.tokens, context.activations, strict=True)
        ],
        "tip": [
            f"{number(context.activation)}, {share(context.share)} of its strongest",
            f"sentence {context.sentence:,}, token {context.at:,}",
        ],
    }


def piece(text: str, value: float, most: float) -> list[Any]:
    """A token: its text, whether a space stands before it, its paint (−1 to 1), its number."""
    bare = text[1:] if text.startswith(" ") and len(text) > 1 else text
    paint = round(max(-1.0, min(1.0, value / most)), 3) if most else 0.0
    return [visible(bare), int(text[:1].isspace()), paint, number(value)]


def _band(band: Band, most: float) -> dict[str, Any]:
    many = "token" if band.count == 1 else "tokens"
    return {
        "title": f"{number(band.low)} to {number(band.high)}",
        "count": f"{band.count:,} {many}",
        "contexts": [context_packed(each, most) for each in band.contexts],
    }


def _curve(told: FactorTold) -> list[dict[str, Any]]:
    """The importance curve, a point for each site."""
    most = max(told.importance, default=0.0) or 1.0
    return [
        {
            "site": str(site),
            "label": site_short(site),
            "y": round(value / most, 4),
            "value": number(value),
            "here": site == told.site,
            "tip": [
                site_words(site).capitalize(),
                f"importance {number(value)}",
                f"active at {share(density)} of the tokens",
            ],
        }
        for site, value, density in _by_depth(told)
    ]


def _by_depth(told: FactorTold) -> list[tuple[Site, float, float]]:
    rows = zip(told.survey.sites, told.importance, told.density, strict=True)
    return sorted(rows, key=lambda row: depth(row[0]))


def _histogram(told: FactorTold) -> list[dict[str, Any]]:
    """Bars by the logarithm of their counts: there are far more weak activations than strong."""
    counts = [int(count) for count in told.counts]
    most = math.log1p(max(counts, default=0)) or 1.0
    return [
        {
            "y": round(math.log1p(count) / most, 4),
            "low": number(float(told.edges[i])),
            "high": number(float(told.edges[i + 1])),
            "tip": [
                f"{number(float(told.edges[i]))} to {number(float(told.edges[i + 1]))}",
                f"{count:,} token{'' if count == 1 else 's'}",
            ],
        }
        for i, count in enumerate(counts)
    ]


def _reach(reach: Reach | None) -> dict[str, Any]:
    points = []
    if reach is not None:
        last = len(reach.windows) - 1
        most = max(1.0, *reach.kept)
        points = [
            {
                "label": window_words(window, i == last),
                "y": round(max(0.0, kept) / most, 4),
                "value": share(kept),
                "tip": [f"{_seen(window, i == last)}: {share(kept)} of the activation is left"],
            }
            for i, (window, kept) in enumerate(zip(reach.windows, reach.kept, strict=True))
        ]
    return {
        "level": LEVEL_WORDS[reach.level] if reach else "",
        "look": reach.level.value if reach else "none",
        "words": reach_words(reach),
        "points": points,
    }


def _seen(window: int, last: bool) -> str:
    if last:
        return "All that stands before it seen"
    return "Only itself seen" if window == 1 else f"The last {window:,} tokens seen"


def _readings(readings: tuple[Reading, ...]) -> list[dict[str, Any]]:
    most = max((abs(each.score) for each in readings), default=0.0) or 1.0
    return [
        {
            "token": visible(each.token),
            "score": number(each.score),
            "bar": round(abs(each.score) / most, 4),
            "tip": [
                f"{visible(each.token)}, token {each.id:,}",
                f"its logit changes by {number(each.score)} for one unit of the direction",
            ],
        }
        for each in readings
    ]


def _near(near: Near) -> dict[str, Any]:
    return {
        "factor": near.factor,
        "word": visible(near.word) if near.word else "–",
        "cosine": number(near.cosine),
    }


def _summary(summary: Summary) -> dict[str, Any]:
    """A chart whose bars filter nothing here."""
    chart = chart_packed(summary)
    if summary.role is not Role.MATCHED:
        chart["title"] = f"{ROLE_WORDS[summary.role]} word: {chart['title'].lower()}"
    return chart | {"bars": [bar | {"filter": ""} for bar in chart["bars"]]}
