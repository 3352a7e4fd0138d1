"""What is said of dictionaries and factors."""

from __future__ import annotations

import math

from flowviz.contexts.kinds import WHOLE, Site, SiteKind
from flowviz.factors.kinds import Level, Method, Order
from flowviz.factors.look.types import FactorsFound, FactorsListed, Reach
from flowviz.factors.types import About
from flowviz.views.contexts.packed import visible_line

METHOD_WORDS = {
    Method.CODING: "Sparse coding",
    Method.TOPK: "TopK autoencoder",
    Method.JUMPRELU: "JumpReLU autoencoder",
    Method.RELU: "ReLU autoencoder",
}
METHOD_TIPS = {
    Method.CODING: "Each vector's factors are found by FISTA, as Yun et al. 2021 do",
    Method.TOPK: "An encoder keeps the k strongest factors of each vector (Gao et al. 2024)",
    Method.JUMPRELU: "An encoder with a threshold for each factor (Rajamanoharan et al. 2024)",
    Method.RELU: "An encoder that keeps what is above zero",
}
LEVEL_WORDS = {Level.WORD: "word", Level.PATTERN: "pattern", Level.LONG: "long range"}
LEVEL_TIPS = {
    Level.WORD: "The word alone makes it active",
    Level.PATTERN: "It needs some words around",
    Level.LONG: "It needs words that stand far back",
}
ORDER_WORDS = {
    Order.IMPORTANCE: "Importance",
    Order.DENSITY: "Density",
    Order.LEVEL: "Reach",
    Order.NUMBER: "Number",
}
ORDER_TIP = (
    "Importance: the mean of a factor's strongest activations. Density: the share of tokens at "
    "which it is active. Reach: how far back it depends on the context."
)
BEFORE = {
    SiteKind.RESID_PRE: "before block",
    SiteKind.RESID_MID: "inside block",
    SiteKind.HEADS: "heads of block",
    SiteKind.ATTN_OUT: "attention of block",
    SiteKind.MLP_OUT: "MLP of block",
    SiteKind.NEURONS: "neurons of block",
}
IN_SHORT = {
    SiteKind.RESID_MID: "mid ",
    SiteKind.HEADS: "heads ",
    SiteKind.ATTN_OUT: "attn ",
    SiteKind.MLP_OUT: "MLP ",
    SiteKind.NEURONS: "neurons ",
}
IN_A_BLOCK = (SiteKind.RESID_PRE, SiteKind.HEADS, SiteKind.ATTN_OUT, SiteKind.RESID_MID,
              SiteKind.NEURONS, SiteKind.MLP_OUT, SiteKind.RESID_FINAL)  # fmt: skip
Figure = tuple[str, str, str]  # its name, its value, what it means


def site_words(site: Site) -> str:
    """A site, as in `before block 3`."""
    return "behind all blocks" if site.layer == WHOLE else f"{BEFORE[site.kind]} {site.layer}"


def site_short(site: Site) -> str:
    """A site on an axis, as in `3`, `mid 3`, `end`."""
    return "end" if site.layer == WHOLE else f"{IN_SHORT.get(site.kind, '')}{site.layer}"


def depth(site: Site) -> tuple[float, int]:
    """What sites are sorted by, as a pass comes through them."""
    layer = math.inf if site.layer == WHOLE else float(site.layer)
    return layer, IN_A_BLOCK.index(site.kind)


