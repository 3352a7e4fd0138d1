# ruff: noqa: SIM905
"""Word forms and word pairs: antonyms, plurals, past tense, and agreement of subject and verb.

Agreement puts a noun of either number between the subject and its verb (Linzen et al. 2016); it
is scored by the right form of the verb against the wrong one.
"""

from __future__ import annotations

from flowviz.demo.document import Document
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.lexicon.entry import Entry, adjective, noun, past, plain
from flowviz.demo.lexicon.index import occupation
from flowviz.demo.template import render

_ANTONYMS = (
    "The opposite|nsubj of {x}|nmod@opposite is|AUX.cop {y}!|root .",
    "The word|nsubj {x}|appos@word is|AUX.cop the opposite|NOUN.root of {y}!|nmod@opposite .",
    "It|PRON.nsubj was|AUX.cop not|PART.advmod {x}|root , but {y}!|conj .",
    "If|SCONJ.mark@x it|PRON.nsubj@x is|AUX.cop@x not|PART.advmod@x {x}|advcl , "
    "it|PRON.nsubj must|AUX.aux be|AUX.cop {y}!|root .",
    "I|PRON.nsubj said|root {x}|obj and you|PRON.nsubj@said#2 said|VERB.conj {y}!|obj@said#2 .",
    "One|NUM.nsubj was|AUX.cop {x}|root and the other|ADJ.nsubj@y was|AUX.cop@y {y}!|conj .",
)
_PLURALS = (
    "One|NUM.nummod {x}|root , two|NUM.nummod {y}!|conj .",
    "The plural|nsubj of {x}|nmod@plural is|AUX.cop {y}!|root .",
    "I|PRON.nsubj have|root one|NUM.nummod {x}|obj and you|PRON.nsubj@have#2 have|VERB.conj "
    "many|ADJ.amod {y}!|obj@have#2 .",
    "There|PRON.expl is|VERB.root one|NUM.nummod {x}|nsubj here and two|NUM.nummod {y}!|conj@x "
    "there .",
    "She|PRON.nsubj wanted|root a~ {x}|obj and found|VERB.conj three|NUM.nummod {y}!|obj@found .",
)
_PASTS = (
    "Today they|PRON.nsubj {x}|root ; yesterday|ADV.advmod@y they|PRON.nsubj@y {y}!|parataxis .",
    "The past|amod tense|nsubj of {x}|nmod@tense is|AUX.cop {y}!|root .",
    "They|PRON.nsubj {x}|root every day|NOUN.obl , and yesterday|ADV.advmod@y "
    "they|PRON.nsubj@y {y}!|conj .",
    "We|PRON.nsubj {x}|root now as|SCONJ.mark@y we|PRON.nsubj@y once|ADV.advmod@y {y}!|advcl .",
    "She|PRON.nsubj can|AUX.aux {x}|root because|SCONJ.mark@y she|PRON.nsubj@y often|ADV.advmod@y "
    "{y}!|advcl .",
)


def antonyms(draw: Draw) -> Document:
    """A word and its opposite."""
    number, x = draw.fact("antonyms", _ANTONYMS, tuple(words.ANTONYM))
    fills = {"x": adjective(x), "y": adjective(words.ANTONYM[x])}
    return render(_ANTONYMS[number], fills, "antonyms")


def plurals(draw: Draw) -> Document:
    """A noun and its plural."""
    number, x = draw.fact("plurals", _PLURALS, tuple(words.PLURAL))
    fills = {"x": noun(x), "y": noun(words.PLURAL[x], x, True)}
    return render(_PLURALS[number], fills, "plurals")


def past_tense(draw: Draw) -> Document:
    """A verb and its past tense."""
    number, x = draw.fact("past tense", _PASTS, tuple(words.PAST))
    fills = {"x": plain(x), "y": past(words.PAST[x], x)}
    return render(_PASTS[number], fills, "past tense")


