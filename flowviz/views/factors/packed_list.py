"""The list of factors as plain values, which `assets/factors-list.js` draws."""

from __future__ import annotations

from typing import Any

from flowviz.factors.look.types import FactorRow, FactorsListed
from flowviz.views.factors.words import (
    LEVEL_TIPS,
    LEVEL_WORDS,
    nothing_words,
    number,
    range_words,
    share,
    site_words,
)
from flowviz.views.tokens import visible


def list_packed(listed: FactorsListed, size: int) -> dict[str, Any]:
    """One page of the list; `size`: how many rows a whole page has."""
    most = max((row.importance for row in listed.rows), default=0.0) or 1.0
    return {
        "rows": [_row(row, most, listed.survey.strongest) for row in listed.rows],
        "words": range_words(listed, size),
        "nothing": "" if listed.rows else nothing_words(listed),
        "page": listed.request.page,
        "pages": -(-listed.total // size),
    }


def _row(row: FactorRow, most: float, strongest: int) -> dict[str, Any]:
    level = LEVEL_WORDS[row.level] if row.level else ""
    return {
        "factor": row.factor,
        "word": visible(row.word),
        "share": share(row.words),
        "bar": round(min(max(row.importance / most, 0.0), 1.0), 4),
        "importance": number(row.importance),
        "density": share(row.density),
        "level": level,
        "look": row.level.value if row.level else "none",
        "promoted": [visible(token) for token in row.promoted],
        "tip": _tip(row, strongest),
    }


def _tip(row: FactorRow, strongest: int) -> list[str]:
    lines = [
        f"Factor {row.factor}, strongest {site_words(row.site)}",
        f"importance {number(row.importance)}: the mean of its {strongest} strongest activations",
        f"active at {share(row.density)} of the tokens there",
        f"{visible(row.word)} in {share(row.words)} of its strongest contexts",
    ]
    if row.level is not None:
        lines.append(f"{LEVEL_WORDS[row.level]}: {LEVEL_TIPS[row.level].lower()}")
    if row.promoted:
        lines.append(f"raises {', '.join(map(visible, row.promoted))}")
    return lines
