"""Tokens: readable under every kind of tokenizer, and names that lead back to their ids."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from flowviz.demo import MODEL_FOLDER
from flowviz.errors import RequestError
from flowviz.models.tokens import Vocabulary
from tests.models import WORDS, byte_tokenizer

LINES = [WORDS, "naïve café 北京 🙂 #3 [1]"] * 10


def metaspace() -> PreTrainedTokenizerFast:
    """As Llama 2's: pieces with ▁, and bytes for what is in no piece."""
    pieces = ["▁the", "▁cat", "the", "cat", "▁", "s", "▁北京", "#3", "[1]", "é", "A"]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), *pieces]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True, ignore_merges=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")


def unigram() -> PreTrainedTokenizerFast:
    """As SentencePiece's unigram models."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, unk_token="<unk>", special_tokens=["<unk>", "<s>"]
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


def demo() -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(MODEL_FOLDER)


def fresh_bytes() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of one's own, to change."""
    backend = Tokenizer.from_str(byte_tokenizer().backend_tokenizer.to_str())
    return PreTrainedTokenizerFast(tokenizer_object=backend)


Make = Callable[[], PreTrainedTokenizerFast]
KINDS: tuple[Make, ...] = (byte_tokenizer, metaspace, unigram, demo)


def vocabulary(make: Make, padding: int = 4) -> Vocabulary:
    tokenizer = make()
    return Vocabulary(tokenizer, len(tokenizer) + padding)


@pytest.mark.parametrize("make", KINDS)
def test_every_name_leads_back_to_its_id(make: Make) -> None:
    tokens = vocabulary(make)
    names = [tokens.name(i) for i in range(tokens.size)]
    assert [tokens.resolve(name) for name in names] == list(range(tokens.size))
    assert all(name.isprintable() for name in names)
    assert all(tokens.resolve(f"#{i}") == i for i in range(tokens.size))


@pytest.mark.parametrize("make", KINDS)
def test_every_name_can_be_found(make: Make) -> None:
    tokens = vocabulary(make)
    for i in range(0, tokens.size, max(1, tokens.size // 60)):
        if tokens.name(i).strip():
            assert i in tokens.find(tokens.name(i), tokens.size), tokens.name(i)


def test_byte_level_tokens_read_as_text() -> None:
    tokens = vocabulary(byte_tokenizer)
    ids = tokens.encode("the cat\nnaïve 🙂", None)
    texts = [tokens.text(i) for i in ids]
    assert texts[:3] == ["the", " cat", "\n"]
    assert texts[-4:] == ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"]


def test_metaspace_tokens_read_as_text_and_bytes_as_what_they_stand_for() -> None:
    tokens = vocabulary(metaspace)
    ids = tokens.encode("the cat", None)
    assert [tokens.text(i) for i in ids] == [" the", " cat"]
    assert tokens.text(3 + 0x0A) == "\n"
    assert tokens.text(3 + 0xF0) == "<0xF0>"
    letter = tokens.resolve("A")
    assert tokens.text(letter) == tokens.text(3 + 0x41) == "A"
    assert {tokens.name(letter), tokens.name(3 + 0x41)} == {"A", f"#{3 + 0x41}"}
    assert letter != 3 + 0x41


def test_unigram_tokens_read_as_text() -> None:
    tokens = vocabulary(unigram)
    ids = tokens.encode("the cat", None)
    assert "".join(map(tokens.text, ids)) == " the cat"


def test_a_token_that_looks_like_an_id_is_named_by_its_own() -> None:
    tokens = vocabulary(metaspace)
    place = tokens.texts.index("#3")
    assert tokens.name(place) == f"#{place}"
    assert tokens.resolve("#3") == 3


def test_added_tokens_read_as_they_were_added() -> None:
    tokenizer = fresh_bytes()
    tokenizer.add_tokens([AddedToken("two words"), "日本"])
    tokens = Vocabulary(tokenizer, len(tokenizer))
    assert tokens.texts[-2:] == ["two words", "日本"]
    assert tokens.encode("two words", None) == [tokens.resolve("two words")]


def test_a_tokenizer_may_know_more_than_its_model() -> None:
    tokenizer = fresh_bytes()
    tokenizer.add_tokens(["<new>"])
    tokens = Vocabulary(tokenizer, len(tokenizer) - 1)
    with pytest.raises(RequestError, match=r"'<new>'.*resize"):
        tokens.encode("the <new>", None)


def test_rows_behind_the_vocabulary_have_names() -> None:
    tokens = vocabulary(byte_tokenizer)
    assert tokens.text(tokens.size - 1) == f"[{tokens.size - 1}]"


def test_a_saved_truncation_does_not_cut_the_prompt() -> None:
    tokenizer = fresh_bytes()
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    tokens = Vocabulary(tokenizer, len(tokenizer))
    assert tokens.encode(WORDS, None) == byte_tokenizer()(WORDS)["input_ids"]


def test_the_context_is_the_bound() -> None:
    tokens = vocabulary(byte_tokenizer)
    assert len(tokens.encode("a" * 64, 64)) == 64
    with pytest.raises(RequestError, match="65 tokens; this model takes at most 64"):
        tokens.encode("a" * 65, 64)


def test_a_word_is_taken_with_its_space_only_where_it_must() -> None:
    tokens = vocabulary(byte_tokenizer)
    assert tokens.text(tokens.resolve("Japan"[:3])) == " Jap"
    assert tokens.text(tokens.resolve("the")) == "the"
    assert tokens.text(tokens.resolve(" the")) == " the"


@pytest.mark.parametrize(
    ("token", "words"),
    [("catsat", "reads it as 'cat', 's', 'at'"), ("#999999", "ids 0 to"), ("#", None)],
)
def test_what_is_not_one_token_is_said(token: str, words: str | None) -> None:
    tokens = vocabulary(byte_tokenizer)
    if words is None:
        assert tokens.text(tokens.resolve(token)) == token
        return
    with pytest.raises(RequestError, match=words):
        tokens.resolve(token)


def test_what_the_tokenizer_cannot_read_is_no_token() -> None:
    with pytest.raises(RequestError, match="Pick a token of its vocabulary"):
        vocabulary(unigram).resolve("☃☃☃")


def test_the_best_match_comes_first() -> None:
    tokens = vocabulary(byte_tokenizer)
    found = [tokens.text(i) for i in tokens.find("THE", 10)]
    assert {found[0], found[1]} == {"the", " the"}
    assert tokens.find("the", 1) == tokens.find("the", 10)[:1]
    assert tokens.find("#7", 1) == [7]
    assert tokens.find("", 3) == [0, 1, 2]
    assert tokens.find("no such thing", 10) == tokens.find("the", 0) == tokens.find("a", -5) == []


def test_many_threads_read_the_same_tokens() -> None:
    tokenizer = fresh_bytes()
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokens = Vocabulary(tokenizer, len(tokenizer))
    found: list[list[int]] = []

    def work() -> None:
        for _ in range(50):
            found.append(tokens.encode(WORDS, None))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 400
    assert all(ids == found[0] for ids in found)
