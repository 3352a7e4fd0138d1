# ruff: noqa: SIM905
"""Random repeats (induction), and the giver and receiver of indirect objects.

*Repeats*: 8 to 40 random words, then the same words again; every word of the second pass is
determined by the first. Their relation is ``list``, the Universal Dependencies name for items
that only stand side by side.

*Indirect objects*: two people, then a sentence in which one of them gives something to the other
(Wang et al. 2022). The pair of names decides the side of the split, so an evaluation asks about
pairs that were never seen. Off-template prompts use names, verbs of giving and openings that no
training template has.
"""

from __future__ import annotations

from flowviz.demo.document import Document, Probe, Word, join
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.lexicon.entry import Entry, noun, past, plain
from flowviz.demo.lexicon.index import index, person
from flowviz.demo.template import render
from flowviz.demo.vocabulary import LIST_WORDS

_GIVING = (
    "{S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl .",
    "Then|advmod {S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl .",
    "{S}|nsubj wanted|root to|PART.mark@plain {plain}|xcomp a~ {thing}|obj@plain to "
    "{IO}!|obl@plain .",
)
_JOINED = "{S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl ."
_OPENINGS = (
    "When|ADV.advmod@went {A}|nsubj@went and {B}|conj@A went|advcl to the {place}|obl@went ,",
    "After|SCONJ.mark@went {A}|nsubj@went and {B}|conj@A went|advcl to the {place}|obl@went ,",
    "When|ADV.advmod@visited {A}|nsubj@visited and {B}|conj@A visited|advcl the "
    "{place}|obj@visited ,",
    "While|SCONJ.mark@place {A}|nsubj@place and {B}|conj@A were|AUX.cop@place at the "
    "{place}|NOUN.advcl ,",
    "After|SCONJ.mark@met {A}|nsubj@met met|advcl {B}|obj@met at the {place}|obl@met ,",
    "Before|SCONJ.mark@left {A}|nsubj@left and {B}|conj@A left|advcl the {place}|obj@left ,",
    "At the {place}|obl where|ADV.advmod@work {A}|nsubj@work and {B}|conj@A work|acl:relcl@place ,",
)
_SCENES = (
    "{A}|nsubj and {B}|conj@A went|root to the {place}|obl .",
    "Then|advmod , {A}|nsubj and {B}|conj@A went|root to the {place}|obl .",
    "Yesterday|advmod {A}|nsubj and {B}|conj@A had|root a~ argument|obj at the {place}|obl .",
    "{A}|nsubj met|root {B}|obj at the {place}|obl .",
    "{A}|nsubj and {B}|conj@A were|AUX.cop at the {place}|NOUN.root .",
    "One|NUM.nummod day|NOUN.obl {A}|nsubj and {B}|conj@A had|root dinner|obj at the {place}|obl .",
    "Today|advmod {A}|nsubj saw|root {B}|obj near the {place}|obl .",
    "{A}|nsubj is|AUX.cop a~ friend|NOUN.root of {B}|nmod .",
)
_UNSEEN_OPENINGS = (
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
_UNSEEN_PLACES = ["house", "island", "lake", "village", "mountain", "river"]
_UNSEEN_THINGS = "lamp clock knife shirt plate chair bottle box".split()
_KNOWN_NAMES = tuple(name for name in people.NAMES if name not in people.HELD_NAMES)
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


def indirect_objects(draw: Draw) -> Document:
    """One of two people gives something to the other."""
    first, second = draw.until(
        lambda: draw.sample(_KNOWN_NAMES, 2),
        lambda pair: draw.case("indirect objects", *sorted(pair)),
    )
    fills = _scene(draw, first, second, words.PLACES, words.THINGS)
    verb = draw.pick(words.GIVE)
    fills |= {"give": past(verb, words.LEMMA[verb]), "plain": plain(words.LEMMA[verb])}
    if draw.chance(0.5):
        return render(f"{draw.pick(_OPENINGS)} {_JOINED}", fills, "indirect objects")
    scene = render(draw.pick(_SCENES), fills)
    return join([scene, render(draw.pick(_GIVING), fills, "indirect objects")])


def unseen_indirect_objects(draw: Draw) -> Document:
    """The same with names, verbs and openings that no training template holds."""
    fills = _scene(draw, *draw.sample(_HELD_NAMES, 2), _UNSEEN_PLACES, _UNSEEN_THINGS)
    verb = draw.pick(words.HELD_GIVE)
    fills |= {"give": past(verb, words.LEMMA[verb])}
    template = f"{draw.pick(_UNSEEN_OPENINGS)} {_JOINED}"
    return render(template, fills, "indirect objects, off-template")


def _scene(
    draw: Draw, first: str, second: str, where: list[str], what: list[str]
) -> dict[str, Entry]:
    giver, receiver = (first, second) if draw.chance(0.5) else (second, first)
    return {
        "A": person(first),
        "B": person(second),
        "S": person(giver),
        "IO": person(receiver),
        "place": noun(draw.pick(where)),
        "thing": noun(draw.pick(what)),
    }
