"""Batches of pooled vectors: each once an epoch, the same at any time, sentences held out."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.learn import pool as pools
from flowviz.factors.learn.pool import Pool
from tests.factors.learn.small import SITES, small_store


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """One that holds a few pieces at once."""
    monkeypatch.setattr(pools, "PIECE", 50)
    store = small_store()
    width = store.vectors(SITES[0]).width
    return Pool.of(store, SITES, 0.25, 3, buffer=3 * 50 * width * 4)


def numbers(pool: Pool, count: int, size: int, begin: int = 0) -> list[torch.Tensor]:
    return list(islice(pool.batches(size, begin), count))


def test_an_epoch_has_each_vector_at_most_once_and_nearly_all(pool: Pool) -> None:
    loads = list(pool._loads(0))
    assert len(loads) > 2
    count = sum(sum(b - a for a, b in load) // 10 for load in loads)
    seen = torch.cat(numbers(pool, count, 10)) * pool.scale + pool.offset
    every = np.concatenate([pool.store.vectors(site).take(pool.train) for site in SITES])
    exact = "donot_use_mm_for_euclid_dist"
    place = torch.cdist(seen, torch.from_numpy(every), compute_mode=exact).min(1)
    assert float(place.values.max()) < 1e-3
    again = np.unique(every[place.indices.numpy()], axis=0)  # equal vectors stand for each other
    assert len(seen) > 0.95 * pool.size
    assert len(again) > 0.9 * len(np.unique(every, axis=0))


def test_a_batch_is_the_same_whenever_it_is_asked_for(pool: Pool) -> None:
    straight = numbers(pool, 160, 16)
    assert 2 * pool.size < 160 * 16  # over more than two epochs
    for begin in (0, 1, 37, 100):
        for one, two in zip(straight[begin:], numbers(pool, 160 - begin, 16, begin), strict=True):
            assert torch.equal(one, two)


def test_epochs_differ_and_so_do_seeds(pool: Pool) -> None:
    other = Pool.of(pool.store, SITES, 0.25, 4, buffer=pool.buffer)
    assert not torch.equal(numbers(pool, 1, 16)[0], numbers(other, 1, 16)[0])
    count = sum(sum(b - a for a, b in load) // 16 for load in pool._loads(0))
    first, later = numbers(pool, 1, 16)[0], numbers(pool, 1, 16, count)[0]
    assert not torch.equal(first, later)


def test_whole_sentences_are_held_out(pool: Pool) -> None:
    of = pool.store.sentence_of
    assert not set(of[pool.train]) & set(of[pool.held])
    assert sorted([*pool.train, *pool.held]) == list(range(pool.store.info.rows))
    share = len(set(of[pool.held])) / pool.store.info.sentences
    assert 0.1 < share < 0.4
    held = pool.held_out()
    assert held.shape == (2 * len(pool.held), pool.width)
    np.testing.assert_array_equal(
        held, np.concatenate([pool.store.vectors(site).take(pool.held) for site in SITES])
    )
    assert len(pool.held_out(7)) == 7


def test_offset_and_scale_are_those_of_the_vectors(pool: Pool) -> None:
    every = np.concatenate([pool.store.vectors(site).take(pool.train) for site in SITES])
    np.testing.assert_allclose(pool.offset.numpy(), every.mean(0), atol=1e-5)
    spread = np.square(every - every.mean(0)).sum(1).mean()
    assert pool.scale == pytest.approx(np.sqrt(spread), rel=1e-5)


def test_what_cannot_be_pooled_is_refused(pool: Pool) -> None:
    with pytest.raises(RequestError, match="smaller --batch"):
        next(pool.batches(10**6))
    with pytest.raises(RequestError, match="too few to learn"):
        Pool.of(pool.store, SITES, 1e-9, 3)
    with pytest.raises(RequestError, match="has no site"):
        Pool.of(pool.store, (Site(SiteKind.RESID_PRE, 0),), 0.25, 3)
