# ruff: noqa: SIM905
"""Pronouns of named people, of occupations, and short connected texts.

A name's gender decides its pronoun. An occupation's does not: the generator says "she" with the
probability that :data:`flowviz.demo.lexicon.people.P_SHE` states, so a model's bias can be
compared with a known one.
"""

from __future__ import annotations

from flowviz.demo.document import Document, join
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, places, words
from flowviz.demo.lexicon.entry import Entry, adjective, noun, past
from flowviz.demo.lexicon.index import city, occupation, person
from flowviz.demo.template import render

_NAMED = (
    "{x}|nsubj said|root that|SCONJ.mark@adj {pro}!|nsubj@adj was|AUX.cop@adj {adj}|ccomp .",
    "{x}|nsubj went|root home|ADV.advmod because|SCONJ.mark@adj {pro}!|nsubj@adj was|AUX.cop@adj "
    "{adj}|advcl .",
    "When|ADV.advmod@adj {x}|nsubj@adj was|AUX.cop@adj {adj}|advcl , {pro}!|nsubj {did}|root .",
    "{x}|nsubj lost|root one|NUM.obj of {poss}!|nmod:poss {things}|nmod@one .",
    "{x}|nsubj is|AUX.cop at home|NOUN.root and {pro}!|nsubj@adj is|AUX.cop@adj {adj}|conj .",
    "We|PRON.nsubj met|root {x}|obj and helped|VERB.conj {obj}!|obj@helped .",
    "Yesterday {x}|nsubj and {poss}!|nmod:poss friend|conj@x {did}|root together|ADV.advmod .",
    "{x}|nsubj {did}|root until|SCONJ.mark@adj {pro}!|nsubj@adj was|AUX.cop@adj {adj}|advcl .",
)
_CASES = {
    "he": {"pro": "he", "poss": "his", "obj": "him", "Pro": "He"},
    "she": {"pro": "she", "poss": "her", "obj": "her", "Pro": "She"},
}
_DID = tuple(
    """walked talked worked danced laughed smiled cooked painted sang swam ran traveled""".split()
)
_OWNED = """keys books letters coats hats shoes pens coins pictures maps toys gloves""".split()
_NAMED_PEOPLE = (*people.WOMEN, *people.MEN)


def pronouns(draw: Draw) -> Document:
    """A named person, then the pronoun that the name asks for."""
    number, name = draw.fact("gendered pronouns", _NAMED, _NAMED_PEOPLE)
    fills = {"x": person(name), **pronoun_forms(people.PRONOUN[name]), **_choices(draw)}
    return render(_NAMED[number], fills, "gendered pronouns")


_WORKING = (
    "The {x}|nsubj said|root that|SCONJ.mark@adj {pro}!|nsubj@adj was|AUX.cop@adj {adj}|ccomp .",
    "The {x}|nsubj went|root home|ADV.advmod because|SCONJ.mark@adj {pro}!|nsubj@adj "
    "was|AUX.cop@adj {adj}|advcl .",
    "The {x}|nsubj lost|root one|NUM.obj of {poss}!|nmod:poss {things}|nmod@one .",
    "The {x}|nsubj {did}|root until|SCONJ.mark@adj {pro}!|nsubj@adj was|AUX.cop@adj {adj}|advcl .",
)
_ASKED = "The {x}|nsubj asked|root the {z}|iobj a~ question|obj ."
_ANSWERS = (
    "{Pro}!|nsubj answered|root at once|NOUN.obl .",
    "{Pro}!|nsubj said|root yes|INTJ.obj .",
    "{Pro}!|nsubj wanted|root to|PART.mark@know know|xcomp the answer|NOUN.obj@know .",
    "{Pro}!|nsubj was|AUX.cop very|ADV.advmod@adj {adj}|root .",
    "{Pro}!|nsubj {did}|root .",
)


def occupations(draw: Draw) -> Document:
    """Someone of an occupation, and a pronoun drawn with the occupation's stated chance."""
    x, z = draw.sample(tuple(people.P_SHE), 2)
    asked = draw.chance(0.25)
    about = draw.pick((x, z)) if asked else x
    gender = "she" if draw.chance(people.P_SHE[about]) else "he"
    fills = {"x": occupation(x), "z": occupation(z), **pronoun_forms(gender), **_choices(draw)}
    if not asked:
        return render(draw.pick(_WORKING), fills, "occupation bias")
    answer = render(draw.pick(_ANSWERS), fills, "occupation bias")
    return join([render(_ASKED, fills), answer])


