"""Hits and summaries as plain values, which scripts draw (`assets/contexts-*.js`).

Of a long sentence the part around the matched token is shown; a token's attention on what is not
shown is said as one number.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from flowviz.contexts.corpus.types import Word
from flowviz.contexts.kinds import Feature, Metric, Role, SiteKind
from flowviz.contexts.types import Bar, ContextsFound, Hit, Summary
from flowviz.views.contexts.words import (
    FEATURE_WORDS,
    NOT_ANNOTATED,
    ROLE_WORDS,
    asked_site,
    bar_tip,
    label,
    looks_words,
    ratio_words,
    score_words,
)
from flowviz.views.tokens import visible

BEFORE, AFTER = 56, 40  # tokens around the matched one
LONGEST = 400  # characters of a sentence that is shown beside its tokens
BYTES = re.compile("<0x[0-9A-F]{2}>|\ufffd")  # what tokens are that are no characters
MOST_FILTER = 100  # characters of a value that a filter takes
ORDER = (Feature.UPOS, Feature.DEPREL, Feature.ENTITY, Feature.OFFSET, Feature.FORM, Feature.LEMMA)
Links = Callable[[Hit], list[dict[str, str]]]


def hits_packed(found: ContextsFound, count: int, links: Links) -> dict[str, Any]:
    """The first `count` hits; `links` says where each leads."""
    full = _full_bar(found)
    return {
        "hits": [_hit(hit, full, links) for hit in found.hits[:count]],
        "total": len(found.hits),
        "annotations": [str(each) for each in found.store.annotations],
        "fewer": found.fewer,
        "looks": looks_words(found.heads, found.model.heads),
    }


def _full_bar(found: ContextsFound) -> float:
    """The score whose bar is full: 1 of cosines, else the largest; its sign is that of the bars."""
    neurons = asked_site(found).kind is SiteKind.NEURONS
    if found.request.metric is Metric.COSINE and not neurons:
        return 1.0
    return max((hit.score for hit in found.hits), key=abs, default=1.0) or 1.0


def _hit(hit: Hit, full: float, links: Links) -> dict[str, Any]:
    first, last = _window(hit)
    inside = hit.attended is not None and first <= hit.attended < last
    return {
        "row": hit.row,
        "score": score_words(hit.score),
        "bar": round(min(max(hit.score / full, 0.0), 1.0), 4),
        "place": _place(hit),
        "plain": _plain(hit),
        "before": first,
        "after": len(hit.tokens) - last,
        "at": hit.position - first,
        "attended": hit.attended - first if inside and hit.attended is not None else None,
        "pieces": [_piece(hit, place) for place in range(first, last)],
        "words": _words(hit, first, last),
        "attention": _weights(hit, first, last),
        "links": links(hit),
    }


def _place(hit: Hit) -> str:
    """Part and place; a place that begins with its part says it once."""
    if hit.place.startswith(hit.part):
        return visible_line(hit.place)
    return visible_line(" · ".join(filter(None, (hit.part, hit.place))))


def _plain(hit: Hit) -> str:
    """The sentence as it was written, where some of its tokens are bytes that nobody can read."""
    if not any(BYTES.search(token.text) for token in hit.tokens.tokens):
        return ""
    text = hit.text if len(hit.text) <= LONGEST else f"{hit.text[: LONGEST - 1]}…"
    return visible(text).replace("␣", " ")


def _window(hit: Hit) -> tuple[int, int]:
    first = max(0, hit.position - BEFORE)
    return first, min(len(hit.tokens), hit.position + AFTER)


def _piece(hit: Hit, place: int) -> list[Any]:
    """Text, whether a space stands before it, the number of its word (-1: none), its mark."""
    text = hit.tokens.tokens[place].text
    bare = text[1:] if text.startswith(" ") and len(text) > 1 else text
    special = place in hit.tokens.special
    return [visible(bare), _gap(hit, place), hit.word_of[place], int(special)]


def _gap(hit: Hit, place: int) -> int:
    """Whether a space stands between a token and the one before it."""
    if place == 0:
        return 0
    one, two = hit.word_of[place - 1], hit.word_of[place]
    if one >= 0 and two >= 0:
        return int(one != two and hit.words[two].start > hit.words[one].end)
    return int(hit.tokens.tokens[place].text[:1].isspace() or place in hit.tokens.special)


def _words(hit: Hit, first: int, last: int) -> dict[str, dict[str, str]]:
    """What is said of each word in the window."""
    numbers = {number for number in hit.word_of[first:last] if number >= 0}
    return {str(number): _word(hit, hit.words[number]) for number in sorted(numbers)}


def _word(hit: Hit, word: Word) -> dict[str, str]:
    said = {each.value: word.value(each) for each in Feature if each is not Feature.OFFSET}
    governor = hit.words[word.head].form if 0 <= word.head < len(hit.words) else ""
    said |= {"governor": governor}
    return {name: visible_line(text) for name, text in said.items() if text}


def visible_line(text: str) -> str:
    """A text in which spaces may stay as they are."""
    return " ".join(visible(part) for part in text.split(" ") if part)


def _weights(hit: Hit, first: int, last: int) -> str:
    part = np.ascontiguousarray(hit.attention[first:last, first:last], "<f2")
    return base64.b64encode(part.tobytes()).decode()


def summaries_packed(found: ContextsFound) -> dict[str, Any]:
    """All bars, by role."""
    roles = [_role(found, role) for role in Role]
    annotated = bool(found.store.annotations)
    return {
        "roles": roles,
        "hits": len(found.hits),
        "notes": [*([] if annotated else [NOT_ANNOTATED]), *found.notes],
        "about": list(found.store.notes),
    }


def _role(found: ContextsFound, role: Role) -> dict[str, Any]:
    own = [each for each in found.summaries if each.role is role]
    own.sort(key=lambda each: ORDER.index(each.feature))
    return {
        "role": str(role),
        "words": ROLE_WORDS[role],
        "stand_out": sum(bar.over == 1 for each in own for bar in each.bars),
        "charts": [chart_packed(each) for each in own if each.bars],
    }


def chart_packed(summary: Summary) -> dict[str, Any]:
    """One chart, its lengths in shares of its widest bar."""
    widest = max(max(bar.high, bar.base) for bar in summary.bars) or 1.0
    return {
        "title": FEATURE_WORDS[summary.feature],
        "known": summary.known,
        "unknown": summary.unknown,
        "others": summary.others,
        "base_of": summary.base_of,
        "bars": [_bar(summary, bar, widest) for bar in summary.bars],
    }


def _bar(summary: Summary, bar: Bar, widest: float) -> dict[str, Any]:
    name = f"{summary.role.value}.{summary.feature.value}"
    numbers = {"share": bar.share, "low": bar.low, "high": bar.high, "base": bar.base}
    return {
        "label": label(summary.feature, bar.value),
        "count": bar.count,
        "ratio": ratio_words(bar.ratio),
        "over": bar.over,
        "filter": f"{name}={bar.value}" if 0 < len(bar.value) <= MOST_FILTER else None,
        "tip": bar_tip(summary, bar),
        **{key: round(value / widest, 4) for key, value in numbers.items()},
    }
