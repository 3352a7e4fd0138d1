# ruff: noqa: SIM905
"""What the generator makes: deterministic, well annotated, and split."""

from itertools import islice

import pytest

from flowviz.demo.cases import SUITES
from flowviz.demo.conllu import to_conllu
from flowviz.demo.document import Document
from flowviz.demo.draw import Draw, is_held
from flowviz.demo.lexicon.entry import ENTITY_TYPES
from flowviz.demo.lexicon.people import HELD_NAMES
from flowviz.demo.lexicon.words import HELD_GIVE
from flowviz.demo.mixture import MAKERS, STAGES, documents
from flowviz.demo.template import parse, render

UNIVERSAL = frozenset(
    """ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X""".split()
)
RELATIONS = frozenset(
    """acl acl:relcl advcl advmod amod appos aux aux:pass case cc ccomp compound conj cop det expl
    iobj list mark nmod nmod:poss nsubj nummod obj obl parataxis punct root xcomp""".split()
)


def made(count: int, seed: int = 0) -> list[Document]:
    return list(islice(documents(STAGES[-1], Draw(seed)), count))


def read_conllu(text: str) -> list[list[list[str]]]:
    """Sentences of lines of ten columns."""
    blocks = [block for block in text.split("\n\n") if block]
    return [
        [line.split("\t") for line in block.split("\n") if not line.startswith("#")]
        for block in blocks
    ]


def reaches_root(heads: list[int], start: int) -> bool:
    seen: set[int] = set()
    while start and start not in seen:
        seen.add(start)
        start = heads[start - 1]
    return start == 0


def test_the_same_seed_makes_the_same_documents():
    assert made(200, seed=3) == made(200, seed=3)
    assert made(200, seed=3) != made(200, seed=4)


def test_annotations_form_trees_with_universal_labels():
    for document in [*made(2000), *(make(Draw(1, True)) for make in SUITES.values())]:
        for sentence in document.sentences:
            heads = [word.head for word in sentence]
            assert heads.count(0) == 1, document.text
            assert all(0 <= head <= len(heads) for head in heads), document.text
            assert all(reaches_root(heads, i + 1) for i in range(len(heads))), document.text
            for word in sentence:
                assert word.upos in UNIVERSAL, (document.text, word)
                assert word.deprel in RELATIONS, (document.text, word)
                assert (word.deprel == "root") == (word.head == 0), (document.text, word)
                assert word.entity in ENTITY_TYPES


def test_conllu_reproduces_the_text():
    for number, document in enumerate(made(500, seed=9)):
        text = ""
        for sentence in read_conllu(to_conllu(document, str(number))):
            for columns in sentence:
                assert len(columns) == 10
                text += columns[1] + ("" if "SpaceAfter=No" in columns[9] else " ")
        assert text == document.text


def test_conllu_of_one_sentence():
    document = render("{x}|nsubj plays|root .", {"x": _person()}, "sports")
    assert to_conllu(document, "a") == (
        "# sent_id = a-1\n"
        "# text = Messi plays.\n"
        "1\tMessi\tMessi\tPROPN\t_\tNumber=Sing\t2\tnsubj\t_\tEntity=PERSON\n"
        "2\tplays\tplay\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No\n"
        "3\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\tSpaceAfter=No\n\n"
    )


def _person():
    from flowviz.demo.lexicon.index import person

    return person("Messi")


def test_a_template_without_a_root_is_refused():
    with pytest.raises(ValueError, match="has no root"):
        parse("The cat|nsubj .")


def test_probes_ask_for_words_of_the_document():
    for document in made(1000, seed=5):
        for probe in document.probes:
            word = document.words[probe.word]
            prompt = document.prompt(probe)
            rest = document.text[len(prompt) :].lstrip(" ")
            assert rest.startswith(word.form[probe.within :])


@pytest.mark.parametrize("name", [name for name in SUITES if "off-template" not in name])
def test_no_held_out_prompt_is_ever_trained_on(name):
    if name == "induction":
        pytest.skip("random lists have no cases to hold out")
    held, trained = Draw(1, held=True), Draw(2)
    asked = {prompt for _ in range(150) for prompt in _prompts(SUITES[name](held))}
    seen = {prompt for _ in range(1500) for prompt in _prompts(SUITES[name](trained))}
    assert not asked & seen


def _prompts(document: Document) -> list[str]:
    return [document.prompt(probe) for probe in document.probes]


def test_off_template_names_and_verbs_stay_out_of_training():
    draw = Draw(7)
    for _ in range(2000):
        words = {word.form for word in MAKERS["indirect objects"](draw).words}
        assert not words & HELD_NAMES
        assert not words & set(HELD_GIVE)


def test_about_fifteen_percent_are_held_out():
    share = sum(is_held("case", i) for i in range(20_000)) / 20_000
    assert 0.13 < share < 0.17
