"""Tokenizers of every kind that a causal model comes with, trained here: read, named, round trip.

The SentencePiece ones are real `.model` files that transformers converts.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertTokenizer,
    CTRLTokenizer,
    GemmaTokenizer,
    GPTSw3Tokenizer,
    LlamaForCausalLM,
    LlamaTokenizer,
    PreTrainedTokenizerFast,
    T5Tokenizer,
    XLNetTokenizer,
)

import flowviz
from flowviz.errors import ModelError
from flowviz.models.checkpoint import usable_tokenizer
from flowviz.models.tokens import Vocabulary
from tests.models import WORDS, byte_tokenizer, configuration

LINES = [WORDS, "naïve café, the cats' mats; the 2 maps", "def f(x):  return x"] * 20
PROMPT = "the cat sat on a mat while Mary went"


@lru_cache(maxsize=8)
def sentencepiece_file(kind: str, name: str, **options: Any) -> str:
    """A real SentencePiece model, trained on a few lines."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=written, model_type=kind, vocab_size=340,
        byte_fallback=True, hard_vocab_limit=False, minloglevel=2, pad_id=3, **options,
    )  # fmt: skip
    file = Path(mkdtemp()) / name
    file.write_bytes(written.getvalue())
    return str(file)


def llama() -> Any:
    return LlamaTokenizer.from_pretrained(
        str(Path(sentencepiece_file("bpe", "tokenizer.model")).parent),
        legacy=False,
        add_bos_token=True,
    )


def gemma() -> Any:
    file = sentencepiece_file("bpe", "tokenizer.model", add_dummy_prefix=False)
    return GemmaTokenizer.from_pretrained(str(Path(file).parent), add_bos_token=True)


def llama_without_a_first_token() -> Any:
    return LlamaTokenizer.from_pretrained(
        str(Path(sentencepiece_file("bpe", "tokenizer.model")).parent),
        legacy=False,
        add_bos_token=False,
    )


def t5() -> Any:
    file = sentencepiece_file("unigram", "spiece.model")
    return T5Tokenizer.from_pretrained(str(Path(file).parent), extra_ids=3)


def xlnet() -> Any:
    file = sentencepiece_file("unigram", "spiece.model")
    return XLNetTokenizer.from_pretrained(str(Path(file).parent))


def byte_level() -> Any:
    return byte_tokenizer()


def wordpiece() -> Any:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        LINES, trainers.WordPieceTrainer(vocab_size=120, special_tokens=special)
    )
    return BertTokenizer(vocab=tokenizer.get_vocab(), do_lower_case=False)


