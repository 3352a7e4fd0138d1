"""What the masked model reads: pieces that are whole words, pairs, rows of texts, hidden words."""

import json
from itertools import islice

import numpy as np
import pytest

from flowviz.demo.batches import Marker
from flowviz.demo.document import Document
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon.entry import Entry
from flowviz.demo.lexicon.index import country, person
from flowviz.demo.masked.batches import masked_batch, read
from flowviz.demo.masked.disturbed import disturbed
from flowviz.demo.masked.pairs import Text, cut, cuts_of, texts, unrelated
from flowviz.demo.masked.stages import MASKED_STAGES
from flowviz.demo.masked.tokenizer import SPECIAL, build_tokenizer, save_tokenizer
from flowviz.demo.mixture import MAKERS, documents
from flowviz.demo.template import render

TOKENIZER = build_tokenizer()
STAGE = MASKED_STAGES[1]


def said(text: str, **fills: Entry) -> Document:
    return render(text, fills, "test")


KINDS = sorted({kind for stage in MASKED_STAGES for kind, _ in stage.mixture})


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_the_corpus_is_one_token(kind):
    draw = Draw(1)
    for _ in range(200):
        document = MAKERS[kind](draw)
        words = [word.form for word in document.words if not word.form.isdigit()]
        tokens = TOKENIZER.encode(document.text, add_special_tokens=False).tokens
        assert [token for token in tokens if not token.strip("#").isdigit()] == words


def test_a_pair_has_its_specials_and_types():
    pair = TOKENIZER.encode("It is Paris.", "No, it's 1732!")
    assert pair.tokens == [
        *("[CLS]", "It", "is", "Paris", ".", "[SEP]"),
        *("No", ",", "it", "'s", "17", "##32", "!", "[SEP]"),
    ]
    assert pair.type_ids == [0] * 6 + [1] * 8
    assert TOKENIZER.encode("Paris").tokens == ["[CLS]", "Paris", "[SEP]"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("zebu", ["z", "##e", "##b", "##u"]),
        ("naïve", ["n", "##a", "##ï", "##v", "##e"]),
        ("世 👋", ["[UNK]", "[UNK]"]),
        ("[MASK] is", ["[MASK]", "is"]),
        ("  two\t\n spaces\x00", ["two", "s", "##p", "##a", "##c", "##e", "##s"]),
        ("x" * 200, ["[UNK]"]),
        ("", []),
    ],
)
def test_any_text_can_be_read(text, tokens):
    assert TOKENIZER.encode(text, add_special_tokens=False).tokens == tokens


def test_words_come_back():
    text = "Mary's cat (the red one) ran -> home in 1732, not 1805."
    back = TOKENIZER.decode(TOKENIZER.encode(text).ids)
    assert back.replace(" ", "") == text.replace(" ", "")
    assert TOKENIZER.decode(TOKENIZER.encode("in 1732.").ids) == "in 1732."


def test_the_files_say_the_same_to_auto_tokenizer(tmp_path):
    from transformers import AutoTokenizer

    save_tokenizer(TOKENIZER, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    read_back = AutoTokenizer.from_pretrained(tmp_path)
    pair = read_back("Where is Paris?", "It is in France.")
    expected = TOKENIZER.encode("Where is Paris?", "It is in France.")
    assert pair["input_ids"] == expected.ids
    assert pair["token_type_ids"] == expected.type_ids
    assert read_back.mask_token_id == TOKENIZER.token_to_id("[MASK]")
    assert sorted(read_back.all_special_tokens) == sorted(SPECIAL)


def test_a_document_is_cut_before_a_sentence_with_an_answer():
    document = MAKERS["questions"](Draw(2))
    assert cuts_of(document) == [1]
    first, second = cut(document, 1)
    assert f"{first.text} {second.text}" == document.text
    assert first.probes == ()
    assert [second.words[probe.word] for probe in second.probes] == [
        document.words[probe.word] for probe in document.probes
    ]
    assert cuts_of(MAKERS["facts"](Draw(2))) == []


MARY = said("{x}|nsubj laughed|root .", x=person("Mary"))
JOHN = said("{x}|nsubj laughed|root .", x=person("John"))
JAPAN = said("We|PRON.nsubj visited|root {x}|obj .", x=country("Japan"))


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        (MARY, "She|PRON.nsubj danced|root .", False),  # she could be Mary
        (MARY, "He|PRON.nsubj danced|root .", True),
        (JOHN, "They|PRON.nsubj saw|root him|PRON.obj .", False),
        (MARY, "They|PRON.nsubj laughed|root .", False),  # the verb came before
        (JAPAN, "It|PRON.nsubj is|AUX.cop Tokyo|PROPN.root .", False),  # it is
        (JAPAN, "It|PRON.nsubj is|AUX.cop Paris|PROPN.root .", True),
        (JAPAN, "She|PRON.nsubj danced|root .", True),  # nobody was named
        (said("The {x}|nsubj danced|root .", x=Entry("nurse", "NOUN", "nurse", "_", "OCCUPATION")),
         "He|PRON.nsubj left|root .", False),  # a nurse may be he
    ],
)  # fmt: skip
def test_what_cannot_follow_is_told_from_what_could(first, second, free):
    assert unrelated(first, said(second)) is free


