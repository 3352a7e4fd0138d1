"""Tokens with their characters, by tokenizers of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import PreTrainedTokenizer

from flowviz.contexts.encode.tokens import tokens_of
from flowviz.errors import RequestError
from flowviz.models.checkpoint import usable_tokenizer
from flowviz.models.tokens import Vocabulary
from tests.encoders.models import word_tokenizer
from tests.models import byte_tokenizer
from tests.test_own_tokenizers import PROMPT, Make, kinds, vocabulary


@kinds
def test_a_span_is_where_the_tokens_text_stands(make: Make) -> None:
    read = tokens_of(vocabulary(make), PROMPT, ending=True)
    for text, (start, end), special in zip(read.texts, read.spans, read.special, strict=True):
        assert special is (start == end)
        if not special and text.strip() != "":
            assert PROMPT[start:end] == text.strip()
    words = zip(read.texts, read.spans, strict=True)
    covered = "".join(PROMPT[start:end] for text, (start, end) in words if text.strip())
    assert covered.replace(" ", "") == PROMPT.replace(" ", "")


@kinds
def test_ids_are_those_of_the_flow_page_where_the_ending_is_left_out(make: Make) -> None:
    words = vocabulary(make)
    assert list(tokens_of(words, PROMPT, ending=False).ids) == words.encode(PROMPT, None)


def test_bytes_of_a_character_have_its_span_and_white_space_its_own() -> None:
    words = Vocabulary(byte_tokenizer(), 300)
    text = "a  é\n"
    read = tokens_of(words, text, ending=True)
    assert "".join(text[slice(*span)] for span in dict.fromkeys(read.spans)) == text
    assert read.spans.count((3, 4)) == 2  # é is two bytes


def test_special_tokens_stand_for_no_text() -> None:
    read = tokens_of(Vocabulary(word_tokenizer(), 60), " the cat  SAT", ending=True)
    assert read.texts == ("[CLS]", "the", "cat", "[UNK]", "[SEP]")
    assert read.spans == ((0, 0), (1, 4), (5, 8), (10, 13), (0, 0))
    assert read.special == (True, False, False, False, True)


def test_nothing_has_the_special_tokens_alone() -> None:
    read = tokens_of(Vocabulary(word_tokenizer(), 60), "", ending=True)
    assert (read.special, len(read)) == ((True, True), 2)
    assert len(tokens_of(Vocabulary(byte_tokenizer(), 300), "", ending=False)) == 0


def test_a_long_text_is_read_whole() -> None:
    text = "the cat sat " * 5_000
    read = tokens_of(Vocabulary(byte_tokenizer(), 300), text, ending=False)
    assert read.spans[-1][1] >= len(text) - 1
    assert len(read) > 10_000


def test_a_token_that_the_model_does_not_have_is_refused_in_words() -> None:
    with pytest.raises(RequestError, match=r"has only 10 tokens\. Leave it out"):
        tokens_of(Vocabulary(byte_tokenizer(), 10), "the cat", ending=False)


class Slow(PreTrainedTokenizer):
    """A token a word in lower case, all that ends in s cut in two; it tells no offsets."""

    words = ("<unk>", "the", "cat", "@s", "sat", "é")

    def __init__(self, **more: Any) -> None:
        super().__init__(unk_token="<unk>", **more)

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def get_vocab(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words)}

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        return text.lower().replace("s ", " @s ").split()

    def _convert_token_to_id(self, token: str) -> int:
        return self.get_vocab().get(token, 0)

    def _convert_id_to_token(self, index: int) -> str:
        return self.words[index]


def test_without_offsets_tokens_are_looked_for_in_order() -> None:
    with pytest.raises(Exception, match="slow"):  # a GPT's must be fast; encoders' need not
        usable_tokenizer("it", Slow())
    read = tokens_of(Vocabulary(Slow(), 6), "The THE zebra sat  cat", ending=True)
    assert read.ids == (1, 1, 0, 4, 2)
    assert read.spans == ((0, 3), (4, 7), (7, 7), (14, 17), (19, 22))
    assert read.special == (False,) * 5
