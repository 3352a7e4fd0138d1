"""Any text goes through the tokenizer and comes back; words of the lexicon stay whole."""

import pytest
from tokenizers import Tokenizer

from flowviz.demo import MODEL_FOLDER
from flowviz.demo.draw import Draw
from flowviz.demo.mixture import MAKERS
from flowviz.demo.template import render
from flowviz.demo.tokenizer import align, train_tokenizer
from flowviz.demo.vocabulary import opening_forms, spaced_forms


@pytest.mark.parametrize(
    "text",
    [
        "When Mary and John went to the store, John gave a drink to",
        "Olá, 世界! 👋🏽 naïve",
        "two  spaces\n\nand\ttabs ",
        "  (a [b {c}])... don't «quote» “me”",
        "\x00\x7f\u200b",
        "<|endoftext|>The",
    ],
)
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_forms_are_single_tokens(tokenizer):
    assert all(len(tokenizer.encode(f" {form}").ids) == 1 for form in spaced_forms())
    assert all(len(tokenizer.encode(form).ids) == 1 for form in opening_forms())


def test_years_are_two_pairs_of_digits(tokenizer):
    assert tokenizer.encode(" 1732").tokens == ["Ġ17", "32"]


def test_nothing_is_added_in_front(tokenizer):
    from transformers import AutoTokenizer

    slow = AutoTokenizer.from_pretrained(MODEL_FOLDER)
    text = "The capital of Japan is"
    assert slow(text).input_ids == tokenizer.encode(text).ids
    assert slow.bos_token == slow.eos_token == "<|endoftext|>"


def test_training_makes_the_shipped_tokenizer(tokenizer: Tokenizer):
    assert train_tokenizer().to_str() == tokenizer.to_str()


def test_alignment_of_one_sentence(tokenizer):
    document = render("We|PRON.nsubj met|root , 1732|NUM.obl !", {})
    assert document.text == "We met, 1732!"
    assert tokenizer.encode(document.text).tokens == ["We", "Ġmet", ",", "Ġ17", "32", "!"]
    assert align(document, tokenizer) == [0, 1, 2, 3, 3, 4]


def test_every_token_belongs_to_the_word_whose_characters_it_has(tokenizer):
    for make in MAKERS.values():
        document = make(Draw(11))
        encoding = tokenizer.encode(document.text)
        spans = list(document.spans())
        for owner, (start, end) in zip(align(document, tokenizer), encoding.offsets, strict=True):
            assert spans[owner][0] - 1 <= start < end <= spans[owner][1]
