"""Two sentences of which the second hangs on the first: facts about one thing, questions, people.

The second sentence names the thing again only by "it", "its", "there" or a pronoun, so that what it
says can be told from the first alone. A (template, thing) pair of the second sentence names the
case of the split; the first sentence keeps to the split of its own phenomenon.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowviz.demo.document import Document, join
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.lexicon.entry import adjective, noun, past
from flowviz.demo.lexicon.index import index, occupation
from flowviz.demo.phenomena.knowledge import RELATIONS, state
from flowviz.demo.phenomena.pronouns import pronoun_forms
from flowviz.demo.template import render

_FOLLOWING: dict[str, tuple[str, ...]] = {
    "capitals": (
        "Its|PRON.nmod:poss@capital capital|nsubj is|AUX.cop {y}!|root .",
        "{y}!|nsubj is|AUX.cop its|PRON.nmod:poss@city main|amod city|NOUN.root .",
    ),
    "languages": (
        "People|NOUN.nsubj there|ADV.advmod@People speak|root {y}!|obj .",
        "Its|PRON.nmod:poss@language language|nsubj is|AUX.cop {y}!|root .",
    ),
    "continents": (
        "It|PRON.nsubj lies|root in {y}!|obl .",
        "It|PRON.nsubj is|AUX.cop part|NOUN.root of {y}!|nmod@part .",
    ),
}
_COUNTRIES = tuple(_FOLLOWING)
_QUESTIONS: dict[str, tuple[str, str, Mapping[str, str]]] = {
    "capitals": (
        "What|PRON.root is|AUX.cop the capital|nsubj of {x}|nmod@capital ?",
        "It|PRON.nsubj is|AUX.cop {y}!|root .",
        RELATIONS["capitals"].pairs,
    ),
    "languages": (
        "What|PRON.obj do|AUX.aux people|NOUN.nsubj in {x}|nmod@people speak|root ?",
        "They|PRON.nsubj speak|root {y}!|obj .",
        RELATIONS["languages"].pairs,
    ),
    "colours": (
        "What|DET.det color|NOUN.root is|AUX.cop the {x}|nsubj ?",
        "It|PRON.nsubj is|AUX.cop {y}!|root .",
        words.COLOR,
    ),
    "categories": (
        "What|PRON.root is|AUX.cop the {x}|nsubj ?",
        "It|PRON.nsubj is|AUX.cop a~ {y}!|root .",
        words.KIND,
    ),
    "antonyms": (
        "What|PRON.root is|AUX.cop the opposite|NOUN.nsubj of {x}|nmod@opposite ?",
        "It|PRON.nsubj is|AUX.cop {y}!|root .",
        words.ANTONYM,
    ),
    "plurals": (
        "What|PRON.root is|AUX.cop the plural|NOUN.nsubj of {x}|nmod@plural ?",
        "It|PRON.nsubj is|AUX.cop {y}!|root .",
        words.PLURAL,
    ),
}
_ASKED = tuple((name, x) for name, (_, _, pairs) in _QUESTIONS.items() for x in pairs)


def linked_facts(draw: Draw) -> Document:
    """A fact about a country, and another one that does not name it again."""
    first, second = draw.sample(_COUNTRIES, 2)
    pairs = RELATIONS[second].pairs
    known = tuple(x for x in RELATIONS[first].pairs if x in pairs)
    templates = _FOLLOWING[second]

    def drawn() -> tuple[str, str]:
        return draw.pick(known), draw.pick(templates)

    x, template = draw.until(drawn, lambda c: draw.case("linked facts", c[1], c[0]))
    stated = state(draw if _has_case(draw, first, x) else Draw(draw.random.random()), first, (x,))
    fills = {"y": RELATIONS[second].right(pairs[x])}
    return join([Document(stated.sentences), render(template, fills, "linked facts")])


def _has_case(draw: Draw, name: str, x: str) -> bool:
    """Does the first sentence have any template on this side of the split?"""
    return any(draw.case(name, i, x) for i in range(len(RELATIONS[name].templates)))


def questions(draw: Draw) -> Document:
    """A question, and its answer."""
    name, x = draw.until(lambda: draw.pick(_ASKED), lambda case: draw.case("questions", *case))
    asked, answer, pairs = _QUESTIONS[name]
    question = render(asked, {"x": index()[x]})
    return join([question, render(answer, {"y": index()[pairs[x]]}, "questions")])


_AT_WORK = (
    "The {x}|nsubj went|root to the {place}|obl .",
    "The {x}|nsubj saw|root a~ {thing}|obj near the {place}|obl .",
    "The {x}|nsubj {did}|root in the {place}|obl .",
    "We|PRON.nsubj met|root the {x}|obj at the {place}|obl .",
)
_THEN = (
    "{Pro}!|nsubj was|AUX.cop very|ADV.advmod@adj {adj}|root .",
    "{Pro}!|nsubj wanted|root a~ {thing2}|obj .",
    "Then|advmod {pro}!|nsubj went|root home|ADV.advmod .",
    "Later|advmod {pro}!|nsubj {did2}|root again|advmod .",
)
_DID = ("talked", "worked", "danced", "laughed", "cooked", "sang", "swam")


def at_work(draw: Draw) -> Document:
    """Someone of an occupation, and a second sentence with a pronoun of the stated chance."""
    x = draw.pick(tuple(people.P_SHE))
    did, did2 = draw.sample(_DID, 2)
    thing, thing2 = draw.sample(words.THINGS, 2)
    fills = {
        "x": occupation(x),
        "place": noun(draw.pick(words.PLACES)),
        "thing": noun(thing),
        "thing2": noun(thing2),
        "adj": adjective(draw.pick(words.ADJECTIVES)),
        "did": past(did, words.LEMMA[did]),
        "did2": past(did2, words.LEMMA[did2]),
        **pronoun_forms("she" if draw.chance(people.P_SHE[x]) else "he"),
    }
    first = render(draw.pick(_AT_WORK), fills)
    return join([first, render(draw.pick(_THEN), fills, "occupation bias")])
