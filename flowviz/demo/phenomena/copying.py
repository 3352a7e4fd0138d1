# ruff: noqa: SIM905
"""Random repeats (induction), and the giver and receiver of indirect objects.

*Repeats*: 8 to 40 random words, then the same words again; every word of the second pass is
determined by the first. Their relation is ``list``, the Universal Dependencies name for items
that only stand side by side.

*Indirect objects*: two people, then a sentence in which one of them gives something to the other
(Wang et al. 2022). The pair of names decides the side of the split, so an evaluation asks about
pairs that were never seen. Off-template prompts use names, verbs of giving and openings that no
training template of indirect objects has; lists, stories and errands have the names and verbs.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowviz.demo.document import Document, Probe, Word, join
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.lexicon.entry import Entry, adjective, noun, past, plain
from flowviz.demo.lexicon.index import index, person
from flowviz.demo.template import render
from flowviz.demo.vocabulary import LIST_WORDS

_JOINED = "{S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl ."
_GIVING = (
    _JOINED,
    "{S}|nsubj {give}|root the {thing}|obj to {IO}!|obl .",
    "{S}|nsubj {give}|root a~ {adj}|amod {thing}|obj to {IO}!|obl .",
    "{S}|nsubj wanted|root to|PART.mark@plain {plain}|xcomp a~ {thing}|obj@plain to "
    "{IO}!|obl@plain .",
)
_MARKERS = (
    "When|ADV.advmod@VERB",
    "After|SCONJ.mark@VERB",
    "While|SCONJ.mark@VERB",
    "Before|SCONJ.mark@VERB",
    "As|SCONJ.mark@VERB",
    "Since|SCONJ.mark@VERB",
)
_PREFIXES = (
    "Yesterday|advmod ,",
    "Today|advmod ,",
    "Later|advmod ,",
    "Then|advmod ,",
    "In the evening|NOUN.obl ,",
    "One|NUM.nummod day|NOUN.obl ,",
    "Last|ADJ.amod night|NOUN.obl ,",
)
_DOING = (
    *(f"{verb} to" for verb in "went walked traveled came".split()),
    *(f"{verb} at" for verb in "worked arrived studied sang played".split()),
    *(f"{verb} in" for verb in "talked sat cooked slept".split()),
    *(f"{verb} near" for verb in "stood waited".split()),
    *"visited left saw painted closed bought".split(),
)
_MEETING = "met saw helped called heard taught asked".split()
_WHERE = "at near in by".split()
_ASIDES = (
    "It|PRON.nsubj was|AUX.cop very|ADV.advmod {adj}|root .",
    "The {place}|nsubj was|AUX.cop {adj}|root .",
)
UNSEEN_OPENINGS = (
    "Because|SCONJ.mark@lived {A}|nsubj@lived and {B}|conj@A lived|advcl near the "
    "{place}|obl@lived ,",
    "Although|SCONJ.mark@loved {A}|nsubj@loved and {B}|conj@A loved|advcl the {place}|obj@loved ,",
    "Whenever|SCONJ.mark@danced {A}|nsubj@danced and {B}|conj@A danced|advcl at the "
    "{place}|obl@danced ,",
    "In the morning|NOUN.obl , after|SCONJ.mark@found {A}|nsubj@found found|advcl "
    "{B}|obj@found under the {place}|obl@found ,",
    "Last|ADJ.amod week|NOUN.obl , when|ADV.advmod@ran {A}|nsubj@ran and {B}|conj@A ran|advcl "
    "to the {place}|obl@ran ,",
)
UNSEEN_PLACES: list[str] = ["house", "island", "lake", "village", "mountain", "river"]
UNSEEN_THINGS = "lamp clock knife shirt plate chair bottle box".split()
KNOWN_NAMES = tuple(name for name in people.NAMES if name not in people.HELD_NAMES)
_HELD_NAMES = tuple(sorted(people.HELD_NAMES))


def repeats(draw: Draw, shortest: int = 8, longest: int = 40) -> Document:
    """A list of random words, read twice or three times."""
    length = draw.random.randint(shortest, longest)
    once = [draw.pick(LIST_WORDS) for _ in range(length)]
    times = 3 if length <= 12 and draw.chance(0.3) else 2
    forms = once * times
    known = index()
    sentence = tuple(
        Word(form, i > 0, e.upos, "list" if i else "root", int(i > 0), e.lemma, e.feats, e.entity)
        for i, form in enumerate(forms)
        for e in (known[form],)
    )
    probes = tuple(Probe("induction", i) for i in range(length + 1, len(forms)))
    return Document((sentence,), probes)


def name_lists(draw: Draw) -> Document:
    """Three to eight names, then the same names again: also those that no giving sentence has."""
    once = draw.sample(people.NAMES, draw.random.randint(3, 8))
    words_: list[Word] = []
    for i, name in enumerate(once * 2):
        if i:
            words_.append(Word(",", False, "PUNCT", "punct", 1, ","))
        entry, first = person(name), i == 0
        relation, head = ("root", 0) if first else ("list", 1)
        words_.append(Word(name, not first, "PROPN", relation, head, name, entry.feats, "PERSON"))
    probes = tuple(Probe("induction", 2 * i) for i in range(len(once) + 1, 2 * len(once)))
    return Document((tuple(words_),), probes)


def indirect_objects(draw: Draw) -> Document:
    """One of two people gives something to the other."""
    first, second = draw.until(
        lambda: draw.sample(KNOWN_NAMES, 2),
        lambda pair: draw.case("indirect objects", *sorted(pair)),
    )
    fills = scene(draw, first, second, words.PLACES, words.THINGS)
    verb = draw.pick(words.GIVE)
    fills |= {"give": past(verb, words.LEMMA[verb]), "plain": plain(words.LEMMA[verb])}
    fills |= {"adj": adjective(draw.pick(words.ADJECTIVES))}
    giving = draw.pick(_GIVING)
    if draw.chance(0.5):
        return render(f"{_clause(draw)} , {giving}", fills, "indirect objects")
    sentences = [render(_sentence(draw), fills)]
    if draw.chance(0.2):
        sentences.append(render(draw.pick(_ASIDES), fills))
    return join([*sentences, render(giving, fills, "indirect objects")])


def _clause(draw: Draw) -> str:
    """A clause that comes before the main one: "When A and B went to the store"."""
    scene, verb = _event(draw, "advcl")
    marker = draw.pick(_MARKERS).replace("VERB", verb)
    if draw.chance(0.7):
        return f"{marker} {scene}"
    return f"{draw.pick(_PREFIXES)} {marker[0].lower()}{marker[1:]} {scene}"


def _sentence(draw: Draw) -> str:
    """The same as a sentence of its own."""
    scene, _ = _event(draw, "root")
    prefix = f"{draw.pick(_PREFIXES)} " if draw.chance(0.4) else ""
    return f"{prefix}{scene} ."


def _event(draw: Draw, relation: str) -> tuple[str, str]:
    """Two people who do something together, or of whom one meets the other; and the verb."""
    if draw.chance(0.35):
        verb, where = draw.pick(_MEETING), draw.pick(_WHERE)
        place = f"{where} the {{place}}|obl@{verb}"
        return f"{{A}}|nsubj@{verb} {verb}|VERB.{relation} {{B}}|obj@{verb} {place}", verb
    verb, _, where = draw.pick(_DOING).partition(" ")
    place = f"{where} the {{place}}|obl@{verb}" if where else f"the {{place}}|obj@{verb}"
    return f"{{A}}|nsubj@{verb} and {{B}}|conj@A {verb}|VERB.{relation} {place}", verb


def unseen_indirect_objects(draw: Draw) -> Document:
    """The same with names, verbs and openings that no training template holds."""
    first, second = draw.sample(_HELD_NAMES, 2)
    fills = scene(draw, first, second, UNSEEN_PLACES, UNSEEN_THINGS)
    verb = draw.pick(words.HELD_GIVE)
    fills |= {"give": past(verb, words.LEMMA[verb])}
    template = f"{draw.pick(UNSEEN_OPENINGS)} {_JOINED}"
    return render(template, fills, "indirect objects, off-template")


def scene(
    draw: Draw, first: str, second: str, where: Sequence[str], what: Sequence[str]
) -> dict[str, Entry]:
    """The slots of two people, one of whom gives the other something, somewhere."""
    giver, receiver = (first, second) if draw.chance(0.5) else (second, first)
    return {
        "A": person(first),
        "B": person(second),
        "S": person(giver),
        "IO": person(receiver),
        "place": noun(draw.pick(where)),
        "thing": noun(draw.pick(what)),
    }
