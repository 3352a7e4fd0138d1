"""Annotations by spaCy: with one that stands in for it, and with itself where it is installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.types import NO_GOVERNOR, ROOT, Sentence, Word
from flowviz.contexts.kinds import ANNOTATIONS, Feature
from flowviz.errors import RequestError
from tests.contexts.corpus.reading import block, line, write


@dataclass
class Token:
    """What spaCy says of a token."""

    i: int
    text: str
    idx: int
    pos_: str
    dep_: str
    governor: int
    ent_type_: str = ""
    doc: list[Token] = field(default_factory=list, repr=False)
    tag_: str = "TAG"
    morph: str = "Number=Sing"

    @property
    def lemma_(self) -> str:
        return self.text.lower()

    @property
    def is_space(self) -> bool:
        return self.text.isspace()

    @property
    def head(self) -> Token:
        return self.doc[self.governor]


class Pipe:
    """A pipeline that knows one sentence: "Mary  left it." with a token of white space."""

    pipe_factories = {"tok2vec": "tok2vec", "tagger": "tagger", "names": "ner"}  # noqa: RUF012
    pipe_names = ["tok2vec", "tagger", "names"]  # noqa: RUF012
    meta = {"version": "1.0"}  # noqa: RUF012

    def __call__(self, text: str) -> list[Token]:
        assert text == "Mary  left it."
        tokens = [
            Token(0, "Mary", 0, "PROPN", "nsubj", 2, "PERSON"),
            Token(1, " ", 5, "SPACE", "dep", 0),
            Token(2, "left", 6, "VERB", "ROOT", 2),
            Token(3, "it", 11, "PRON", "dobj", 2),
            Token(4, ".", 13, "PUNCT", "punct", 1),
        ]
        for token in tokens:
            token.doc = tokens
        return tokens


class Parsing(Pipe):
    pipe_factories = {**Pipe.pipe_factories, "parser": "parser", "l": "lemmatizer"}  # noqa: RUF012


def installed(monkeypatch: pytest.MonkeyPatch, pipe: Any) -> None:
    spacy: Any = ModuleType("spacy")
    known = {"known": pipe}

    def load(name: str) -> object:
        if name not in known:
            raise OSError(f"[E050] Can't find model '{name}'.")
        return known[name]

    spacy.load = load
    monkeypatch.setitem(sys.modules, "spacy", spacy)


def test_the_pipelines_words_and_annotations_are_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, Parsing())
    corpus = open_corpus(write(tmp_path, "Mary  left it.", "made.txt"), "known")
    ((sentence, _),) = corpus.read()
    assert isinstance(sentence, Sentence)
    more = ("TAG", "Number=Sing")
    assert sentence.words == (
        Word("Mary", 0, 4, "mary", "PROPN", *more, "nsubj", 1, "PERSON"),
        Word("left", 6, 10, "left", "VERB", *more, "ROOT", ROOT),
        Word("it", 11, 13, "it", "PRON", *more, "dobj", 1),
        Word(".", 13, 14, ".", "PUNCT", *more, "punct", NO_GOVERNOR),
    )
    assert set(corpus.annotations) == set(ANNOTATIONS)
    assert "spaCy's pipeline known 1.0" in corpus.notes[0]


def test_without_a_parser_nothing_governs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed(monkeypatch, Pipe())
    path = write(tmp_path, "Mary  left it.", "made.txt")
    corpus = open_corpus(path, "known")
    ((sentence, _),) = corpus.read()
    assert isinstance(sentence, Sentence)
    assert corpus.annotations == (Feature.UPOS, Feature.ENTITY)
    assert {word.head for word in sentence.words} == {NO_GOVERNOR}
    assert corpus.fingerprint() != open_corpus(path).fingerprint()


def test_a_pipeline_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, Pipe())
    with pytest.raises(RequestError, match=r"cannot load the pipeline 'other'.*E050"):
        open_corpus(write(tmp_path, "One.", "made.txt"), "other")


def test_spacy_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(RequestError, match="pip install spacy"):
        open_corpus(write(tmp_path, "One.", "made.txt"), "en_core_web_sm")


def test_a_treebank_takes_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="annotations of its own"):
        open_corpus(write(tmp_path, block(line(1, "a"))), "known")


def test_spacy_itself_reads_as_the_stand_in_does(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Mary"}])
    nlp.to_disk(tmp_path / "pipe")
    text = write(tmp_path, "Mary  left it. She's 😀 in the U.S. now.", "made.txt")
    corpus = open_corpus(text, str(tmp_path / "pipe"))
    sentences = [each for each, _ in corpus.read() if isinstance(each, Sentence)]
    assert corpus.annotations == (Feature.ENTITY,)
    assert [[word.form for word in sentence.words] for sentence in sentences] == [
        ["Mary", "left", "it", "."],
        ["She", "'s", "😀", "in", "the", "U.S.", "now", "."],
    ]
    assert [word.entity for word in sentences[0].words] == ["PERSON", "", "", ""]
    for sentence in sentences:
        assert all(sentence.text[w.start : w.end] == w.form for w in sentence.words)
