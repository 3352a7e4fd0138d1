"""What is said of a search of contexts and of what it found."""

from __future__ import annotations

import math

from flowviz.contexts.kinds import Feature, Metric, Role, Site, SiteKind
from flowviz.contexts.types import Bar, ContextsFound, Summary
from flowviz.views.tokens import visible

SITE_WORDS = {
    SiteKind.RESID_PRE: "Hidden state before a block",
    SiteKind.RESID_MID: "Hidden state inside a block",
    SiteKind.RESID_FINAL: "Hidden state behind all blocks",
    SiteKind.HEADS: "What heads write",
    SiteKind.ATTN_OUT: "What attention writes",
    SiteKind.MLP_OUT: "What an MLP writes",
    SiteKind.NEURONS: "One neuron's activation",
}
ROLE_WORDS = {
    Role.MATCHED: "Matched",
    Role.NEXT: "Next",
    Role.ATTENDED: "Most attended",
}
FEATURE_WORDS = {
    Feature.UPOS: "Part of speech",
    Feature.DEPREL: "Dependency",
    Feature.ENTITY: "Entity",
    Feature.FORM: "Word",
    Feature.LEMMA: "Lemma",
    Feature.OFFSET: "Offset",
}
METRIC_WORDS = {Metric.COSINE: "Cosine", Metric.INNER: "Inner product"}
MOST_NAMED = 4  # blocks whose heads are named
NOT_ANNOTATED = "This corpus is not annotated: words and offsets alone are counted."


def asked_words(site: Site, chosen: tuple[int, ...], token: str) -> str:
    """A question as a person puts it, as in `Where else do heads 3 and 5 write the same as at …?`

    Args:
        token: the one that is asked about, with its position.
    """
    layer = site.layer
    if site.kind is SiteKind.NEURONS:
        name = f"neuron {_listed(chosen)} of block {layer}"
        return f"Where is {name} strongest, with the sign that it has at {token}?"
    if site.kind is SiteKind.HEADS:
        do, heads = ("does", "head") if len(chosen) == 1 else ("do", "heads")
        named = f"{heads} {_listed(chosen)}" if chosen else "all heads"
        they = "it writes" if len(chosen) == 1 else "they write"
        return f"Where else {do} {named} of block {layer} write what {they} at {token}?"
    return {
        SiteKind.RESID_PRE: f"Where else is the hidden state before block {layer} as at {token}?",
        SiteKind.RESID_MID: f"Where else is the hidden state inside block {layer}, behind its "
        f"attention, as at {token}?",
        SiteKind.RESID_FINAL: f"Where else is the hidden state behind all blocks as at {token}?",
        SiteKind.ATTN_OUT: f"Where else does the attention of block {layer} write what it writes "
        f"at {token}?",
        SiteKind.MLP_OUT: f"Where else does the MLP of block {layer} write what it writes at "
        f"{token}?",
    }[site.kind]


def _listed(numbers: tuple[int, ...]) -> str:
    words = [str(number) for number in numbers]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def middle(layers: int) -> Site:
    """What a question is about that names no site."""
    return Site(SiteKind.RESID_PRE, layers // 2)


def asked_site(found: ContextsFound) -> Site:
    """The site that was asked about, named or not."""
    return found.request.site or middle(found.model.layers)


def question_words(found: ContextsFound) -> str:
    """What was asked, in a sentence."""
    token = f"{found.position} {visible(found.query.tokens[found.position].text)}"
    return asked_words(asked_site(found), found.request.chosen, token)


def status_words(found: ContextsFound) -> str:
    """How much was compared, how exactly, and how near the hits are."""
    hits = found.hits
    said = [f"{_count(len(hits), 'hit')} of {found.searched:,} tokens compared"]
    if hits:
        said.append(f"scores {score_words(hits[0].score)} to {score_words(hits[-1].score)}")
    said.append("exact" if found.exact else f"approximate{_recall(found.recall)}")
    store = found.store
    said.append(f"{store.name}: {store.sentences:,} sentences, {store.rows:,} tokens")
    return "; ".join(said) + "."


def _recall(recall: float | None) -> str:
    return "" if recall is None else f", finds {recall:.0%} of the ten nearest"


def looks_words(heads: tuple[tuple[int, int], ...], every: int) -> str:
    """Who looks, as in `All heads of block 2 look at`; `every`: how many heads a block has."""
    layers = {layer: [head for each, head in heads if each == layer] for layer, _ in heads}
    if len(layers) == 1 and len(heads) == every:
        return f"All heads of block {heads[0][0]} look, in the mean, at"
    names = [
        f"L{layer} {', '.join(f'H{head}' for head in listed)}" for layer, listed in layers.items()
    ]
    shown = "; ".join(names[:MOST_NAMED]) + ("; …" if len(names) > MOST_NAMED else "")
    return f"{shown} looks at" if len(heads) == 1 else f"{shown} look, in the mean, at"


def score_words(score: float) -> str:
    """A score as it stands beside a hit."""
    digits = 3 if abs(score) < 10 else 1
    return f"{score:.{digits}f}".replace("-", "−")


def label(feature: Feature, value: str) -> str:
    """A value as it stands beside its bar."""
    if feature is Feature.OFFSET:
        return value.replace("-", "−") if value.startswith(("-", "+")) or value == "0" else value
    return visible(value)


def bar_tip(summary: Summary, bar: Bar) -> list[str]:
    """The numbers of one bar."""
    lines = [
        f"{label(summary.feature, bar.value)}: {bar.count:,} of {_count(summary.known, 'hit')}",
        f"share {_percent(bar.share)}, 95% interval {_percent(bar.low)} to {_percent(bar.high)}",
        f"base {_percent(bar.base)} of {summary.base_of}",
        _ratio(bar),
        {
            1: "More often than chance gives, for all values here together",
            -1: "Less often than chance gives, for all values here together",
            0: "Within what chance gives",
        }[bar.over],
    ]
    return [line for line in lines if line]


def _ratio(bar: Bar) -> str:
    if not math.isfinite(bar.ratio):
        return "nowhere else" if bar.count else ""
    if not bar.count:
        return "in no hit"
    return f"{ratio_words(bar.ratio)} as often as there"


def ratio_words(ratio: float) -> str:
    """How many times as often."""
    if not math.isfinite(ratio):
        return ""
    if ratio == 0:
        return "×0"
    return f"×{ratio:.0f}" if ratio >= 10 else f"×{ratio:.1f}" if ratio >= 0.1 else "×<0.1"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.1 or share == 0 else f"{100 * share:.1f}%"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