def end_of_word() -> Any:
    """As GPT-1's: what ends a word is marked."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=150, special_tokens=["<unk>"], end_of_word_suffix="</w>"
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


Make = Callable[[], Any]
KINDS: tuple[Make, ...] = (
    byte_level,
    llama,
    llama_without_a_first_token,
    gemma,
    t5,
    xlnet,
    wordpiece,
    end_of_word,
)
kinds = pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)


@lru_cache(maxsize=16)
def vocabulary(make: Make) -> Vocabulary:
    tokenizer = usable_tokenizer("it", make())
    return Vocabulary(tokenizer, max(tokenizer.get_vocab().values()) + 3)


@kinds
def test_every_name_leads_back_to_its_id(make: Make) -> None:
    tokens = vocabulary(make)
    assert [tokens.resolve(tokens.name(i)) for i in range(tokens.size)] == list(range(tokens.size))


@kinds
def test_no_mark_of_the_tokenizers_own_is_left(make: Make) -> None:
    tokens = vocabulary(make)
    special = set(tokens.tokenizer.all_special_tokens)
    shown = [text for text in tokens.texts if text not in special]
    assert not [text for text in shown if any(mark in text for mark in ("▁", "Ġ", "</w>"))]
    assert not [text for text in shown if text.startswith("##") and text.strip("#")]


@kinds
def test_the_prompt_can_be_read_in_its_tokens(make: Make) -> None:
    tokens = vocabulary(make)
    special = set(tokens.tokenizer.all_special_tokens)
    read = [tokens.text(i) for i in tokens.encode(PROMPT, None)]
    joined = "".join(text for text in read if text not in special)
    assert joined.strip() == PROMPT
    assert tokens.tokenizer.decode(tokens.encode(PROMPT, None), skip_special_tokens=True) == PROMPT


@kinds
def test_the_first_token_is_the_tokenizers_own_choice(make: Make) -> None:
    """A beginning of text where it puts one, no other, and no end behind the prompt."""
    tokens = vocabulary(make)
    ids = tokens.encode(PROMPT, None)
    whole = tokens.tokenizer(PROMPT)["input_ids"]
    inner = tokens.tokenizer(PROMPT, add_special_tokens=False)["input_ids"]
    assert ids == whole[: len(ids)]
    assert ids[-len(inner) :] == inner
    assert len(ids) - len(inner) == {"gemma": 1, "llama": 1, "wordpiece": 1}.get(make.__name__, 0)


@pytest.mark.parametrize("make", [llama, gemma])
def test_what_is_in_no_piece_is_read_in_bytes(make: Make) -> None:
    tokens = vocabulary(make)
    ids = tokens.encode("🙂", None)
    assert [tokens.text(i) for i in ids[-4:]] == ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"]
    assert tokens.resolve(tokens.name(ids[-1])) == ids[-1]


def test_a_converted_tokenizer_reads_as_sentencepiece_does() -> None:
    own = sentencepiece.SentencePieceProcessor(sentencepiece_file("bpe", "tokenizer.model"))
    assert vocabulary(llama).encode(PROMPT, None)[1:] == own.encode(PROMPT)
    own = sentencepiece.SentencePieceProcessor(sentencepiece_file("unigram", "spiece.model"))
    found = [vocabulary(t5).text(i) for i in vocabulary(t5).encode(PROMPT, None)]
    assert found == [piece.replace("▁", " ") for piece in own.encode(PROMPT, out_type=str)]


def test_gemma_keeps_spaces_as_they_are() -> None:
    tokens = vocabulary(gemma)
    read = [tokens.text(i) for i in tokens.encode("x  y", None)][1:]
    assert "".join(read) == "x  y"


def test_words_are_found_with_and_without_their_mark() -> None:
    tokens = vocabulary(wordpiece)
    assert tokens.text(tokens.resolve("the")) == " the"
    tokens = vocabulary(end_of_word)
    assert tokens.text(tokens.resolve("the")) == "the "


def test_special_tokens_of_a_chat_read_as_they_are_written() -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_tokenizer().backend_tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}"
    )
    tokens = Vocabulary(tokenizer, len(tokenizer))
    chat = tokenizer.apply_chat_template([{"role": "Mary", "content": "the cat"}], tokenize=False)
    read = [tokens.text(i) for i in tokens.encode(chat, None)]
    assert (read[0], read[-1]) == ("<|im_start|>", "<|im_end|>")
    assert "".join(read) == "<|im_start|>Mary\nthe cat<|im_end|>"
    assert tokens.name(tokens.resolve("<|im_end|>")) == "<|im_end|>"


def test_ids_may_have_gaps() -> None:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 5, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens = Vocabulary(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?"), 7)
    assert tokens.texts == ["a", "[1]", "?", "[3]", "[4]", "b", "[6]"]
    assert tokens.encode("a b", None) == [0, 5]


def test_a_slow_tokenizer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    slow = GPTSw3Tokenizer(vocab_file=sentencepiece_file("bpe", "spiece.model"))
    (tmp_path / "vocab.json").write_text('{"a": 0, "<unk>": 1}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    ctrl = CTRLTokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    for tokenizer in (slow, ctrl):
        name = type(tokenizer).__name__
        with pytest.raises(ModelError, match=rf"slow tokenizer \({name}\).*tokenizer\.json"):
            usable_tokenizer("it", tokenizer)


def test_a_folder_with_a_sentencepiece_file_alone_is_read(tmp_path: Path) -> None:
    """The whole way: the file is converted, and what the page shows is what the model read."""
    tokenizer = llama()
    config = configuration("llama")
    config.vocab_size = len(tokenizer)
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    shutil.copy(sentencepiece_file("bpe", "tokenizer.model"), tmp_path)
    said = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(said))
    graph = flowviz.explain("the cat sat", str(tmp_path)).graph
    first, *rest = [token.text for token in graph.tokens]
    assert (first, "".join(rest)) == ("<s>", " the cat sat")
    assert graph.checks.conservation_error < 1e-4