_THIRDS = (
    "They|PRON.nsubj {x}|root and she|PRON.nsubj@y {y}!|conj too|ADV.advmod@y .",
    "I|PRON.nsubj can|AUX.aux {x}|root ; he|PRON.nsubj@y {y}!|parataxis well|ADV.advmod@y .",
    "When|ADV.advmod@x we|PRON.nsubj@x {x}|advcl , she|PRON.nsubj {y}!|root .",
)


def third_person(draw: Draw) -> Document:
    """A verb and its third person singular."""
    number, x = draw.fact("third person", _THIRDS, tuple(words.THIRD))
    fills = {"x": plain(x), "y": _verb("verb", words.THIRD[x], x)}
    return render(_THIRDS[number], fills, "third person")


_AGREEING = (
    "The {n}|nsubj {prep}|ADP.case the {m}|nmod@n {be}!|AUX.cop {adj}|root .",
    "The {n}|nsubj {prep}|ADP.case the {adj}|amod {m}|nmod@n {have}!|AUX.aux been|AUX.cop "
    "{adj2}|root .",
    "The {n}|nsubj that|PRON.obj@liked the {o}|nsubj@liked liked|acl:relcl@n {be}!|AUX.cop "
    "{adj}|root .",
    "The {o2}|nsubj who|PRON.nsubj@helped helped|acl:relcl@o2 the {o}|obj@helped "
    "{verb}!|root every day|NOUN.obl .",
    "The {o2}|nsubj near the {m}|nmod@o2 {verb}!|root every day|NOUN.obl .",
    "The {adj}|amod {n}|nsubj {be}!|AUX.cop {prep}|ADP.case the {m}|root .",
)
_SPLIT_BY_NOUNS = range(2)
"""The templates that are asked about: a case is held out by the two nouns that they show."""
_COUNTED = tuple(one for one in words.PLURAL if one != "sheep")
_BESIDE = ["near", "under", "by", "with", "from"]
_DOING = """walk talk work dance laugh smile cook paint listen sing swim run travel study""".split()
_BE = (("is", "are"), ("was", "were"))


def agreement(draw: Draw) -> Document:
    """A subject, a noun that may mislead, and a verb that must agree with the subject."""
    templates = _SPLIT_BY_NOUNS if draw.held else range(len(_AGREEING))
    number, many, other_many = draw.pick(templates), draw.chance(0.5), draw.chance(0.5)
    people_known = tuple(people.P_SHE)
    n, m, o, o2 = draw.until(
        lambda: (*draw.sample(_COUNTED, 2), *draw.sample(people_known, 2)),
        lambda chosen: draw.case("agreement", number, many, *chosen[:2]),
    )
    base = draw.pick(_DOING)
    verb = {"be": draw.pick(_BE), "have": ("has", "have"), "verb": (words.THIRD[base], base)}
    slot = next(name for name in verb if f"{{{name}}}!" in _AGREEING[number])
    right, wrong = verb[slot][many], verb[slot][not many]
    fills = {
        "n": _noun(n, many),
        "m": _noun(m, other_many),
        "o": _worker(o, other_many),
        "o2": _worker(o2, many),
        "prep": Entry(draw.pick(_BESIDE), "ADP"),
        "adj": adjective(draw.pick(words.ADJECTIVES)),
        "adj2": adjective(draw.pick(words.ADJECTIVES)),
        slot: _verb(slot, right, base),
    }
    return render(_AGREEING[number], fills, "agreement", contrast=wrong)


def _noun(one: str, many: bool) -> Entry:
    return noun(words.PLURAL[one], one, True) if many else noun(one)


def _worker(one: str, many: bool) -> Entry:
    return noun(people.WORKERS[one], one, True, "OCCUPATION") if many else occupation(one)


def _verb(slot: str, form: str, base: str) -> Entry:
    lemma = base if slot == "verb" else slot
    return Entry(form, "VERB" if slot == "verb" else "AUX", lemma, "VerbForm=Fin")