_BEGINNINGS = (
    "Once|ADV.advmod upon|ADP.case a~ time|NOUN.obl there|PRON.expl lived|root a~ {adj}|amod "
    "{who}|nsubj called|acl@who {x}|xcomp@called .",
    "{x}|nsubj is|AUX.cop a~ {occ}|root .",
    "{x}|nsubj lived|root in {city}|obl .",
    "A~ {adj}|amod {occ}|nsubj called|acl@occ {x}|xcomp@called lived|root near a~ {land}|obl .",
)
_MIDDLES = (
    "{Pro}!|nsubj lived|root in a~ {adj}|amod house|obl near the {land}|obl .",
    "{Pro}!|nsubj had|root a~ {adj}|amod {thing}|obj and loved|VERB.conj it|PRON.obj@loved .",
    "One|NUM.nummod day|NOUN.obl {pro}!|nsubj went|root to the {place}|obl and "
    "found|VERB.conj a~ {thing}|obj@found .",
    "One|NUM.nummod day|NOUN.obl {pro}!|nsubj met|root {y}|obj at the {place}|obl .",
    "{Pro}!|nsubj sold|root the {thing}|obj to a~ friend|obl .",
    "{Pro}!|nsubj lent|root a~ {thing}|obj to the {occ}|obl .",
    "{Pro}!|nsubj threw|root the {thing}|obj to the {animal}|obl .",
    "{Pro}!|nsubj bought|root a~ {thing}|obj , a~ {thing2}|conj@thing and a~ {thing3}|conj@thing .",
    "{x}|nsubj saw|root {y}|obj , {y2}|conj@y and {y3}|conj@y .",
    "Although|SCONJ.mark@adj {pro}!|nsubj@adj was|AUX.cop@adj {adj}|advcl , {pro}|nsubj "
    "{did}|root .",
    "Last|ADJ.amod week|NOUN.obl {pro}!|nsubj {did}|root in the morning|NOUN.obl .",
)
_ENDS = (
    "Then|advmod {pro}!|nsubj went|root home|ADV.advmod .",
    "Everyone|PRON.nsubj loved|root {x}|obj .",
    "{x}|nsubj was|AUX.cop very|ADV.advmod@adj {adj}|root .",
    "In the evening|NOUN.obl {pro}!|nsubj {did}|root with {y}|obl .",
)
_ANIMALS = ["dog", "cat", "horse", "bird", "rabbit", "bear"]
_LAND = ["river", "lake", "mountain", "garden", "village", "city"]


def stories(draw: Draw) -> Document:
    """Three to five sentences about one person."""
    name, y, y2, y3 = draw.sample(_NAMED_PEOPLE, 4)
    gender = people.PRONOUN[name]
    fixed = {"x": person(name), "y": person(y), "y2": person(y2), "y3": person(y3)}
    fixed |= pronoun_forms(gender) | {"occ": occupation(draw.pick(tuple(people.P_SHE)))}
    fixed["who"] = noun(draw.pick(("girl", "woman") if gender == "she" else ("boy", "man")))
    middles = draw.sample(_MIDDLES, draw.random.randint(1, 3))
    templates = [draw.pick(_BEGINNINGS), *middles, draw.pick(_ENDS)]
    return join([render(t, fixed | _choices(draw), "stories") for t in templates])


_ERRANDS = (
    "{Pro}|nsubj sold|root the {thing}|obj to {y}|obl .",
    "{Pro}|nsubj lent|root a~ {thing}|obj to {y}|obl .",
    "{Pro}|nsubj threw|root a~ {thing}|obj to {y}|obl .",
    "{Pro}|nsubj talked|root to {y}|obl .",
    "{Pro}|nsubj wanted|root to|PART.mark@talk talk|xcomp to {y}|obl@talk .",
)


def errands(draw: Draw) -> Document:
    """Someone turns to a person who was not mentioned before, so that nothing says to whom."""
    name, y = draw.sample(_NAMED_PEOPLE, 2)
    fixed = {"x": person(name), "y": person(y), "occ": occupation(draw.pick(tuple(people.P_SHE)))}
    fixed |= pronoun_forms(people.PRONOUN[name])
    templates = (draw.pick(_BEGINNINGS[1:3]), draw.pick(_ERRANDS))
    return join([render(t, fixed | _choices(draw), "stories") for t in templates])


def pronoun_forms(gender: str) -> dict[str, Entry]:
    """The slots of "she" or "he": subject, possessive, object, and the subject with a capital."""
    return {slot: Entry(form, "PRON", gender) for slot, form in _CASES[gender].items()}


def _choices(draw: Draw) -> dict[str, Entry]:
    did = draw.pick(_DID)
    things = draw.sample(words.THINGS, 3)
    return {
        "adj": adjective(draw.pick(words.ADJECTIVES)),
        "did": past(did, words.LEMMA[did]),
        "things": noun(draw.pick(_OWNED), plural=True),
        "thing": noun(things[0]),
        "thing2": noun(things[1]),
        "thing3": noun(things[2]),
        "place": noun(draw.pick(words.PLACES)),
        "land": noun(draw.pick(_LAND)),
        "animal": noun(draw.pick(_ANIMALS)),
        "city": city(draw.pick(places.CITIES)),
    }