def test_half_of_the_pairs_follow_and_the_others_do_not():
    made = list(islice(texts(documents(STAGE, Draw(3)), Draw(4), alone=0.4), 1500))
    pairs = [text for text in made if text.second]
    assert 120 < len(pairs) < 300
    assert 0.4 < np.mean([text.follows for text in pairs]) < 0.6
    for text in pairs:
        assert text.second is not None
        if not text.follows:
            assert unrelated(text.first, text.second)
            assert text.second.probes == ()


def test_a_pair_is_read_with_its_answers():
    first, second = cut(MAKERS["questions"](Draw(5)), 1)
    one = read(Text(first, second, True), Marker(TOKENIZER))
    encoded = TOKENIZER.encode(first.text, second.text)
    assert (one.ids, one.types) == (encoded.ids, encoded.type_ids)
    answers = [TOKENIZER.id_to_token(i) for i, a in zip(one.ids, one.answers, strict=True) if a]
    assert answers == [second.words[probe.word].form for probe in second.probes]


def test_a_batch_hides_answers_more_often_than_other_words():
    data = masked_batch(STAGE, 7, Marker(TOKENIZER), seed=0)
    again = masked_batch(STAGE, 7, Marker(TOKENIZER), seed=0)
    assert np.array_equal(data.ids, again.ids)
    assert data.ids.shape == (STAGE.batch_tokens // STAGE.row, STAGE.row)
    hidden, mask = data.wanted >= 0, TOKENIZER.token_to_id("[MASK]")
    words = (data.wanted >= len(SPECIAL)) | (~hidden & (data.ids >= len(SPECIAL)))
    assert 0.5 < hidden[data.answers > 0].mean() < 0.7
    assert 0.12 < hidden[words & (data.answers == 0)].mean() < 0.18
    assert 0.75 < (data.ids[hidden] == mask).mean() < 0.85
    assert 0.05 < (data.ids[hidden] == data.wanted[hidden]).mean() < 0.15
    assert (data.ids[~hidden] != mask).all()
    assert not hidden[data.texts == 0].any()


def test_a_text_is_numbered_from_zero_in_its_row():
    data = masked_batch(STAGE, 0, Marker(TOKENIZER), seed=1)
    starts = data.ids == TOKENIZER.token_to_id("[CLS]")
    assert (data.positions[starts] == 0).all()
    assert ((data.texts > 0) & (data.positions == 0) == starts).all()
    assert starts[data.follows >= 0].all()


def test_a_disturbed_text_keeps_what_its_answer_hangs_on():
    kept = {"PROPN", "NOUN", "ADJ", "NUM", "PRON"}
    draw, changed = Draw(6), 0
    for _ in range(300):
        document = MAKERS["linked facts"](draw)
        other = disturbed(Text(document), draw, share=1.0).first
        changed += other.text != document.text
        asked = [document.words[probe.word].form for probe in document.probes]
        assert [other.words[probe.word].form.lower() for probe in other.probes] == [
            form.lower() for form in asked
        ]
        before = [word.form.lower() for word in document.words if word.upos in kept]
        after = [word.form.lower() for word in other.words if word.upos in kept]
        assert before == after
        assert other.text == other.text.strip()
    assert changed > 250


def test_lists_and_the_other_texts_are_left_as_they_are():
    draw = Draw(8)
    for kind in ("short repeats", "successors", "brackets", "few-shot mappings"):
        text = Text(MAKERS[kind](draw))
        assert disturbed(text, draw, share=1.0) is text
    text = Text(MAKERS["facts"](draw))
    assert disturbed(text, draw, share=0.0) is text


def test_both_texts_of_a_pair_are_disturbed():
    draw = Draw(9)
    first, second = cut(MAKERS["questions"](draw), 1)
    made = [disturbed(Text(first, second, True), draw, share=1.0) for _ in range(40)]
    assert all(text.follows for text in made)
    assert len({text.first.text for text in made}) > 10
    assert len({text.second.text for text in made if text.second}) > 10
