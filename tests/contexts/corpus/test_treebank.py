"""Treebanks as they are: what is read, and how little is lost where something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.types import NO_GOVERNOR, ROOT, Corpus, Word
from flowviz.contexts.kinds import ANNOTATIONS
from flowviz.demo.conllu import to_conllu
from flowviz.demo.draw import Draw
from flowviz.demo.mixture import MAKERS
from tests.contexts.corpus.reading import block, line, of, read, write

GERMAN = """\
# newdoc id = letters
# newpar id = p1
# sent_id = letters-1
# text = Er geht zum Haus.
1\tEr\ter\tPRON\tPPER\tCase=Nom\t2\tnsubj\t2:nsubj\t_
2\tgeht\tgehen\tVERB\tVVFIN\tMood=Ind|Number=Sing\t0\troot\t0:root\t_
3-4\tzum\t_\t_\t_\t_\t_\t_\t_\t_
3\tzu\tzu\tADP\tAPPR\t_\t5\tcase\t5:case\t_
4\tdem\tder\tDET\tART\tCase=Dat\t5\tdet\t5:det\t_
4.1\tx\tx\tNOUN\t_\t_\t_\t_\t2:obl\t_
5\tHaus\tHaus\tNOUN\tNN\tCase=Dat\t2\tobl\t2:obl\tSpaceAfter=No
6\t.\t.\tPUNCT\t$.\t_\t2\tpunct\t2:punct\t_

