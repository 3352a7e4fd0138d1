"""What a search of contexts found as tables of plain values, for CSV."""

from __future__ import annotations

from typing import Any

from flowviz.analyses.tables import Table
from flowviz.contexts.kinds import ANNOTATIONS, Feature, Role
from flowviz.contexts.types import ContextsFound, Hit

SAID = (Feature.FORM, *ANNOTATIONS)
HITS = (
    "rank", "score", "text", "part", "place", "sentence", "row", "position", "token",
    *(f"{role}_{feature}" for role in Role for feature in SAID),
    "attended_position", "attended_offset",
)  # fmt: skip
SUMMARY = (
    "role", "feature", "value", "count", "known", "unknown", "share", "low", "high", "base",
    "ratio", "over", "base_of",
)  # fmt: skip


def hits_table(found: ContextsFound) -> Table:
    """A row for each hit, best first; empty where nothing is said of a word."""
    rows = tuple(_hit(rank, hit) for rank, hit in enumerate(found.hits, 1))
    return Table("hits", "Similar contexts", HITS, rows)


def _hit(rank: int, hit: Hit) -> dict[str, Any]:
    words = {role: hit.word(role) for role in Role}
    said = {
        f"{role}_{feature}": "" if word is None else word.value(feature)
        for role, word in words.items()
        for feature in SAID
    }
    return {
        "rank": rank,
        "score": hit.score,
        "text": hit.text,
        "part": hit.part,
        "place": hit.place,
        "sentence": hit.sentence,
        "row": hit.row,
        "position": hit.position,
        "token": hit.tokens.tokens[hit.position].text,
        **said,
        "attended_position": hit.attended,
        "attended_offset": None if hit.attended is None else hit.attended - hit.position,
    }


def summary_table(found: ContextsFound) -> Table:
    """A row for each bar of each summary."""
    rows = tuple(
        {
            "role": str(summary.role),
            "feature": str(summary.feature),
            "value": bar.value,
            "count": bar.count,
            "known": summary.known,
            "unknown": summary.unknown,
            "share": bar.share,
            "low": bar.low,
            "high": bar.high,
            "base": bar.base,
            "ratio": bar.ratio,
            "over": bar.over,
            "base_of": summary.base_of,
        }
        for summary in found.summaries
        for bar in summary.bars
    )
    return Table("summaries", "What they have in common", SUMMARY, rows)
