"""What the generator makes: documents of sentences of annotated words, with their probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Word:
    """One syntactic word. ``head`` counts from 1 within the sentence; 0 is the root."""

    form: str
    space: bool  # is there a space before it?
    upos: str
    deprel: str
    head: int
    lemma: str
    feats: str = "_"
    entity: str = "O"


@dataclass(frozen=True)
class Probe:
    """A word that the words before it determine: what an evaluation asks the model for.

    ``accept`` holds further forms that count as right (every greater year, for instance);
    ``contrast`` is the wrong form, where right against wrong is what is compared;
    ``within`` is the number of characters of the word that the prompt already shows.
    """

    phenomenon: str
    word: int  # index over the whole document
    accept: frozenset[str] = frozenset()
    contrast: str | None = None
    within: int = 0


@dataclass(frozen=True)
class Document:
    """A text with gold annotations for every word."""

    sentences: tuple[tuple[Word, ...], ...]
    probes: tuple[Probe, ...] = ()

    @property
    def words(self) -> list[Word]:
        """All words, sentence after sentence."""
        return [word for sentence in self.sentences for word in sentence]

    @property
    def text(self) -> str:
        """The text as it is read."""
        return "".join(" " * word.space + word.form for word in self.words)

    def spans(self) -> Iterator[tuple[int, int]]:
        """The characters of each word, without the space before it."""
        end = 0
        for word in self.words:
            start = end + word.space
            end = start + len(word.form)
            yield start, end

    def prompt(self, probe: Probe) -> str:
        """The text before the probed word, and as much of the word as the probe shows."""
        start, _ = list(self.spans())[probe.word]
        return self.text[: start + probe.within].rstrip(" ")


def join(documents: list[Document]) -> Document:
    """Several documents read one after the other, as one text."""
    sentences: list[tuple[Word, ...]] = []
    probes: list[Probe] = []
    for document in documents:
        offset = sum(len(sentence) for sentence in sentences)
        first, *others = document.sentences
        if sentences:
            first = (replace(first[0], space=True), *first[1:])
        sentences += [first, *others]
        probes += [replace(probe, word=probe.word + offset) for probe in document.probes]
    return Document(tuple(sentences), tuple(probes))
