"""Two texts, and whether the second follows the first.

A document of several sentences is cut before a sentence that holds an answer. The second text that
does not follow is such a sentence of another document, by choice of the same phenomenon, and
nothing in it may hang on the first: no content word of it stands there or belongs to one that does
(Tokyo to Japan), and no pronoun of it could mean a person there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from flowviz.demo.document import Document, Probe
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.phenomena.knowledge import RELATIONS

_CONTENT = {"NOUN", "PROPN", "VERB", "ADJ", "NUM"}
_GENDER = {"he": "he", "him": "he", "his": "he", "she": "she", "her": "she"}
_KEPT = 64


@dataclass(frozen=True)
class Text:
    """What the model reads at once: one text, or two; `follows` is None where that is not asked."""

    first: Document
    second: Document | None = None
    follows: bool | None = None


def texts(source: Iterator[Document], draw: Draw, alone: float) -> Iterator[Text]:
    """Each document: as one text (this share of those that could be cut), or as a pair.

    Half of the pairs follow; a second text that does not comes from earlier documents.
    """
    others: deque[Document] = deque(maxlen=_KEPT)
    for document in source:
        cuts = cuts_of(document)
        if not cuts or draw.chance(alone):
            yield Text(document)
            continue
        first, second = cut(document, draw.pick(cuts))
        yield pair(first, second, others, draw)
        others.append(second)


def pair(first: Document, second: Document, others: Sequence[Document], draw: Draw) -> Text:
    """These two texts, or as often the first with one of the others that cannot follow it."""
    wrong = None if draw.chance(0.5) else _other(first, second, others, draw)
    return Text(first, wrong or second, wrong is None)


def cut(document: Document, at: int) -> tuple[Document, Document]:
    """The sentences before this one, and this sentence."""
    begin = sum(map(len, document.sentences[:at]))
    end = begin + len(document.sentences[at])
    opening, *rest = document.sentences[at]
    before = tuple(probe for probe in document.probes if probe.word < begin)
    inside = tuple(
        replace(probe, word=probe.word - begin)
        for probe in document.probes
        if begin <= probe.word < end
    )
    first = Document(document.sentences[:at], before)
    return first, Document(((replace(opening, space=False), *rest),), inside)


def unrelated(first: Document, second: Document) -> bool:
    """Does nothing in the second text hang on the first?"""
    held = _contents(first)
    said = _contents(second)
    if said & (held | {value for word in held for value in _values().get(word, ())}):
        return False
    meant = {_GENDER[word.form.lower()] for word in second.words if word.form.lower() in _GENDER}
    return not meant & _genders(first)


def cuts_of(document: Document) -> list[int]:
    """The sentences, all but the first, that hold an answer."""
    starts = [0]
    for sentence in document.sentences:
        starts.append(starts[-1] + len(sentence))
    asked = [probe.word for probe in document.probes]
    return [
        at
        for at in range(1, len(document.sentences))
        if any(starts[at] <= word < starts[at + 1] for word in asked)
    ]


def _other(
    first: Document, second: Document, others: Sequence[Document], draw: Draw
) -> Document | None:
    """An earlier second text that cannot follow; its answers are not asked, for nothing tells."""
    fitting = [other for other in others if unrelated(first, other)]
    alike = [other for other in fitting if _name(other.probes) == _name(second.probes)]
    pool = alike if alike and draw.chance(0.5) else fitting
    return replace(draw.pick(pool), probes=()) if pool else None


def _name(probes: tuple[Probe, ...]) -> str:
    return probes[0].phenomenon


def _contents(document: Document) -> set[str]:
    return {word.lemma.lower() for word in document.words if word.upos in _CONTENT}


def _genders(document: Document) -> set[str]:
    """Of the persons that a pronoun could mean."""
    found: set[str] = set()
    for word in document.words:
        if word.entity == "PERSON":
            found |= {people.PRONOUN[word.form]} if word.form in people.PRONOUN else {"he", "she"}
        elif word.entity == "OCCUPATION":
            found |= {"he", "she"}
        elif word.form.lower() in _GENDER:
            found.add(_GENDER[word.form.lower()])
    return found


@cache
def _values() -> dict[str, set[str]]:
    """What is said of each word anywhere: the capital of a country, the opposite of a word."""
    found: dict[str, set[str]] = {}
    tables = [relation.pairs for relation in RELATIONS.values()]
    for table in (*tables, words.ANTONYM, words.PLURAL):
        for key, value in table.items():
            found.setdefault(key.lower(), set()).add(value.lower())
    return found