"""


def forms(words: tuple[Word, ...]) -> list[tuple[str, int]]:
    return [(word.form, word.start) for word in words]


def test_a_sentence_of_universal_dependencies(tmp_path: Path) -> None:
    (sentence,), faults = of(tmp_path, GERMAN)
    assert not faults
    assert (sentence.text, sentence.part, sentence.place) == (
        "Er geht zum Haus.", "letters", "letters-1"
    )  # fmt: skip
    assert sentence.words == (
        Word("Er", 0, 2, "er", "PRON", "PPER", "Case=Nom", "nsubj", 1),
        Word("geht", 3, 7, "gehen", "VERB", "VVFIN", "Mood=Ind|Number=Sing", "root", ROOT),
        Word("zum", 8, 11, "zu+der", "ADP+DET", "APPR+ART", "_+Case=Dat", "case+det", 3),
        Word("Haus", 12, 16, "Haus", "NOUN", "NN", "Case=Dat", "obl", 1),
        Word(".", 16, 17, ".", "PUNCT", "$.", "", "punct", 1),
    )


def test_it_is_a_corpus(tmp_path: Path) -> None:
    corpus = open_corpus(write(tmp_path, GERMAN))
    assert isinstance(corpus, Corpus)
    assert (corpus.name, corpus.annotations, corpus.notes) == ("made.conllu", ANNOTATIONS, ())
    assert corpus.bytes == len(GERMAN.encode())
    assert [done for _, done in corpus.read()] == [corpus.bytes]


def test_it_is_read_again_as_often_as_it_is_asked(tmp_path: Path) -> None:
    corpus = open_corpus(write(tmp_path, GERMAN * 3 + "wrong\n"))
    assert list(corpus.read()) == list(corpus.read())
    first = corpus.read()
    next(first)
    assert len(list(corpus.read())) == 1 + len(list(first))


def test_a_word_that_governs_within_its_own_token_has_the_outer_governor(tmp_path: Path) -> None:
    text = block(line("1-2", "dámelo", "_"), line(1, "da", 0), line(2, "me", 1), line(3, "hoy", 2))
    (sentence,), faults = of(tmp_path, text)
    assert not faults
    assert [word.head for word in sentence.words] == [ROOT, 0]


@pytest.mark.parametrize(
    ("misc", "text"),
    [
        ("SpaceAfter=No", "ab c"),
        ("SpacesAfter=\\s\\n", "a \nb c"),
        ("SpacesAfter=\\s\\s|Entity=X", "a  b c"),
        ("SpacesAfter=\\q", "a b c"),
        ("SpacesAfter=zzz", "a b c"),
        ("_", "a b c"),
        ("Gloss==|x", "a b c"),
    ],
)
def test_text_made_of_words(tmp_path: Path, misc: str, text: str) -> None:
    (sentence,), faults = of(
        tmp_path, block(line(1, "a", misc=misc), line(2, "b", 1), line(3, "c", 1))
    )
    assert (sentence.text, faults) == (text, [])
    assert all(text[w.start : w.end] == w.form for w in sentence.words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我 喜欢。", ["我", "喜欢", "。"]),
        ("我喜欢。", ["我", "喜欢", "。"]),
        ("ذهب إلى البيت", ["ذهب", "إلى", "البيت"]),
        ("cafe\u0301 ok", ["cafe\u0301", "ok"]),
        ("👩‍👩‍👧 😀!", ["👩‍👩‍👧", "😀", "!"]),
        ("à 1 000 km", ["à", "1 000", "km"]),
        ("a \u00a0b\u3000c", ["a", "b", "c"]),
    ],
)
def test_text_as_it_was_written(tmp_path: Path, text: str, words: list[str]) -> None:
    lines = [line(i, form, 0 if i == 1 else 1) for i, form in enumerate(words, 1)]
    (sentence,), faults = of(tmp_path, block(f"# text = {text}", *lines))
    assert (sentence.text, faults) == (text, [])
    assert [text[word.start : word.end] for word in sentence.words] == words


def test_a_text_of_other_words_is_left_out(tmp_path: Path) -> None:
    (sentence,), faults = of(tmp_path, block("# text = a bb", line(1, "a"), line(2, "b", 1)))
    assert (sentence.text, faults) == ("a b", [(1, "the comment")])


@pytest.mark.parametrize(
    ("wrong", "head", "upos", "faults"),
    [
        ("2\tb\tb\tX", 0, "", [(3, "the word's annotations")]),
        (line(2, "b", 9, upos="X"), NO_GOVERNOR, "X", [(3, "the word's governor")]),
        (line(2, "b", 2, upos="X"), NO_GOVERNOR, "X", [(3, "the word's governor")]),
        (line(2, "b", -1, upos="X"), NO_GOVERNOR, "X", [(3, "the word's governor")]),
        (line(2, "b", "9" * 5000, upos="X"), NO_GOVERNOR, "X", [(3, "the word's governor")]),
        (line(2, "b", "1.5", upos="X"), NO_GOVERNOR, "X", [(3, "the word's governor")]),
        (line(2, "b", "_", upos="X"), NO_GOVERNOR, "X", []),
    ],
)
def test_what_is_wrong_with_a_word_loses_no_more(
    tmp_path: Path, wrong: str, head: int, upos: str, faults: list
) -> None:
    text = block("# text = a b c", line(1, "a"), wrong, line(3, "c", 1, upos="Y"))
    (sentence, behind), found = of(tmp_path, text + block(line(1, "next")))
    assert found == faults
    assert forms(sentence.words) == [("a", 0), ("b", 2), ("c", 4)]
    assert sentence.words[1].upos == upos
    assert sentence.words[1].head == (head if head < 0 else NO_GOVERNOR)
    assert (sentence.words[2].head, sentence.words[2].upos, behind.text) == (0, "Y", "next")


@pytest.mark.parametrize("lost", ["nonsense", "x\tb", "2\t", "9" * 5000 + "\tb", "²\tb", "0\tb"])
def test_a_lost_line_is_a_gap_in_a_known_text(tmp_path: Path, lost: str) -> None:
    lines = (line(1, "a", 2), lost, line(3, "c", 1))
    (sentence,), faults = of(tmp_path, block("# text = a bbb c", *lines))
    assert faults == [(3, "the line")]
    assert forms(sentence.words) == [("a", 0), ("c", 6)]
    assert [word.head for word in sentence.words] == [NO_GOVERNOR, 0]


def test_a_lost_line_without_a_known_text_loses_its_sentence_alone(tmp_path: Path) -> None:
    text = block(line(1, "a"), "nonsense", line(3, "c", 1)) + block(line(1, "next"))
    sentences, faults = of(tmp_path, text)
    assert [sentence.text for sentence in sentences] == ["next"]
    assert faults == [(2, "the line"), (1, "the sentence")]


@pytest.mark.parametrize(
    "numbers", [(1, 3), (1, 1), (2, 1), (1, "1-2"), ("1-3", 1, 2), ("1-2", "1-2", 1, 2),
                ("2-1", 1, 2), (1, "2-3", 2), ("1-2", 1, "2-3", 2, 3)]
)  # fmt: skip
def test_numbers_out_of_order_lose_their_sentence_alone(tmp_path: Path, numbers: tuple) -> None:
    lines = [line(number, "a", 0) for number in numbers]
    sentences, faults = of(tmp_path, block(*lines) + block(line(1, "next")))
    assert [sentence.text for sentence in sentences] == ["next"]
    assert [lost for _, lost in faults][-1] == "the sentence"


def test_blocks_of_comments_alone_are_no_sentences(tmp_path: Path) -> None:
    text = "# newdoc id = d\n\n\n#\n# text\n\n" + block(line(1, "a"))
    sentences, faults = of(tmp_path, text)
    assert [(s.text, s.part, s.place) for s in sentences] == [("a", "d", "made.conllu:7")]
    assert not faults


@pytest.mark.parametrize(
    ("values", "types"),
    [
        (("PERSON", "_", "DATE"), ["PERSON", "", "DATE"]),
        (("B-PER", "I-PER", "O"), ["PER", "PER", ""]),
        (("(e1-person-2-new", "e1)", "_"), ["person", "person", ""]),
        (("(e1-person-1(e2-place-1)", "_", "e1)"), ["place", "person", "person"]),
        (("(person-1", "_", "person-1)"), ["person", "person", "person"]),
        (("(1-org", "_", "1)"), ["org", "org", "org"]),
        (("(e1[1/2]-person-1)", "_", "(e1[2/2]-person-1)"), ["person", "", "person"]),
        (("(e1--1", "e9)", "e1)"), ["", "", ""]),
        (("(((", ")))", "()"), ["", "", ""]),
    ],
)
def test_entities(tmp_path: Path, values: tuple[str, ...], types: list[str]) -> None:
    key = "NER" if values[0].startswith("B-") else "Entity"
    lines = [
        line(i, "w", 0 if i == 1 else 1, misc=value if value == "_" else f"{key}={value}")
        for i, value in enumerate(values, 1)
    ]
    (sentence,), faults = of(tmp_path, block(*lines))
    assert ([word.entity for word in sentence.words], faults) == (types, [])


@pytest.mark.parametrize(
    ("order", "values", "types"),
    [
        ("infstat-eid-etype", ("(giv-e1-animal)", "_"), ["animal", ""]),
        ("entity-GRP-infstat", ("(person-97-giv", "97)"), ["person", "person"]),
        ("entity-GRP-infstat", ("(time-175-new(time-189-new)", "175)"), ["time", "time"]),
        ("entity-GRP-identity", ("(a-2(b-3(a-4)", "a-2)b-3)"), ["a", "b"]),
        ("etype-identity", ("(person-A=B", "person)"), ["person", "person"]),
        ("eid", ("(e1", "e1)"), ["", ""]),
        ("eid-etype-head", ("(e1--1)", "(e2-x-1)"), ["", "x"]),
    ],
)
def test_the_file_says_where_the_type_of_an_entity_stands(
    tmp_path: Path, order: str, values: tuple[str, ...], types: list[str]
) -> None:
    """Once, at its head; the next sentence is read by it too."""
    lines = [
        line(i, "w", 0 if i == 1 else 1, misc=value if value == "_" else f"X=1|Entity={value}")
        for i, value in enumerate((*values, "_"), 1)
    ]
    first = block(f"# global.Entity = {order}", line(1, "a"))
    (_, second), faults = of(tmp_path, first + block(*lines))
    assert ([word.entity for word in second.words], faults) == ([*types, ""], [])


def test_parts_are_documents_of_a_file_and_files_of_a_folder(tmp_path: Path) -> None:
    one = block("# newdoc id = d1", line(1, "a")) + block("# newdoc", line(1, "b"))
    sentences, _ = of(tmp_path, one, "x.conllu")
    assert [sentence.part for sentence in sentences] == ["d1", "x.conllu"]
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", block(line(1, "c")), "a.conllu")
    sentences, _ = read(tmp_path)
    assert [s.part for s in sentences] == ["sub/a.conllu", "x.conllu", "x.conllu"]


def test_parts_stay_few(tmp_path: Path) -> None:
    text = "".join(block(f"# newdoc id = d{i}", line(1, "a")) for i in range(1500))
    sentences, _ = of(tmp_path, text)
    assert len({sentence.part for sentence in sentences}) == 1001


@pytest.mark.parametrize("kind", ["stories", "brackets", "questions", "facts"])
def test_the_generators_own_treebank_is_read_as_it_was_made(tmp_path: Path, kind: str) -> None:
    documents = [MAKERS[kind](Draw(seed)) for seed in range(20)]
    text = "".join(to_conllu(document, str(n)) for n, document in enumerate(documents))
    sentences, faults = of(tmp_path, text)
    made = [sentence for document in documents for sentence in document.sentences]
    assert not faults
    assert len(sentences) == len(made)
    for sentence, words in zip(sentences, made, strict=True):
        assert [(w.form, w.lemma, w.upos, w.deprel) for w in sentence.words] == [
            (w.form, w.lemma or w.form, w.upos, w.deprel) for w in words
        ]
        assert [(w.head, w.entity or "O") for w in sentence.words] == [
            (w.head - 1, w.entity) for w in words
        ]


FORM = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(FORM, st.booleans(), st.integers(0, 9)), min_size=1, max_size=8))
def test_any_words_come_back(tmp_path: Path, words: list[tuple[str, bool, int]]) -> None:
    lines = [
        line(i, form, head % (len(words) + 1), misc="SpaceAfter=No" if glued else "_")
        for i, (form, glued, head) in enumerate(words, 1)
    ]
    (sentence,), faults = read(write(tmp_path, block(*lines)))
    assert [word.form for word in sentence.words] == [form for form, _, _ in words]
    assert all(sentence.text[w.start : w.end] == w.form for w in sentence.words)
    wrong = [i for i, (_, _, head) in enumerate(words, 1) if head % (len(words) + 1) == i]
    assert [fault.line for fault in faults] == wrong


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300) | st.text(alphabet="1\t_-.2#\n= ab\r\0é", max_size=200).map(str.encode)
)
def test_no_bytes_break_it_and_what_follows_is_read(tmp_path: Path, data: bytes) -> None:
    clean = data.replace(b"\xff\xfe", b"").replace(b"\xfe\xff", b"")
    kept = bytes(byte for byte in clean if byte > 31 or byte in (9, 10, 13))
    sentences, _ = read(write(tmp_path, kept + b"\n\n" + block(line(1, "next")).encode()))
    assert sentences[-1].text == "next"
    for sentence in sentences:
        assert all(sentence.text[w.start : w.end] == w.form for w in sentence.words)
    read(write(tmp_path, data))
