"""Successors in series, and years that come after years.

*Successors*: days, months, numbers, ordinals, letters and digits in their order. A comma after an
item promises another one.

*Greater years*: "The war lasted from the year 1732 to the year 17__" (Hanna et al. 2023). A year is
two tokens, so the model is asked for the two digits, and every greater pair counts as right.
"""

from __future__ import annotations

from flowviz.demo.document import Document, Probe, Word
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon.entry import noun
from flowviz.demo.lexicon.index import index, year
from flowviz.demo.lexicon.words import CYCLIC, EVENTS, SERIES
from flowviz.demo.template import render

_NEXT = (
    "After|ADP.case {one}|obl comes|root {two}!|nsubj .",
    "The next|amod item|NOUN.root after|ADP.case {one}|nmod is|AUX.cop {two}!|nsubj .",
    "{one}|nsubj is|AUX.aux:pass followed|root by {two}!|obl .",
)
_STEPS = tuple(
    (name, i) for name, items in SERIES.items() for i in range(len(items) - (name not in CYCLIC))
)


_LONGEST = 9


def successors(draw: Draw) -> Document:
    """A run through a series, or one step of it in a sentence."""
    if draw.chance(0.35):
        return _step(draw)
    return _run(draw)


def _step(draw: Draw) -> Document:
    number, (name, i) = draw.fact("successors", _NEXT, _STEPS)
    items = SERIES[name]
    fills = {"one": index()[items[i]], "two": index()[items[(i + 1) % len(items)]]}
    return render(_NEXT[number], fills, "successors")


def _run(draw: Draw) -> Document:
    """Items in order; the probe is the last one, which (length, start) names for the split."""
    name, start = draw.pick(_STEPS)
    items = SERIES[name]
    room = 7 if name in CYCLIC else len(items) - start
    length = min(draw.random.randint(3, _LONGEST), room)
    forms = [items[(start + k) % len(items)] for k in range(length)]
    if length < 3 or not _allowed(draw, name, start, length, min(_LONGEST, room)):
        return _run(draw)
    first = 2 if not draw.held else length - 1
    return _listing(forms, range(first, length), draw.chance(0.5))


def _allowed(draw: Draw, name: str, start: int, length: int, longest: int) -> bool:
    """Is the run of this side? A held-out one must not be the beginning of a trained one."""
    lengths = range(length, longest + 1) if draw.held else (length,)
    return all(draw.case("successors", name, start, each) for each in lengths)


def _listing(forms: list[str], probed: range, stop: bool) -> Document:
    known = index()
    words: list[Word] = []
    for i, form in enumerate(forms):
        entry = known[form]
        if i:
            words.append(Word(",", False, "PUNCT", "punct", len(words) + 2, ","))
        relation, head = ("list", 1) if i else ("root", 0)
        words.append(
            Word(form, i > 0, entry.upos, relation, head, entry.lemma, entry.feats, entry.entity)
        )
    if stop:
        words.append(Word(".", False, "PUNCT", "punct", 1, "."))
    return Document((tuple(words),), tuple(Probe("successors", 2 * i) for i in probed))


_SPANS = (
    "The {event}|nsubj lasted|root from the year|obl@lasted {one}|NUM.nummod@year#1 to the "
    "year|obl@lasted {two}!|NUM.nummod@year#2 .",
    "The {event}|nsubj lasted|root from {one}|obl to {two}!|obl .",
    "The {event}|nsubj began|root in {one}|obl and ended|VERB.conj in {two}!|obl@ended .",
    "The {event}|nsubj started|root in the year|obl {one}|NUM.nummod@year#1 and ended|VERB.conj "
    "in the year|obl@ended {two}!|NUM.nummod@year#2 .",
    "From|ADP.case {one}|obl to {two}!|obl there|PRON.expl was|AUX.root a~ {event}|nsubj .",
)
_CENTURIES = tuple(range(10, 20))


def greater_years(draw: Draw) -> Document:
    """An event that ends in the century in which it began, later."""
    template = draw.pick(range(4 if draw.held else len(_SPANS)))  # the last shows no event
    century, event, begin = draw.until(
        lambda: (draw.pick(_CENTURIES), draw.pick(EVENTS), draw.random.randint(2, 97)),
        lambda case: draw.case("greater years", *case),
    )
    end = draw.random.randint(begin + 1, 99)
    fills = {
        "event": noun(event),
        "one": year(f"{century}{begin:02d}"),
        "two": year(f"{century}{end:02d}"),
    }
    later = frozenset(f"{n:02d}" for n in range(begin + 1, 100))
    document = render(_SPANS[template], fills, "greater years", accept=later)
    probes = tuple(Probe(p.phenomenon, p.word, p.accept, None, 2) for p in document.probes)
    return Document(document.sentences, probes)
