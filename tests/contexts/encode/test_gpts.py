"""Every family of GPTs: each site against the flow's own trace, and in a batch as alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.models.parts import exact
from flowviz.trace import record
from tests.architectures import ARCHITECTURES
from tests.models import random_model

EXACT = 1e-5
BY_SUMS = 1e-4  # what the flow's own laws are held to
TEXTS = ((5, 17, 42, 99, 3, 8, 120, 7, 260), (11, 12, 13), (9,), (200, 100, 50, 25, 12, 6, 3))


@pytest.fixture(scope="module", params=sorted(ARCHITECTURES))
def name(request: pytest.FixtureRequest) -> str:
    """A family; its tests run one after the other, so that its model is loaded once."""
    return request.param


def far(one: NDArray[np.float32], other: object) -> float:
    """The largest difference, relative to the largest number."""
    there = np.asarray(other)
    return float(np.abs(one - there).max() / np.abs(there).max())


def products(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of every vector with every other."""
    return vectors @ vectors.T


def of_text(number: int) -> slice:
    """The rows of one of `TEXTS`."""
    start = sum(map(len, TEXTS[:number]))
    return slice(start, start + len(TEXTS[number]))


def test_a_batch_gives_what_each_text_gives_alone(name: str) -> None:
    reader = open_reader(random_model(name))
    sites = tuple(reader.sites)
    together = reader.vectors(TEXTS, sites)
    for number, text in enumerate(TEXTS):
        alone = reader.vectors([text], sites)
        for site in sites:
            assert alone[site].shape == (len(text), reader.sites[site])
            assert far(together[site][of_text(number)], alone[site]) <= EXACT, site


def test_sites_are_those_of_the_trace(name: str) -> None:
    model = random_model(name)
    reader, trace = open_reader(model), record(model, list(TEXTS[0]))
    found = reader.vectors(TEXTS, tuple(reader.sites))
    found = {site: vectors[of_text(0)] for site, vectors in found.items()}
    assert far(found[Site(SiteKind.RESID_FINAL)], trace.resid_final) <= EXACT
    for layer, part in enumerate(trace.blocks):
        assert far(found[Site(SiteKind.RESID_PRE, layer)], part.resid_pre) <= EXACT
        assert far(found[Site(SiteKind.NEURONS, layer)], part.post) <= EXACT
        mid = Site(SiteKind.RESID_MID, layer)
        assert (mid in found) is (part.resid_mid is not None)
        if part.resid_mid is not None:
            assert far(found[mid], part.resid_mid) <= EXACT


def test_heads_have_the_products_of_what_they_write(name: str) -> None:
    model = random_model(name)
    reader, trace = open_reader(model), record(model, list(TEXTS[0]))
    for layer, (block, part) in enumerate(zip(model.blocks, trace.blocks, strict=True)):
        site, width = Site(SiteKind.HEADS, layer), reader.head_width(layer)
        small = reader.vectors([TEXTS[0]], [site])[site]
        written = torch.einsum("phd,hdm->hpm", part.z, exact(block.attention.W_O))
        written = block.onto_stream(block.attention.post, written, part.ln1_post_scale).numpy()
        assert small.shape[1] == width * len(written)
        for head, vectors in enumerate(written):
            mine = small[:, head * width : (head + 1) * width]
            assert far(products(mine), products(vectors)) <= EXACT


def test_what_sublayers_add_is_what_states_differ_by(name: str) -> None:
    model = random_model(name)
    reader, trace = open_reader(model), record(model, list(TEXTS[0]))
    found = reader.vectors([TEXTS[0]], tuple(reader.sites))
    for layer, (block, part) in enumerate(zip(model.blocks, trace.blocks, strict=True)):
        attention = found[Site(SiteKind.ATTN_OUT, layer)]
        mlp = found[Site(SiteKind.MLP_OUT, layer)]
        after = trace.resid_post(layer).numpy()
        if block.norms_stream:
            continue  # a test of its own below
        if part.resid_mid is None:
            assert far(part.resid_pre.numpy() + attention + mlp, after) <= BY_SUMS
        else:
            assert far(part.resid_pre.numpy() + attention, part.resid_mid) <= BY_SUMS
            assert far(part.resid_mid.numpy() + mlp, after) <= BY_SUMS


@pytest.mark.parametrize("normed", ["gpt1", "opt_350m"])
def test_what_is_added_before_a_norm_on_the_stream(normed: str) -> None:
    model = random_model(normed)
    reader, trace = open_reader(model), record(model, list(TEXTS[0]))
    found = reader.vectors([TEXTS[0]], tuple(reader.sites))
    for layer, (block, part) in enumerate(zip(model.blocks, trace.blocks, strict=True)):
        states = (part.resid_pre, part.resid_mid, trace.resid_post(layer))
        kinds = (SiteKind.ATTN_OUT, SiteKind.MLP_OUT)
        posts = (block.attention.post, block.mlp.post)
        for kind, post, before, after in zip(kinds, posts, states, states[1:], strict=False):
            assert before is not None
            assert after is not None
            added = before + torch.from_numpy(found[Site(kind, layer)])
            made = post.apply(added, post.scale_of(added))
            made = made if post.bias is None else made + post.bias
            assert far(made.numpy(), after) <= BY_SUMS


def test_attention_is_the_mean_of_the_traces_patterns(name: str) -> None:
    model = random_model(name)
    reader, heads = open_reader(model), [(0, 1), (2, 0), (2, 3)]
    found = reader.attention(TEXTS, heads)
    for text, mean in zip(TEXTS, found, strict=True):
        trace = record(model, list(text))
        own = torch.stack([trace.blocks[layer].pattern[head] for layer, head in heads]).mean(0)
        assert mean.shape == (len(text), len(text))
        assert far(mean, own) <= EXACT
        assert (mean.sum(1) <= 1 + EXACT).all()
        if name != "gpt_oss":  # whose heads have sinks
            assert np.allclose(mean.sum(1), 1, atol=EXACT)
