"""One entry of the lexicon: a form with all that its annotation needs."""

from __future__ import annotations

from dataclasses import dataclass

ENTITY_TYPES = (
    "O",
    "PERSON",
    "COUNTRY",
    "CITY",
    "CONTINENT",
    "LANGUAGE",
    "CLUB",
    "DATE",
    "NUMBER",
    "OCCUPATION",
)
"""The labels a word's entity type can have; ``O`` is no entity."""


@dataclass(frozen=True)
class Entry:
    """A word form, its universal part of speech, lemma, features and entity type."""

    form: str
    upos: str
    lemma: str = ""
    feats: str = "_"
    entity: str = "O"


def noun(form: str, lemma: str = "", plural: bool = False, entity: str = "O") -> Entry:
    """A common noun in the singular, or with its lemma in the plural."""
    return Entry(form, "NOUN", lemma or form, f"Number={'Plur' if plural else 'Sing'}", entity)


def proper(form: str, entity: str) -> Entry:
    """A proper noun."""
    return Entry(form, "PROPN", form, "Number=Sing", entity)


def adjective(form: str) -> Entry:
    """An adjective in its plain form."""
    return Entry(form, "ADJ", form, "Degree=Pos")


def past(form: str, lemma: str) -> Entry:
    """A verb in the past tense."""
    return Entry(form, "VERB", lemma, "Tense=Past|VerbForm=Fin")


def plain(form: str) -> Entry:
    """A verb in its base form."""
    return Entry(form, "VERB", form, "VerbForm=Inf")
