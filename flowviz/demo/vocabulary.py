# ruff: noqa: SIM905
"""Every form that the tokenizer must keep whole, and the words that random lists are made of."""

from __future__ import annotations

from flowviz.demo.lexicon import facts, people, places, words

_PUNCTUATION = """. , : ; ! ? " ' ( ) [ ] { } “ ” -> = - « » & % / * + # @ … – —""".split()
_FACT_TABLES = (facts.SPORT, facts.FIELD, facts.INSTRUMENT, facts.CLUB_CITY)
_PROPER = (
    *people.NAMES,
    *(country.name for country in places.COUNTRIES),
    *places.CITIES,
    *places.CONTINENTS,
    *places.LANGUAGES,
    *(name for table in _FACT_TABLES for name in table),
    *words.SERIES["days"],
    *words.SERIES["months"],
)
_COMMON = (
    *people.P_SHE,
    *(f"{occupation}s" for occupation in people.P_SHE),  # the merges were learned with "secretarys"
    *(value for table in _FACT_TABLES for value in table.values()),
    *(form for pair in words.PLURAL.items() for form in pair),
    *(form for pair in words.KIND.items() for form in pair),
    *words.ANTONYM,
    *(form for pair in words.COLOR.items() for form in pair),
    *(form for pair in words.PROPERTY.items() for form in pair),
    *(form for verb in words.VERBS for form in verb),
    *words.ADJECTIVES,
    *(item for name in ("numbers", "ordinals", "letters") for item in words.SERIES[name]),
    *words.PLACES,
    *words.THINGS,
    *words.EVENTS,
    *(form for _, form in words.EXTRA),
)
_OPENERS = """The A An When After While Then Before In On At Yesterday Today Tomorrow Once
    One Two It He She They We I You This That These Those My Her His Their As If But And So
    People Everyone Near Every Some What Who Where Why How Yes No There Here For From Later
    Finally Soon Because During Afterwards Although Since Whenever Many Both Last Next""".split()

_WHOLE: tuple[str, ...] = tuple(dict.fromkeys((*_PROPER, *_COMMON)))
_SPELLED: dict[str, str] = {f"{one}s": many for one, many in people.WORKERS.items()}
LIST_WORDS = tuple(_SPELLED.get(form, form) for form in _WHOLE)
"""What random repeats draw from: nearly the whole lexicon."""


def spaced_forms() -> list[str]:
    """Forms that are one token after a space."""
    extra = [*_OPENERS, "s", *_PUNCTUATION, *(f"{n}" for n in range(1, 32))]
    return list(dict.fromkeys((*_WHOLE, *extra, *(f"{n:02d}" for n in range(10, 21)))))


def opening_forms() -> list[str]:
    """Forms that are one token where nothing stands before them."""
    items = (*words.SERIES["numbers"], *words.SERIES["ordinals"], *words.SERIES["letters"])
    pairs = [f"{n:02d}" for n in range(100)] + [str(n) for n in range(10)]
    shots = (*words.ANTONYM, *words.PLURAL, *words.PAST)
    return list(
        dict.fromkeys((*_PROPER, *_OPENERS, *items, *shots, *_PUNCTUATION, *pairs, "'s", "s", "\n"))
    )
