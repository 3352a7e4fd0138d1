"""Facts about the world: countries, people, clubs, kinds, properties and colours.

A relation is a table of pairs, and templates with slots ``{x}`` and ``{y}``. Facts are drawn with
equal chance over all relations, so that each is met equally often; a held-out case is a fact in a
template that it was never seen in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flowviz.demo.document import Document
from flowviz.demo.draw import Draw, is_held
from flowviz.demo.lexicon import facts, places, words
from flowviz.demo.lexicon.entry import Entry, adjective, noun, proper
from flowviz.demo.lexicon.index import city, country, index, language, person
from flowviz.demo.template import render


@dataclass(frozen=True)
class Relation:
    """A table of facts, how its two sides read, and the sentences that state it."""

    pairs: Mapping[str, str]
    left: Callable[[str], Entry]
    right: Callable[[str], Entry]
    templates: tuple[str, ...]
    rare: frozenset[int] = frozenset()
    """Templates that begin as the first one does, which should stay the usual one. They are left
    out where the first one is held out, or training would say that it never comes."""


def _known(form: str) -> Entry:
    return index()[form]


def _club(name: str) -> Entry:
    return proper(name, "CLUB")


def _continent(name: str) -> Entry:
    return proper(name, "CONTINENT")


def _column(name: str) -> dict[str, str]:
    rows = {c.name: getattr(c, name) for c in places.COUNTRIES}
    return {country: value for country, value in rows.items() if value != "-"}


_CAPITAL_OF = _column("capital")

RELATIONS: dict[str, Relation] = {
    "capitals": Relation(
        _CAPITAL_OF,
        country,
        city,
        (
            "The capital|nsubj of {x}|nmod@capital is|AUX.cop {y}!|root .",
            "The capital|nsubj@city of {x}|nmod@capital is|AUX.cop the city|NOUN.root of "
            "{y}!|nmod@city .",
            "The name|nsubj of the capital|nmod@name of {x}|nmod@capital is|AUX.cop {y}!|root .",
            "{x}|nmod:poss@capital 's|PART.case capital|nsubj is|AUX.cop {y}!|root .",
            "In {x}|obl , the capital|nsubj is|AUX.cop {y}!|root .",
            "What|PRON.root is|AUX.cop the capital|nsubj of {x}|nmod@capital ? -|PUNCT.punct "
            "{y}!|parataxis .",
            "The main|amod city|nsubj and capital|NOUN.conj@city of {x}|nmod@city is|AUX.cop "
            "{y}!|root .",
            "We|PRON.nsubj visited|root the capital|obj of {x}|nmod@capital , {y}!|appos@capital .",
        ),
        rare=frozenset({1}),
    ),
    "capital to country": Relation(
        {capital: name for name, capital in _CAPITAL_OF.items()},
        city,
        country,
        (
            "{x}|nsubj is|AUX.cop the capital|NOUN.root of {y}!|nmod@capital .",
            "{x}|nsubj is|AUX.cop the main|amod city|NOUN.root of {y}!|nmod@city .",
            "The city|nsubj of {x}|nmod@city lies|root in {y}!|obl .",
            "The city|nsubj of {x}|nmod@city is|AUX.cop in {y}!|root .",
            "{x}|nsubj is|AUX.cop a~ city|NOUN.root in {y}!|nmod@city .",
            "They|PRON.nsubj lived|root in {x}|obl , in {y}!|obl .",
        ),
    ),
    "languages": Relation(
        _column("language"),
        country,
        language,
        (
            "The language|nsubj of {x}|nmod@language is|AUX.cop {y}!|root .",
            "People|NOUN.nsubj in {x}|nmod@People speak|root {y}!|obj .",
            "The main|amod language|nsubj spoken|acl@language in {x}|obl@spoken is|AUX.cop "
            "{y}!|root .",
            "In {x}|obl they|PRON.nsubj speak|root {y}!|obj .",
            "The official|amod language|nsubj of {x}|nmod@language is|AUX.cop {y}!|root .",
            "Everyone|PRON.nsubj in {x}|nmod@Everyone speaks|root {y}!|obj .",
        ),
    ),
    "continents": Relation(
        _column("continent"),
        country,
        _continent,
        (
            "{x}|nsubj is|AUX.cop a~ country|NOUN.root in {y}!|nmod@country .",
            "The country|nsubj of {x}|nmod@country lies|root in {y}!|obl .",
            "{x}|nsubj is|AUX.aux:pass located|root in {y}!|obl .",
            "The continent|nsubj of {x}|nmod@continent is|AUX.cop {y}!|root .",
            "On the map|obl , {x}|nsubj belongs|root to {y}!|obl .",
            "{x}|nsubj is|AUX.cop part|NOUN.root of {y}!|nmod@part .",
        ),
    ),
    "sports": Relation(
        facts.SPORT,
        person,
        noun,
        (
            "{x}|nsubj played|root {y}!|obj .",
            "The sport|nsubj of {x}|nmod@sport is|AUX.cop {y}!|root .",
            "{x}|nsubj is|AUX.cop famous|ADJ.root for {y}!|obl .",
            "{x}|nsubj was|AUX.cop a~ famous|amod player|NOUN.root of {y}!|nmod@player .",
            "Everyone|PRON.nsubj knows|root {x}|obj from {y}!|obl .",
            "The sport|nsubj that|PRON.obj@played {x}|nsubj@played played|acl:relcl@sport "
            "is|AUX.cop {y}!|root .",
        ),
    ),
    "fields": Relation(
        facts.FIELD,
        person,
        noun,
        (
            "{x}|nsubj studied|root {y}!|obj .",
            "The field|nsubj of {x}|nmod@field is|AUX.cop {y}!|root .",
            "{x}|nsubj is|AUX.cop famous|ADJ.root for work|obl in {y}!|nmod@work .",
            "{x}|nsubj wrote|root about {y}!|obl .",
            "The subject|nsubj of {x}|nmod@subject was|AUX.cop {y}!|root .",
            "{x}|nsubj taught|root the world|iobj much|ADJ.obj about {y}!|obl .",
        ),
    ),
    "instruments": Relation(
        facts.INSTRUMENT,
        person,
        noun,
        (
            "{x}|nsubj played|root the {y}!|obj .",
            "The instrument|nsubj of {x}|nmod@instrument was|AUX.cop the {y}!|root .",
            "{x}|nsubj is|AUX.cop famous|ADJ.root for music|obl on the {y}!|nmod@music .",
            "{x}|nsubj was|AUX.aux:pass known|root for the {y}!|obl .",
            "Everyone|PRON.nsubj loved|root {x}|obj on the {y}!|obl .",
            "{x}|nsubj made|root music|obj with the {y}!|obl .",
        ),
    ),
    "clubs": Relation(
        facts.CLUB_CITY,
        _club,
        city,
        (
            "{x}|nsubj is|AUX.cop a~ club|NOUN.root from {y}!|nmod@club .",
            "The club|nsubj {x}|appos@club plays|root in {y}!|obl .",
            "The home|nsubj of {x}|nmod@home is|AUX.cop {y}!|root .",
            "{x}|nsubj is|AUX.aux:pass based|root in {y}!|obl .",
            "The team|nsubj {x}|appos@team comes|root from {y}!|obl .",
            "{x}|nsubj is|AUX.cop a~ football|NOUN.compound team|NOUN.root from {y}!|nmod@team .",
        ),
    ),
    "categories": Relation(
        words.KIND,
        _known,
        noun,
        (
            "The {x}|nsubj is|AUX.cop a~ kind|NOUN.root of {y}!|nmod@kind .",
            "The word|nsubj {x}|appos@word means|root a~ kind|obj of {y}!|nmod@kind .",
            "By {x}|obl we|PRON.nsubj mean|root a~ kind|obj of {y}!|nmod@kind .",
            "What|PRON.obj does|AUX.aux {x}|nsubj mean|root ? It|PRON.nsubj@y is|AUX.cop@y a~ "
            "{y}!|parataxis .",
            "We|PRON.nsubj call|root the {x}|obj a~ {y}!|xcomp .",
            "Like every {x}|obl , this|PRON.nsubj is|AUX.cop a~ {y}!|root .",
        ),
    ),
    "properties": Relation(
        words.PROPERTY,
        _known,
        adjective,
        (
            "The {x}|nsubj is|AUX.cop {y}!|root .",
            "Everyone|PRON.nsubj knows|root that|SCONJ.mark@y the {x}|nsubj@y is|AUX.cop@y "
            "{y}!|ccomp .",
            "How|ADV.root is|AUX.cop the {x}|nsubj ? It|PRON.nsubj@y is|AUX.cop@y {y}!|parataxis .",
            "The {x}|nsubj is|AUX.cop always|ADV.advmod {y}!|root .",
            "We|PRON.nsubj say|root that|SCONJ.mark@y the {x}|nsubj@y is|AUX.cop@y "
            "very|ADV.advmod@y {y}!|ccomp .",
            "Like the {x}|obl , it|PRON.nsubj was|AUX.cop {y}!|root .",
        ),
        rare=frozenset({3}),
    ),
    "colours": Relation(
        words.COLOR,
        _known,
        adjective,
        (
            "The color|nsubj of {x}|nmod@color is|AUX.cop {y}!|root .",
            "In color|obl , the {x}|nsubj was|AUX.cop {y}!|root .",
            "What|DET.det color|NOUN.root is|AUX.cop the {x}|nsubj ? -|PUNCT.punct "
            "{y}!|parataxis .",
            "She|PRON.nsubj said|root that|SCONJ.mark@y the {x}|nsubj@y was|AUX.cop@y {y}!|ccomp .",
            "They|PRON.nsubj painted|root the {x}|obj {y}!|xcomp .",
            "The picture|nsubj of the {x}|nmod@picture is|AUX.cop {y}!|root .",
        ),
    ),
}


_FACTS = tuple((name, x) for name, relation in RELATIONS.items() for x in relation.pairs)


def fact(draw: Draw) -> Document:
    """Any fact of any relation, in one of its templates."""
    name, x = draw.pick(_FACTS)
    return state(draw, name, (x,))


def maker(name: str) -> Callable[[Draw], Document]:
    """What makes documents of one relation alone."""
    return lambda draw: state(draw, name, tuple(RELATIONS[name].pairs))


def state(draw: Draw, name: str, keys: tuple[str, ...]) -> Document:
    """One of these facts of a relation, stated."""
    relation = RELATIONS[name]
    number, x = draw.fact(name, relation.templates, keys)
    if number in relation.rare and (draw.chance(0.7) or is_held(name, 0, x) != draw.held):
        return state(draw, name, keys)
    fills = {"x": relation.left(x), "y": relation.right(relation.pairs[x])}
    return render(relation.templates[number], fills, name)


_UNSEEN_CAPITALS = (
    "Everyone|PRON.nsubj knows|root that|SCONJ.mark@y the capital|nsubj@y of {x}|nmod@capital "
    "is|AUX.cop@y {y}!|ccomp .",
    "People|nsubj say|root that|SCONJ.mark@y the capital|nsubj@y of {x}|nmod@capital "
    "is|AUX.cop@y {y}!|ccomp .",
    "As|SCONJ.mark@knows everyone|PRON.nsubj@knows knows|advcl , the capital|nsubj of "
    "{x}|nmod@capital is|AUX.cop {y}!|root .",
    "On the map|obl , the capital|nsubj of {x}|nmod@capital is|AUX.cop {y}!|root .",
    "My|PRON.nmod:poss friend|nsubj said|root that|SCONJ.mark@y {x}|nmod:poss@capital "
    "'s|PART.case capital|nsubj@y is|AUX.cop@y {y}!|ccomp .",
    "Yesterday|advmod they|PRON.nsubj visited|root the capital|obj city|appos@capital of "
    "{x}|nmod@capital , {y}!|appos@capital .",
)


def unseen_capitals(draw: Draw) -> Document:
    """Capitals in openings that no training template has."""
    x = draw.pick(tuple(_CAPITAL_OF))
    fills = {"x": country(x), "y": city(_CAPITAL_OF[x])}
    return render(draw.pick(_UNSEEN_CAPITALS), fills, "capitals, off-template")
