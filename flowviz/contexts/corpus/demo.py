"""The demo corpus: sentences of the little English with their gold annotations.

They are drawn from the generator's held-out side with seeds of their own, so that what the demo
models were trained on is not among them where a kind of document has cases that can be held out
(stories, occupations and a few more have none). A part is a kind of document; each kind gives as
many different sentences, up to a limit, as it has. Each sentence stands on its own.

Another draw (`drawn_corpus`) is made in the same way from the side that the demo models were
trained on, and holds no sentence of the demo corpus: to learn from, where that is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from flowviz.contexts.corpus.types import ROOT, Sentence, Word
from flowviz.contexts.kinds import ANNOTATIONS, Feature
from flowviz.demo import document
from flowviz.demo.draw import Draw
from flowviz.demo.mixture import MAKERS, Maker
from flowviz.demo.phenomena import knowledge

SEED = "contexts"
SENTENCES = 150  # of each kind, at most
LISTS = 30  # of kinds that are long lists of words
DRAWS = 300  # documents of each kind, at most
_LISTS = ("repeats", "short repeats", "name lists", "few-shot mappings", "successors")


@dataclass(frozen=True)
class DemoCorpus:
    """A `Corpus` of sentences that are made when it is read.

    Args:
        drawn: another draw than what ships: at most so many sentences of each kind, and its seed.
    """

    name: str = "demo"
    drawn: tuple[int, int] | None = None
    annotations: tuple[Feature, ...] = ANNOTATIONS
    notes: tuple[str, ...] = (
        "Generated sentences of the demo models' little English, held out from their training "
        "where their kind has cases to hold out; their annotations are the generator's own.",
    )

    @property
    def bytes(self) -> int:
        """How much there is to read, in UTF-8."""
        return sum(_size(sentence) for sentence in sentences(self.drawn))

    def fingerprint(self) -> str:
        """A hash of all sentences with their annotations."""
        return _fingerprint(self.drawn)

    def read(self) -> Iterator[tuple[Sentence, int]]:
        """Its sentences; there are no faults."""
        done = 0
        for sentence in sentences(self.drawn):
            done += _size(sentence)
            yield sentence, done


def demo_corpus() -> DemoCorpus:
    """The corpus that ships, for the demo GPT and the demo BERT alike."""
    return DemoCorpus()


def drawn_corpus(count: int, seed: int) -> DemoCorpus:
    """Another draw, of at most so many sentences of each kind, and none of what ships."""
    notes = ("Generated sentences of the demo models' little English, as they were trained on; "
             "their annotations are the generator's own.",)  # fmt: skip
    return DemoCorpus(f"demo:{count}:{seed}", (count, seed), notes=notes)


@cache
def sentences(drawn: tuple[int, int] | None = None) -> tuple[Sentence, ...]:
    """All of them, each text once, a kind after the other."""
    shipped = {} if drawn is None else {each.text: each for each in sentences(None)}
    found: dict[str, Sentence] = {}
    for kind, makers in _kinds().items():
        found |= _of_kind(kind, makers, shipped | found, drawn)
    return tuple(found.values())


def _kinds() -> dict[str, tuple[Maker, ...]]:
    """What makes each kind; facts are drawn relation by relation, for each has a held-out side."""
    facts = tuple(knowledge.maker(name) for name in knowledge.RELATIONS)
    return {kind: facts if kind == "facts" else (make,) for kind, make in MAKERS.items()}


def _of_kind(
    kind: str,
    makers: tuple[Maker, ...],
    known: dict[str, Sentence],
    drawn: tuple[int, int] | None,
) -> dict[str, Sentence]:
    count, seed = drawn or (SENTENCES, SEED)
    draw, found = Draw(f"{seed}/{kind}", held=drawn is None), dict[str, Sentence]()
    most = max(1, count * LISTS // SENTENCES) if kind in _LISTS else count
    for number in range(DRAWS * count // SENTENCES):
        if len(found) >= most:
            break
        made = makers[number % len(makers)](draw)
        for place, words in enumerate(made.sentences, 1):
            sentence = _sentence(words, kind, f"{kind} {number + 1}, sentence {place}")
            if sentence.text not in known:
                found.setdefault(sentence.text, sentence)
    return dict(islice(found.items(), most))


def _sentence(words: tuple[document.Word, ...], part: str, place: str) -> Sentence:
    text, found = "", list[Word]()
    for index, word in enumerate(words):
        text += " " * (word.space and index > 0)
        start, text = len(text), text + word.form
        found.append(_word(word, start))
    return Sentence(text, tuple(found), part, place)


def _word(word: document.Word, start: int) -> Word:
    return Word(
        form=word.form,
        start=start,
        end=start + len(word.form),
        lemma=word.lemma or word.form,
        upos=word.upos,
        feats=_said(word.feats),
        deprel=word.deprel,
        head=word.head - 1 if word.head else ROOT,
        entity="" if word.entity == "O" else word.entity,
    )


def _said(text: str) -> str:
    return "" if text == "_" else text


def _size(sentence: Sentence) -> int:
    return len(sentence.text.encode())


@cache
def _fingerprint(drawn: tuple[int, int] | None) -> str:
    found = hashlib.blake2b(digest_size=16)
    for sentence in sentences(drawn):
        found.update(repr(sentence).encode())
    return found.hexdigest()
