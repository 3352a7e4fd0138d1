"""What is read: pairs, masks, lengths; and what cannot be read, refused in words."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
import transformers

import flowviz
from flowviz.attention.kinds import Part
from flowviz.attention.types import AttentionMaps
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_encoder, wrap
from flowviz.encoders.read import read_text
from flowviz.errors import ModelError, RequestError
from flowviz.models.kind import ModelKind
from flowviz.models.tokens import Vocabulary
from tests.encoders.families import FAMILIES
from tests.encoders.models import random_encoder, word_tokenizer
from tests.models import WORDS, randomise

PROMPT, SECOND = "the cat sat on a mat", "she said that"


def maps(name: str, prompt: str = PROMPT, **choices: Any) -> AttentionMaps:
    return flowviz.attention_maps(prompt, random_encoder(name), **choices)


def texts(found: AttentionMaps) -> list[str]:
    return [token.text.strip() for token in found.tokens]


def test_two_sentences_are_one_text_that_knows_where_the_second_begins() -> None:
    found = maps("bert", second=SECOND)
    assert texts(found) == ["[CLS]", *PROMPT.split(), "[SEP]", *SECOND.split(), "[SEP]"]
    assert found.queries.special == (0, 7, 11)
    assert found.queries.second == 8
    assert found.sources is None
    assert maps("bert").queries.second is None


def test_the_second_sentence_has_its_own_type() -> None:
    model = random_encoder("bert")
    given = word_tokenizer()(PROMPT, SECOND, return_tensors="pt")
    with torch.inference_mode():
        expected = model.weights(**given).logits[0, 3].softmax(-1).topk(10)
    assert given["token_type_ids"].max() == 1
    found = maps("bert", second=SECOND)
    assert [one.id for one in found.readings[3]] == expected.indices.tolist()


def test_a_model_without_types_reads_pairs_all_the_same() -> None:
    for name in ("distilbert", "roberta", "modernbert"):
        assert maps(name, second=SECOND).queries.second == 8


def test_a_hidden_token_is_read_as_a_mask_and_named_as_it_was() -> None:
    model = random_encoder("bert")
    found = maps("bert", mask=[2, 4])
    assert texts(found) == texts(maps("bert"))
    assert found.queries.masked == (2, 4)
    tokens = word_tokenizer()(PROMPT, return_tensors="pt")
    tokens["input_ids"][0, [2, 4]] = word_tokenizer().mask_token_id
    with torch.inference_mode():
        plain = model.weights(**tokens, output_attentions=True)
    np.testing.assert_allclose(found.weights[2], plain.attentions[2][0].numpy(), atol=1e-3)
    assert found.readings[2][0].id == int(plain.logits[0, 2].argmax())
    assert np.abs(found.weights.astype(float) - maps("bert").weights).max() > 0.01
    assert found.kinds.queries_of("duplicate") == 2  # the two masks are the same token


def test_a_mask_that_stands_in_the_text_is_a_text_not_a_special_token() -> None:
    found = maps("bert", "the [MASK] sat")
    assert texts(found)[2] == "[MASK]"
    assert found.queries.special == (0, 4)


def test_what_cannot_be_hidden_is_refused() -> None:
    for mask, words in (([8], "positions 0 to 7"), ([0], "'[CLS]'"), ([7], "special token cannot")):
        with pytest.raises(RequestError, match=words.replace("[", r"\[")):
            maps("bert", mask=mask)
    with pytest.raises(RequestError, match="no mask token"):
        flowviz.attention_maps(PROMPT, without_mask(), mask=[2])
    with pytest.raises(RequestError, match="demo is a GPT, which has no mask"):
        flowviz.attention_maps(PROMPT, "demo", mask=[2])


def without_mask() -> LoadedEncoder:
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=word_tokenizer().backend_tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    )
    return wrap("t5", random_encoder("t5").weights, tokenizer, ModelKind.BOTH, True)


@pytest.mark.parametrize("name", ["bert", "roberta", "bart", "marian", "mpnet"])
def test_exactly_as_many_tokens_are_taken_as_there_are_positions(name: str) -> None:
    model = random_encoder(name)
    assert model.context == 64
    longest = " ".join(["cat"] * 62)
    assert maps(name, longest).positions == 64
    with pytest.raises(RequestError, match="65 tokens; this model takes at most 64"):
        maps(name, longest + " sat")


def test_a_text_of_a_decoder_has_a_bound_of_its_own() -> None:
    with pytest.raises(RequestError, match="What the decoder has written has"):
        maps("bart", second=" ".join(["cat"] * 80), part="cross")


def test_the_pair_is_named_where_it_is_too_long() -> None:
    with pytest.raises(RequestError, match="The prompt and its second text have 71 tokens"):
        maps("bert", " ".join(["cat"] * 60), second=" ".join(["sat"] * 8))


def test_distances_alone_have_no_bound() -> None:
    assert random_encoder("t5").context is None
    assert maps("t5", " ".join(["cat"] * 100)).positions == 102


def test_an_empty_text_is_refused_and_a_second_of_no_tokens_is_none() -> None:
    with pytest.raises(RequestError, match="The prompt is empty"):
        maps("bert", "")
    assert maps("bert", second=" ").queries.second is None


def test_an_unknown_part_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match=r"bert has no part cross; it has encoder\."):
        maps("bert", part="cross")
    with pytest.raises(RequestError, match="has no part encoder; it has decoder"):
        flowviz.attention_maps(PROMPT, "demo", part="encoder")
    with pytest.raises(RequestError, match="it takes one of decoder, encoder, cross"):
        maps("bart", part="both")
    assert random_encoder("bart").parts == (Part.ENCODER, Part.DECODER, Part.CROSS)


def test_the_flow_is_refused_with_what_to_choose() -> None:
    with pytest.raises(RequestError, match=r"is an encoder, .* Choose pattern or norm"):
        maps("bert", weighting="flow")


def test_a_token_that_the_model_has_no_row_for_is_refused() -> None:
    model = random_encoder("bert")
    tokenizer = copy.deepcopy(word_tokenizer())
    tokenizer.add_tokens([f"<extra{i}>" for i in range(80)])
    wide = replace(model, vocabulary=Vocabulary(tokenizer, 60))
    with pytest.raises(RequestError, match="the model has only 60 tokens"):
        read_text(wide, "the <extra79>", "", ())


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Marian model with the tokenizer that its checkpoints have, which is a slow one."""
    folder = tmp_path_factory.mktemp("models") / "opus"
    config = FAMILIES["marian"].configuration()
    weights = transformers.MarianMTModel(config)
    randomise(weights, 0)
    weights.save_pretrained(folder)
    for name in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([WORDS.lower()] * 50),
            model_prefix=str(folder / name), vocab_size=45, model_type="bpe", minloglevel=9,
        )  # fmt: skip
        (folder / f"{name}.model").rename(folder / f"{name}.spm")
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "source.spm"))
    words = ["<pad>", "<unk>", "<s>", "</s>"]
    words += [
        pieces.id_to_piece(i) for i in range(len(pieces)) if pieces.id_to_piece(i) not in words
    ]
    vocabulary = {word: place for place, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "MarianTokenizer"}')
    return folder