def number(value: float) -> str:
    """A number to three digits, with a true minus."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    tiny = 0 < size < 0.0005
    text = f"{value:.1e}" if tiny else f"{value:.3f}" if size < 10 else f"{value:,.1f}"
    return text.replace("-", "−")


def share(value: float | None) -> str:
    """A share as a percentage."""
    if value is None or not math.isfinite(value):
        return "–"
    percent = 100 * value
    if 0 < abs(percent) < 0.01:
        return "<0.01%"
    digits = 0 if abs(percent) >= 10 or percent == 0 else 1 if abs(percent) >= 1 else 2
    return f"{percent:.{digits}f}%".replace("-", "−")


def card(about: About, tokens: int, dead: int) -> list[Figure]:
    """What a dictionary says of itself, and what the survey adds.

    Args:
        tokens: of the corpus of the survey; dead: factors that are active nowhere in it.
    """
    made: list[Figure | None] = [
        ("Method", METHOD_WORDS[about.method], METHOD_TIPS[about.method]),
        ("Factors", f"{about.factors:,}", f"Directions of {about.width:,} numbers each"),
        ("Learned at", sites_words(about.sites),
         f"The vectors that it was learned on, pooled: "
         f"{', '.join(map(site_words, sorted(about.sites, key=depth)))}"),
        _figure("Explained", share(about.explained), about.explained,
                "The share of variance that its reconstructions explain, on held-out vectors"),
        _figure("L0", f"{about.l0:.1f}" if about.l0 is not None else "", about.l0,
                "How many factors a vector has, in the mean"),
        _figure("Loss kept", share(about.recovered), about.recovered,
                "The share of the model's loss that is kept when it runs on the reconstruction, "
                "against the mean of all vectors in its place"),
        _figure("Dead", f"{about.dead:,}" if about.dead is not None else "", about.dead,
                "Factors that were never active on held-out vectors; "
                f"{dead:,} are active nowhere in this corpus of {tokens:,} tokens"),
    ]  # fmt: skip
    return [each for each in made if each]


def _figure(name: str, value: str, known: float | int | None, tip: str) -> Figure | None:
    return None if known is None else (name, value, tip)


def sites_words(sites: tuple[Site, ...]) -> str:
    """Sites in short: `5 places, 1 to end`."""
    ordered = sorted(sites, key=depth)
    if len(sites) == 1:
        return site_words(sites[0])
    return f"{len(sites)} places, {site_short(ordered[0])} to {site_short(ordered[-1])}"


def about_line(about: About) -> str:
    """A dictionary in its box."""
    return f"{visible_line(about.name)}: {about.factors:,}, {METHOD_WORDS[about.method]}"


def range_words(listed: FactorsListed, size: int) -> str:
    """Which part of the list is shown."""
    if not listed.total:
        return "no factor"
    first = listed.request.page * size + 1
    if not listed.rows:
        return f"{listed.total:,} factors"
    return f"{first:,}–{first + len(listed.rows) - 1:,} of {listed.total:,}"


def nothing_words(listed: FactorsListed) -> str:
    """Why the list is empty."""
    request = listed.request
    if request.page and listed.total:
        return "The list has no such page. Go back to the first."
    asked = []
    if request.text:
        asked.append(f"has “{visible_line(request.text)}” among its words or tokens")
    if request.level:
        asked.append(f"is of the level “{LEVEL_WORDS[request.level]}”")
    if not asked:
        return "No factor of this dictionary is active in this corpus."
    return f"No factor {' and '.join(asked)}. Search for something else, or for less."


def reach_words(reach: Reach | None) -> str:
    """A factor's level, in a sentence."""
    if reach is None:
        return "It was active too seldom to say how far back it depends on the context."
    kept = reach.kept[0] if reach.kept else 0.0
    return (
        f"{LEVEL_WORDS[reach.level].capitalize()}: {LEVEL_TIPS[reach.level].lower()}. With only "
        f"its own token to see, {share(kept)} of the activation is left, over {reach.words} of its "
        f"strongest contexts. 80% is left with {tokens_words(reach.reach)}."
    )


def tokens_words(reach: float) -> str:
    """How many tokens a factor needs to see."""
    text = f"{reach:.1f}".removesuffix(".0")
    return f"{text} token{'' if text == '1' else 's'} to see"


def window_words(window: int, last: bool) -> str:
    """How much of the context was left to see."""
    if last:
        return "all"
    return "itself" if window == 1 else f"{window:,}"


def status_words(found: FactorsFound) -> str:
    """What was looked at, in a line."""
    listed = found.listed
    if listed is None:
        return ""
    survey = listed.survey
    said = [
        f"{visible_line(listed.about.name)}: {listed.about.factors:,} factors",
        f"{visible_line(survey.corpus)}: {survey.sentences:,} sentences, "
        f"{survey.tokens:,} tokens at {len(survey.sites)} sites",
    ]
    return "; ".join(said) + "."
