"""Indirect objects with any words: who gives to whom stays, and all else may be drawn anew.

In a document of :mod:`flowviz.demo.phenomena.copying` each content word is replaced, with a chance
that differs from document to document, by another of its part of speech and features, and the two
names sometimes by other proper nouns. What is said makes little sense then; what stays is the
frame, so that a model learns to copy by it and not by the words around it. The words that
off-template prompts use are never drawn.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from flowviz.demo.document import Document, Word
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, words
from flowviz.demo.lexicon.entry import Entry
from flowviz.demo.lexicon.index import index
from flowviz.demo.phenomena import copying
from flowviz.demo.vocabulary import LIST_WORDS

_PAST = "Tense=Past|VerbForm=Fin"
_CONTENT = {"VERB", "NOUN", "ADJ", "ADV", "SCONJ", "ADP"}
_OTHER_NAMES = 0.3


def varied_indirect_objects(draw: Draw) -> Document:
    """One of two people gives something to the other, told in drawn words."""
    document = copying.indirect_objects(draw)
    share = draw.random.random()
    asked = {probe.word for probe in document.probes}
    names = _other_names(draw, document) if draw.chance(_OTHER_NAMES) else {}
    sentences, place = [], 0
    for sentence in document.sentences:
        fresh = []
        for word in sentence:
            kept = place + 1 in asked  # the "to" before the answer
            fresh.append(_redrawn(draw, word, 0.0 if kept else share, names))
            place += 1
        sentences.append(_with_articles(fresh))
    return Document(tuple(sentences), document.probes)


def _other_names(draw: Draw, document: Document) -> dict[str, Entry]:
    forms = sorted({word.form for word in document.words if word.entity == "PERSON"})
    others = draw.sample(_pool("PROPN", "Number=Sing"), len(forms))
    return dict(zip(forms, others, strict=True))


def _redrawn(draw: Draw, word: Word, share: float, names: dict[str, Entry]) -> Word:
    if word.form in names:
        return _filled(word, names[word.form])
    if word.upos not in _CONTENT or not draw.chance(share):
        return word
    feats = _PAST if word.upos == "VERB" and word.feats == "_" else word.feats
    if word.upos == "NOUN" and feats == "_":
        feats = "Number=Sing"
    pool = _pool(word.upos, feats)
    return _filled(word, draw.pick(pool)) if pool else word


def _filled(word: Word, entry: Entry) -> Word:
    form = entry.form
    if word.form[0].isupper() and entry.upos != "PROPN":
        form = form[0].upper() + form[1:]
    return replace(word, form=form, lemma=entry.lemma, feats=entry.feats, entity=entry.entity)


def _with_articles(sentence: list[Word]) -> tuple[Word, ...]:
    """ "a" or "an", by the word that now comes after it."""
    after = [*sentence[1:], sentence[-1]]
    return tuple(
        replace(word, form="an" if follower.form[0].lower() in "aeiou" else "a")
        if word.form in ("a", "an")
        else word
        for word, follower in zip(sentence, after, strict=True)
    )


@cache
def _pool(upos: str, feats: str) -> tuple[Entry, ...]:
    known = index()
    return tuple(
        entry
        for form in LIST_WORDS
        if (entry := known[form]).upos == upos
        and entry.feats == feats
        and form.lower() not in _unseen()
    )


@cache
def _unseen() -> frozenset[str]:
    """What off-template prompts are made of."""
    openings = " ".join(copying.UNSEEN_OPENINGS).split()
    told = {word.partition("|")[0] for word in openings if "|" in word}
    things = {*copying.UNSEEN_PLACES, *copying.UNSEEN_THINGS, *words.HELD_GIVE}
    return frozenset(form.lower() for form in {*told, *things, *people.NAMES})
