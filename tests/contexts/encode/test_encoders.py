"""Every family of encoders: each site against transformers' own states, and in a batch as alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from flowviz.attention.kinds import Part
from flowviz.attention.request import AttentionRequest
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.maps import encoder_maps
from flowviz.models.kind import ModelKind
from tests.contexts.encode.test_gpts import far, products
from tests.encoders.families import FAMILIES
from tests.encoders.models import random_encoder

EXACT = 1e-5
HALF = 2**-11  # what the attention pages' float16 rounds by
BLOCKS_NOT_FOUND = {"squeezebert", "xlm", "flaubert"}
NO_MIDDLE = BLOCKS_NOT_FOUND | {"mobilebert", "xmod"}  # three sublayers; an adapter behind the MLP
families = pytest.mark.parametrize("name", sorted(FAMILIES))
PROMPTS = ("the cat sat on a mat while mary went to the store", "the cat sat", "a", "she said that")


def texts_of(reader: Reader) -> list[tuple[int, ...]]:
    return [reader.tokens(prompt).ids for prompt in PROMPTS]


def states(model: LoadedEncoder, ids: tuple[int, ...]) -> Any:
    """What transformers gives as `hidden_states`."""
    weights = model.weights
    encoder = weights.get_encoder() if model.kind is ModelKind.BOTH else weights.base_model
    row = torch.tensor([ids])
    with torch.inference_mode():
        return encoder(
            input_ids=row, attention_mask=torch.ones_like(row), output_hidden_states=True
        ).hidden_states


@families
def test_a_batch_gives_what_each_text_gives_alone(name: str) -> None:
    reader = open_reader(random_encoder(name))
    texts, sites = texts_of(reader), tuple(reader.sites)
    together, start = reader.vectors(texts, sites), 0
    for text in texts:
        alone, rows = reader.vectors([text], sites), slice(start, start + len(text))
        start += len(text)
        for site in sites:
            assert alone[site].shape == (len(text), reader.sites[site])
            assert far(together[site][rows], alone[site]) <= EXACT, site


@families
def test_states_are_those_that_transformers_gives(name: str) -> None:
    model = random_encoder(name)
    reader = open_reader(model)
    text = texts_of(reader)[0]
    found, own = reader.vectors([text], tuple(reader.sites)), states(model, text)
    for layer, state in enumerate(own[:-1]):
        assert far(found[Site(SiteKind.RESID_PRE, layer)], state[0]) <= EXACT
    assert (Site(SiteKind.RESID_FINAL) in found) is (name not in BLOCKS_NOT_FOUND)


@families
def test_sublayers_add_what_states_differ_by(name: str) -> None:
    model = random_encoder(name)
    reader = open_reader(model)
    text = texts_of(reader)[0]
    found = reader.vectors([text], tuple(reader.sites))
    for layer in range(model.shape.layers):
        mid = found.get(Site(SiteKind.RESID_MID, layer))
        assert (mid is not None) is (name not in NO_MIDDLE)
        if mid is None:
            continue
        pre, last = found[Site(SiteKind.RESID_PRE, layer)], layer + 1 == model.shape.layers
        after = found[Site(SiteKind.RESID_FINAL) if last else Site(SiteKind.RESID_PRE, layer + 1)]
        attention = found[Site(SiteKind.ATTN_OUT, layer)]
        mlp = found[Site(SiteKind.MLP_OUT, layer)]
        if far(pre + attention, mid) > EXACT:  # then both norms stand on the stream
            assert normed_alike(pre + attention, mid)
            assert normed_alike(mid + mlp, after)
        else:
            assert far(mid + mlp, after) <= EXACT


def normed_alike(state: Any, normed: Any) -> bool:
    """Whether one is a layer norm of the other: a weight and a bias a column fit all rows."""
    centred = state - state.mean(1, keepdims=True)
    plain = centred / centred.std(1, keepdims=True)
    columns = zip(plain.T, normed.T, strict=True)
    return all(abs(np.corrcoef(one, other)[0, 1]) > 1 - EXACT for one, other in columns)


@families
def test_heads_have_the_products_of_what_they_write(name: str) -> None:
    model = random_encoder(name)
    reader = open_reader(model)
    text = texts_of(reader)[0]
    sites = {site for site in reader.sites if site.kind is SiteKind.HEADS}
    assert len(sites) == (model.shape.layers if model.recorded else 0)
    if not sites:
        return
    attention = Site(SiteKind.ATTN_OUT, 1)
    written = reader.vectors([text], [Site(SiteKind.HEADS, 1)])[Site(SiteKind.HEADS, 1)]
    z, matrix = z_of(model, text, 1)
    width = reader.head_width(1)
    total = np.zeros(1)
    for head in range(model.shape.heads):
        rows = slice(head * width, (head + 1) * width)
        vectors = z[:, head] @ matrix.weight.T[rows].numpy()
        total = total + vectors
        assert far(products(written[:, rows]), products(vectors)) <= EXACT
    if attention in reader.sites and name != "t5gemma":  # which has a norm behind it
        bias = 0 if matrix.bias is None else matrix.bias.numpy()
        assert far(reader.vectors([text], [attention])[attention], total + bias) <= EXACT


def z_of(model: LoadedEncoder, ids: tuple[int, ...], layer: int) -> tuple[Any, torch.nn.Linear]:
    """What the heads of a layer give, [pos, head, d_head], from what is recorded of them."""
    from flowviz.encoders.record import Call, recording

    calls: list[Call] = []
    with recording(calls.append):
        states(model, ids)
    matrix = model.outputs[0][layer]
    assert matrix is not None
    z = calls[layer].pattern @ calls[layer].v
    return z.transpose(0, 1).numpy(), matrix


@families
def test_attention_is_the_mean_of_the_patterns_of_the_page(name: str) -> None:
    model = random_encoder(name)
    reader, heads = open_reader(model), [(0, 1), (1, 0), (1, 3)]
    found = reader.attention(texts_of(reader), heads)
    part = Part.ENCODER if model.kind is ModelKind.BOTH else None
    for prompt, mean in zip(PROMPTS, found, strict=True):
        second = "she said" if part else ""
        maps = encoder_maps(model, AttentionRequest(prompt, "x", part=part, second=second))
        own = np.mean([maps.weights[layer, head].astype(np.float32) for layer, head in heads], 0)
        assert mean.shape == own.shape
        if name != "squeezebert":  # whose scores that page shows
            assert np.allclose(mean, own, atol=HALF)
        assert np.allclose(mean.sum(1), 1, atol=EXACT)
