"""What a decoder writes by itself, against transformers' own greedy search."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import flowviz
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.read import inputs, read_text
from flowviz.encoders.write import MOST_WRITTEN, with_written
from tests.encoders.models import random_encoder

PROMPT = "the cat sat on a mat"


def written(model: LoadedEncoder) -> list[int]:
    return list(with_written(model, read_text(model, PROMPT, "", ())).written or ())


@pytest.mark.parametrize("name", ["t5", "bart", "marian", "pegasus", "m2m_100", "t5gemma", "mvp"])
def test_it_writes_what_greedy_search_writes(name: str) -> None:
    model = random_encoder(name)
    given = inputs(model, read_text(model, PROMPT, "", ()))
    with torch.inference_mode():
        own = model.weights.generate(**given, do_sample=False, num_beams=1, max_new_tokens=12)
    found = written(model)
    expected = own[0].tolist()
    end = model.weights.generation_config.eos_token_id
    ended = end in expected[1:]
    expected = expected[: expected.index(end, 1)] if ended else expected
    assert found[: len(expected)] == expected
    assert (len(found) == len(expected)) is ended or len(expected) == 13
    assert len(found) <= MOST_WRITTEN + 1


def test_what_it_wrote_is_a_text_that_it_can_be_asked_about_again() -> None:
    model = random_encoder("bart")
    found = flowviz.attention_maps(PROMPT, model, part="cross")
    assert found.positions == len(written(model)) <= MOST_WRITTEN + 1
    assert found.queries.special[0] == 0
    assert found.sources is not None
    again = flowviz.attention_maps(PROMPT, model, part="decoder")
    assert again.queries == found.queries


def test_it_never_writes_more_than_it_has_positions_for() -> None:
    model = replace(random_encoder("bart"), decoder_context=5)
    assert len(written(model)) <= 5


def saying(name: str, value: object) -> LoadedEncoder:
    """A model whose checkpoint says something of how it writes."""
    model = random_encoder("bart", seed=7)
    setattr(model.weights.generation_config, name, value)
    return model


def test_a_forced_first_token_and_forbidden_ones_are_heeded() -> None:
    model = saying("forced_bos_token_id", 9)
    try:
        first = written(model)
        assert first[1] == 9
        saying("bad_words_ids", [[first[2]], [1, 2], [10**6]])
        assert first[2] not in written(model)[2:]
        saying("eos_token_id", [written(model)[2]])
        assert len(written(model)) == 2
    finally:
        for name in ("forced_bos_token_id", "bad_words_ids"):
            saying(name, None)
        saying("eos_token_id", 3)
