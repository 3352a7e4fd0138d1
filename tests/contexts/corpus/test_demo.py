"""The corpus that ships: large, quick, the same each time, whole trees, nothing twice."""

from __future__ import annotations

from collections import Counter

from flowviz.contexts.corpus.demo import demo_corpus, drawn_corpus, sentences
from flowviz.contexts.corpus.types import ROOT, Corpus, Sentence
from flowviz.contexts.kinds import ANNOTATIONS
from flowviz.demo.draw import Draw
from flowviz.demo.mixture import MAKERS
from flowviz.demo.phenomena import knowledge

FORMS = {name: MAKERS[name] for name in ("antonyms", "plurals", "past tense")}
CASES = ("facts", *FORMS)


def read() -> list[Sentence]:
    return [sentence for sentence, _ in demo_corpus().read()]


def test_it_is_a_corpus_of_enough_sentences() -> None:
    assert isinstance(demo_corpus(), Corpus)
    assert len(read()) >= 2000
    assert {sentence.part for sentence in read()} == set(MAKERS)
    assert demo_corpus().annotations == ANNOTATIONS


def test_it_is_the_same_each_time() -> None:
    before, mark = read(), demo_corpus().fingerprint()
    sentences.cache_clear()
    assert read() == before
    assert demo_corpus().fingerprint() == mark


def test_another_draw_has_other_sentences_of_every_kind() -> None:
    corpus, shipped = drawn_corpus(40, 1), {sentence.text for sentence in read()}
    drawn = [sentence for sentence, _ in corpus.read()]
    assert isinstance(corpus, Corpus)
    assert {sentence.part for sentence in drawn} == set(MAKERS)
    assert not {sentence.text for sentence in drawn} & shipped
    assert len({sentence.text for sentence in drawn}) == len(drawn)
    parts = Counter(sentence.part for sentence in drawn)
    assert max(parts.values()) == 40
    assert parts["repeats"] == 8
    prints = {each.fingerprint() for each in (corpus, drawn_corpus(40, 2), demo_corpus())}
    assert len(prints) == 3
    assert drawn_corpus(40, 1).fingerprint() == corpus.fingerprint()
    assert corpus.name == "demo:40:1"


def test_no_text_is_there_twice() -> None:
    texts = [sentence.text for sentence in read()]
    assert len(set(texts)) == len(texts)


def test_words_stand_where_they_say_and_nothing_else_does() -> None:
    for sentence in read():
        rest = list(sentence.text)
        for word in sentence.words:
            assert sentence.text[word.start : word.end] == word.form
            rest[word.start : word.end] = " " * len(word.form)
        assert not "".join(rest).strip()
        assert sentence.text == sentence.text.strip()


def test_annotations_are_trees() -> None:
    for sentence in read():
        heads = [word.head for word in sentence.words]
        assert heads.count(ROOT) == 1
        for start in range(len(heads)):
            steps = 0
            while start != ROOT and steps <= len(heads):
                start, steps = heads[start], steps + 1
            assert start == ROOT, sentence
        assert all(word.upos and word.deprel and word.lemma for word in sentence.words)


def test_one_sentence_by_hand() -> None:
    (found,) = [s for s in read() if s.text == "Takeshi is a doctor."]
    assert [(w.form, w.start, w.upos, w.deprel, w.head, w.entity) for w in found.words] == [
        ("Takeshi", 0, "PROPN", "nsubj", 3, "PERSON"),
        ("is", 8, "AUX", "cop", 3, ""),
        ("a", 11, "DET", "det", 3, ""),
        ("doctor", 13, "NOUN", "root", ROOT, "OCCUPATION"),
        (".", 19, "PUNCT", "punct", 3, ""),
    ]


def test_bytes_count_what_is_read() -> None:
    assert [done for _, done in demo_corpus().read()][-1] == demo_corpus().bytes
    assert demo_corpus().bytes == sum(len(sentence.text.encode()) for sentence in read())


def test_what_can_be_held_out_was_not_trained_on() -> None:
    held = {sentence.text for sentence in read() if sentence.part in CASES}
    trained, more = set[str](), set[str]()
    for make in (*map(knowledge.maker, knowledge.RELATIONS), *FORMS.values()):
        for seed in range(60):
            trained.add(make(Draw(seed)).text)
            more.add(make(Draw(seed, held=True)).text)
    assert len(held) > 300
    assert not held & trained
    assert held & more
