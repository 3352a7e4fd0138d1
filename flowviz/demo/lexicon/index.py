"""Every form of the lexicon as an :class:`Entry`, and the same forms under other readings."""

from __future__ import annotations

from functools import cache

from flowviz.demo.lexicon import facts, people, places, words
from flowviz.demo.lexicon.entry import Entry, adjective, noun, past, plain, proper


@cache
def index() -> dict[str, Entry]:
    """The usual reading of each form; slots ask for another where they need one."""
    found: dict[str, Entry] = {}
    for entry in (*_names(), *_nouns(), *_adjectives(), *_verbs(), *_numbers(), *_rest()):
        found.setdefault(entry.form, entry)
    return found


def person(name: str) -> Entry:
    """A name of a person."""
    return proper(name, "PERSON")


def country(name: str) -> Entry:
    """A country's name."""
    return proper(name, "COUNTRY")


def city(name: str) -> Entry:
    """A city's name."""
    return proper(name, "CITY")


def language(name: str) -> Entry:
    """A language's name."""
    return proper(name, "LANGUAGE")


def occupation(form: str) -> Entry:
    """An occupation, as a noun."""
    return noun(form, entity="OCCUPATION")


def number(form: str) -> Entry:
    """A number word or digits."""
    return Entry(form, "NUM", form, "NumType=Card", "NUMBER")


def date(form: str) -> Entry:
    """A day or a month."""
    return proper(form, "DATE")


def year(form: str) -> Entry:
    """A year in digits."""
    return Entry(form, "NUM", form, "NumType=Card", "DATE")


def _names() -> list[Entry]:
    people_known = (*facts.SPORT, *facts.FIELD, *facts.INSTRUMENT)
    return [
        *(person(name) for name in (*people.NAMES, *people_known)),
        *(country(c.name) for c in places.COUNTRIES),
        *(city(name) for name in places.CITIES),
        *(proper(name, "CONTINENT") for name in places.CONTINENTS),
        *(language(name) for name in places.LANGUAGES),
        *(proper(name, "CLUB") for name in facts.CLUB_CITY),
        *(date(name) for name in (*words.SERIES["days"], *words.SERIES["months"])),
        *(proper(name, "O") for name in words.KIND if name[0].isupper()),
    ]


def _nouns() -> list[Entry]:
    values = (
        *facts.SPORT.values(),
        *facts.FIELD.values(),
        *facts.INSTRUMENT.values(),
        *words.KIND,
        *words.PROPERTY,
        *(form for form in words.COLOR),
        *words.PLACES,
        *words.THINGS,
        *words.EVENTS,
    )
    return [
        *(occupation(form) for form in people.P_SHE),
        *(noun(many, one, True, "OCCUPATION") for one, many in people.WORKERS.items()),
        *(noun(one) for one in words.PLURAL),
        *(noun(many, one, True) for one, many in words.PLURAL.items()),
        *(noun(kind) for kind in words.KIND.values()),
        *(noun(form) for form in values),
    ]


def _adjectives() -> list[Entry]:
    forms = (*words.ADJECTIVES, *words.COLOR.values(), *words.PROPERTY.values())
    return [adjective(form) for form in forms]


def _verbs() -> list[Entry]:
    third = "Number=Sing|Person=3|Tense=Pres|VerbForm=Fin"
    return [
        *(plain(base) for base, _, _ in words.VERBS),
        *(Entry(form, "VERB", base, third) for base, form, _ in words.VERBS),
        *(past(form, base) for base, _, form in words.VERBS),
    ]


def _numbers() -> list[Entry]:
    ordinal = "NumType=Ord"
    return [
        *(number(form) for form in words.SERIES["numbers"]),
        *(Entry(form, "ADJ", form, ordinal) for form in words.SERIES["ordinals"]),
        *(Entry(form, "NOUN", form) for form in words.SERIES["letters"]),
        *(number(form) for form in words.SERIES["digits"]),
    ]


def _rest() -> list[Entry]:
    return [Entry(form, upos, form.lower()) for upos, form in words.EXTRA]
