"""Texts as others would write them: other openings, words in between, words that nobody knows.

What the answer depends on stays: names, nouns, adjectives, numbers and pronouns. Other words are
sometimes replaced, others are put between them or in front, half of them from the lexicon and half
made of random syllables, which are read letter by letter. Without this the model is lost wherever a
text holds a word that is new to it.
"""

from __future__ import annotations

from dataclasses import replace

from flowviz.demo.document import Document, Probe, Word
from flowviz.demo.draw import Draw
from flowviz.demo.masked.pairs import Text
from flowviz.demo.vocabulary import LIST_WORDS

_LISTS = {
    "induction",
    "successors",
    "few-shot mappings",
    "closing brackets",
    "closing quotes",
    "greater years",
}
_LOOSE = {"VERB", "ADV", "ADP", "AUX", "SCONJ", "DET"}
_REPLACED, _INSERTED, _OPENED, _UNSTOPPED = 0.12, 0.08, 0.5, 0.25
_COMMON = tuple(form for form in LIST_WORDS if form.isalpha() and form.islower())
_STARTS = ("b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "w")
_ENDS = ("a", "e", "i", "o", "u", "ea", "an", "er", "in", "ist", "ol", "ed", "ou")


def disturbed(text: Text, draw: Draw, share: float) -> Text:
    """This share of the texts that are sentences, disturbed; an answer stays the answer."""
    if any(p.phenomenon in _LISTS for p in text.first.probes) or not draw.chance(share):
        return text
    second = text.second and _written_anew(text.second, draw)
    return replace(text, first=_written_anew(text.first, draw), second=second)


def _written_anew(document: Document, draw: Draw) -> Document:
    asked = {probe.word: probe for probe in document.probes}
    words: list[Word] = _opening(draw) if draw.chance(_OPENED) else []
    probes: list[Probe] = []
    for place, word in enumerate(document.words):
        if place == 0 and words:
            word = replace(word, space=True, form=_inside(word))
        if place in asked:
            probes.append(replace(asked[place], word=len(words)))
        elif place and word.upos in _LOOSE and draw.chance(_REPLACED):
            word = replace(word, form=_word(draw))
        elif place and word.space and draw.chance(_INSERTED):
            words.append(_loose(_word(draw)))
        words.append(word)
    if words[-1].form == "." and draw.chance(_UNSTOPPED):
        words.pop()
    return Document((tuple(words),), tuple(probes))


def _opening(draw: Draw) -> list[Word]:
    """One to five words, by choice with a comma behind them."""
    forms = [_word(draw) for _ in range(draw.random.randint(1, 5))]
    words = [_loose(form) for form in [forms[0].capitalize(), *forms[1:]]]
    words[0] = replace(words[0], space=False)
    return [*words, replace(_loose(","), space=False)] if draw.chance(0.5) else words


def _inside(word: Word) -> str:
    """A word that opened a text, as it is written within one."""
    proper = word.upos == "PROPN" or word.form == "I"
    return word.form if proper else word.form[0].lower() + word.form[1:]


def _loose(form: str) -> Word:
    return Word(form, True, "X", "dep", 0, form.lower())


def _word(draw: Draw) -> str:
    if draw.chance(0.5):
        return draw.pick(_COMMON)
    return "".join(draw.pick(_STARTS) + draw.pick(_ENDS) for _ in range(draw.random.randint(1, 3)))