def test_a_slow_tokenizer_is_read_where_no_pair_is(marian: Path) -> None:
    model = load_encoder(str(marian))
    assert not model.vocabulary.tokenizer.is_fast
    found = flowviz.attention_maps("the cat sat", model, second="the mat", part="cross")
    assert found.sources is not None
    assert "".join(token.text for token in found.sources.tokens) == " the cat sat</s>"
    assert "".join(token.text for token in found.tokens) == "<pad> the mat"
    assert found.sources.special == (len(found.sources) - 1,)
    assert found.queries.special == (0,)
    assert found.weights.shape[2:] == (len(found.queries), len(found.sources))


def test_two_vocabularies_are_refused(marian: Path) -> None:
    said = marian / "tokenizer_config.json"
    before = said.read_text()
    (marian / "target_vocab.json").write_text((marian / "vocab.json").read_text())
    try:
        said.write_text('{"tokenizer_class": "MarianTokenizer", "separate_vocabs": true}')
        with pytest.raises(ModelError, match="reads one vocabulary and writes another"):
            load_encoder(str(marian))
    finally:
        said.write_text(before)


def test_a_gpts_second_text_begins_at_its_first_token() -> None:
    found = flowviz.attention_maps("The capital of Japan", "demo", second=" is the city of")
    assert found.queries.second == 4
    assert found.tokens[4].text == " is"
    joined = flowviz.attention_maps("The capital of Jap", "demo", second="an is")
    at = joined.queries.second
    assert at is not None
    assert joined.tokens[at].text == " Japan"  # it straddles: it is the second's
    assert len(joined.readings) == joined.positions
    assert joined.readings[-1][0].id == joined.predictions[0].id
