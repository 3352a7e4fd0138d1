"""Factors as tables to download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowviz.analyses.tables import Table
from flowviz.factors.look.types import FactorContext, FactorsListed, FactorTold, PromptFactors

LIST = ("factor", "site", "importance", "density", "word", "share", "level", "reach", "promoted")
FACTOR = ("what", "name", "number", "more", "text")
PROMPT = ("factor", "word", "site", "position", "token", "activation")


def list_table(listed: FactorsListed) -> Table:
    """The list's page, a row for each factor."""
    rows = tuple(
        {
            "factor": row.factor,
            "site": str(row.site),
            "importance": row.importance,
            "density": row.density,
            "word": row.word,
            "share": row.words,
            "level": row.level.value if row.level else "",
            "reach": "" if row.reach is None else row.reach,
            "promoted": " ".join(token.strip() for token in row.promoted),
        }
        for row in listed.rows
    )
    return Table("list", "Factors", LIST, rows)


def factor_table(told: FactorTold) -> Table:
    """One factor: a row for each number that is shown, told apart by `what`."""
    return Table(f"factor-{told.factor}", f"Factor {told.factor}", FACTOR, tuple(_told(told)))


def _told(told: FactorTold) -> Iterator[dict[str, Any]]:
    sites = zip(told.survey.sites, told.importance, told.density, strict=True)
    for site, importance, density in sites:
        yield _row("importance", str(site), importance, density)
    for i, count in enumerate(told.counts):
        yield _row("histogram", float(told.edges[i]), int(count), float(told.edges[i + 1]))
    for context in told.top:
        yield _context("top", context)
    for band in told.bands:
        for context in band.contexts:
            yield _context(f"{band.low:g} to {band.high:g}", context)
    for what, readings in (("promoted", told.promoted), ("suppressed", told.suppressed)):
        for each in readings:
            yield _row(what, each.token, each.score, each.id)
    for near in told.near:
        yield _row("near", near.factor, near.cosine, near.word)
    for summary in told.summaries:
        for bar in summary.bars:
            yield _row(str(summary.feature), bar.value, bar.share, bar.base)
    if told.reach is not None:
        for window, kept in zip(told.reach.windows, told.reach.kept, strict=True):
            yield _row("kept", window, kept, told.reach.level.value)


def _row(what: str, name: object, number: object, more: object, text: str = "") -> dict[str, Any]:
    return {"what": what, "name": name, "number": number, "more": more, "text": text}


def _context(what: str, context: FactorContext) -> dict[str, Any]:
    place = f"{context.sentence}:{context.at}"
    return _row(what, context.word, context.activation, place, "".join(context.tokens))


def prompt_table(prompt: PromptFactors) -> Table:
    """A prompt's factors: a row for each that is active at a token of a site."""
    rows = tuple(
        {
            "factor": factor,
            "word": word,
            "site": str(site),
            "position": at,
            "token": token.text,
            "activation": float(prompt.activations[f, s, at]),
        }
        for f, (factor, word) in enumerate(zip(prompt.factors, prompt.words, strict=True))
        for s, site in enumerate(prompt.sites)
        for at, token in enumerate(prompt.tokens)
        if prompt.activations[f, s, at] != 0
    )
    return Table("prompt", "Factors of the prompt", PROMPT, rows)
