"""Stores, plans and what a search of contexts found, as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from flowviz.contexts.kinds import WHOLE, Role, Site
from flowviz.contexts.store.types import Plan, StoreInfo
from flowviz.contexts.types import Bar, ContextsFound, Hit, Summary
from flowviz.views.contexts.words import (
    FEATURE_WORDS,
    ROLE_WORDS,
    label,
    question_words,
    ratio_words,
    score_words,
    status_words,
)
from flowviz.views.tokens import visible

COLUMNS = 100
INDENT = 13
FAULTS_SHOWN = 20
BARS_SHOWN = 5
PARTS_SHOWN = 12
AROUND = 40  # characters of a hit's text on each side of its token


def of_store(info: StoreInfo, folder: str, dtype: str, faults: Sequence[str]) -> str:
    """What a store is about, and the first faults of its corpus."""
    many = len(info.parts)
    parts = ", ".join(_read(part) if part else "none" for part in info.parts[:PARTS_SHOWN])
    parts += f", and {many - PARTS_SHOWN:,} more" if many > PARTS_SHOWN else ""
    known = ", ".join(info.annotations) or "none; words and offsets alone are counted"
    lines = [
        ("Store", f"{_read(folder)}, {size_words(info.bytes)}"),
        ("Corpus", f"{_read(info.name)}: {info.sentences:,} sentences, {info.rows:,} tokens"),
        ("Parts", f"{many:,}: {parts}"),
        ("Annotations", known),
        ("Model", _read(info.model)),
        ("Sites", f"{sites_words(info.sites)} ({dtype})"),
        *(("Note", _read(note)) for note in info.notes),
        *_faults(info.faults, faults),
    ]
    return "".join(_line(*line) for line in lines)


def of_plan(plan: Plan) -> str:
    """What a build will take."""
    if plan.done:
        return _line("Plan", f"nothing is left to do: {_read(plan.folder)} has all of it")
    about = "" if plan.known else "about "
    lines = [
        ("Corpus", f"{about}{plan.sentences:,} sentences, {plan.tokens:,} tokens"),
        ("Sites", f"{sites_words(plan.sites)} ({plan.dtype})"),
        ("Takes", f"{about}{size_words(plan.bytes)} on disk ({size_words(plan.free)} are free), "
         f"about {time_words(plan.seconds)}"),
    ]  # fmt: skip
    return "".join(_line(*line) for line in lines)


def _faults(count: int, said: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not count:
        return
    shown = said[:FAULTS_SHOWN]
    first = "" if len(shown) == count else f"; the first {len(shown)}"
    yield "Faults", f"{count:,}{first}:"
    for each in shown:
        yield "", _read(each)


def sites_words(sites: Sequence[Site]) -> str:
    """Sites in short, as in `resid_pre:0-5, resid_final`."""
    layers = dict[str, list[int]]()
    for site in sorted(sites):
        layers.setdefault(site.kind.value, []).append(site.layer)
    return ", ".join(f"{kind}{_runs(found)}" for kind, found in layers.items())


def _runs(layers: Sequence[int]) -> str:
    runs = list[list[int]]()
    for layer in layers:
        if layer == WHOLE:
            return ""
        if runs and runs[-1][-1] == layer - 1:
            runs[-1][1:] = [layer]
        else:
            runs.append([layer])
    return ":" + "+".join("-".join(map(str, run)) for run in runs)


def size_words(count: int) -> str:
    """Bytes, for people."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= each:
            return f"{count / each:,.1f} {unit}"
    return f"{count} bytes"


def time_words(seconds: float) -> str:
    """Seconds, for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def of_found(found: ContextsFound) -> str:
    """The hits of a search, and what they have in common."""
    head = [
        ("Prompt", "".join(_read(token.text) for token in found.query.tokens)),
        ("Question", question_words(found)),
        ("Found", status_words(found)),
        *(("Note", note) for note in (found.fewer, *found.notes) if note),
        *(("Note", _read(note)) for note in found.store.notes),
    ]
    hits = [_hit(number, hit) for number, hit in enumerate(found.hits, 1)]
    sums = _summaries(found.summaries)
    return "\n".join(["".join(_line(*line) for line in head), *hits, *sums]).rstrip() + "\n"


def _hit(number: int, hit: Hit) -> str:
    token = hit.tokens.tokens[hit.position]
    word = hit.word(Role.MATCHED)
    tags = "/".join(filter(None, (word.upos, word.deprel, word.entity))) if word else ""
    about = [f"{_read(token.text).strip()} {tags}".strip()]
    if hit.attended is not None:
        about.append(f"looks at {_read(hit.tokens.tokens[hit.attended].text).strip()}")
    first = f"{number:>3}  {score_words(hit.score):>6}  {_marked(hit)}"
    return f"{first}\n{'':{INDENT}}{'; '.join(filter(None, (*about, _read(hit.place))))}"


def _marked(hit: Hit) -> str:
    """The text around the matched token, which stands in brackets."""
    special = set(hit.tokens.special)
    texts = ["" if i in special else _read(each.text) for i, each in enumerate(hit.tokens.tokens)]
    before, behind = "".join(texts[: hit.position]), "".join(texts[hit.position + 1 :])
    left = ("…" if len(before) > AROUND else "") + before[-AROUND:]
    right = behind[:AROUND] + ("…" if len(behind) > AROUND else "")
    return f"{left}[{texts[hit.position]}]{right}"


def _read(text: str) -> str:
    """A text with what would not show made visible, spaces left as they are."""
    return visible(text).replace("␣", " ") if text else ""


def _summaries(summaries: Sequence[Summary]) -> Iterator[str]:
    """Those of which something is known, by role, each with what its base is."""
    base = ""
    for summary in summaries:
        if not summary.known:
            continue
        if summary.base_of != base:
            base = summary.base_of
            yield "\n" + _line("Base", base).rstrip()
        feature = FEATURE_WORDS[summary.feature]
        title = f"{ROLE_WORDS[summary.role]}, {feature[0].lower()}{feature[1:]}"
        yield f"{title} ({summary.known:,} known)"
        yield from (f"  {_bar(summary, bar)}" for bar in summary.bars[:BARS_SHOWN])


def _bar(summary: Summary, bar: Bar) -> str:
    sign = {1: "more than by chance", -1: "less than by chance"}.get(bar.over, "")
    share = f"{100 * bar.share:3.0f}% ({100 * bar.low:.0f}-{100 * bar.high:.0f}%)"
    base = f"base {100 * bar.base:.1f}% {ratio_words(bar.ratio)}"
    value = label(summary.feature, bar.value)
    return f"{value:20} {bar.count:>4,}  {share:14} {base:20} {sign}".rstrip()


def _line(title: str, text: str) -> str:
    """A title and its text, wrapped."""
    rest = " " * INDENT
    return fill(text, COLUMNS, initial_indent=f"{title:{INDENT}}", subsequent_indent=rest) + "\n"
