"""The inverted index: what it finds is what it says that it finds."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from flowviz.contexts.kinds import Metric, Site, SiteKind
from flowviz.contexts.search import library, making, nearest
from flowviz.contexts.search.label import get, label_file
from flowviz.errors import Cancelled
from tests.contexts.in_memory import ArrayStore
from tests.contexts.search.by_hand import SITE, by_hand, check, planted, wanted_of

HEADS = Site(SiteKind.HEADS, 1)


@pytest.mark.usefixtures("by_index")
def test_an_inverted_index_finds_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "FLAT_MOST", 0)
    array = planted()
    store = ArrayStore(array, SITE, 4, str(tmp_path))
    shares = []
    for row in range(0, 4000, 100):
        wanted = wanted_of(array, row)
        found = nearest.nearest(store, SITE, wanted)
        assert not found.exact
        assert found.recall is not None
        assert found.recall >= 0.97
        expected = {each for each, _ in by_hand(array, wanted, store.sentence_of)}
        shares.append(len(expected & set(found.rows.tolist())) / 10)
        assert found.rows[0] == row
        assert found.scores[0] == pytest.approx(1.0)
    assert np.mean(shares) >= 0.93


def test_threads_are_as_before_behind_it() -> None:
    before, seen = torch.get_num_threads(), set[int]()
    sample = planted()[:400].astype(np.float32)
    library.inverted(sample, 8, lambda _stage, _fraction: seen.add(torch.get_num_threads()))
    assert torch.get_num_threads() == before

    def cancel(_stage: str, _fraction: float) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        library.inverted(sample, 8, cancel)
    assert torch.get_num_threads() == before
    assert seen == {min(library.MOST_THREADS, len(os.sched_getaffinity(0)))}  # it did set them


@pytest.mark.usefixtures("by_index")
def test_filters_and_sentences_in_an_inverted_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "FLAT_MOST", 0)
    array = planted()
    store = ArrayStore(array, SITE, 4, str(tmp_path))
    mask = np.arange(4000) % 10 == 0
    few = nearest.nearest(store, SITE, wanted_of(array, 20, mask=mask))
    assert mask[few.rows].all()
    assert (few.searched, len(few.rows)) == (400, 10)
    each = nearest.nearest(store, SITE, wanted_of(array, 20, one_each=True, count=200))
    assert len(set(store.sentence_of[each.rows].tolist())) == len(each.rows) == 200


@pytest.mark.usefixtures("by_index")
@pytest.mark.parametrize("metric", Metric)
def test_one_head_opens_more_lists_than_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: Metric
) -> None:
    monkeypatch.setattr(making, "FLAT_MOST", 0)
    array = planted()
    store = ArrayStore(array, HEADS, 4, str(tmp_path))
    shares, stated = [], 0.0
    for row in range(0, 4000, 200):
        wanted = wanted_of(array, row, metric=metric, parts=4, chosen=(2,))
        found = nearest.nearest(store, HEADS, wanted)
        expected = {each for each, _ in by_hand(array, wanted, store.sentence_of)}
        shares.append(len(expected & set(found.rows.tolist())) / 10)
        stated = 1.0 if found.recall is None else found.recall
    label = get(label_file(tmp_path / "index", HEADS, metric is Metric.COSINE))
    assert label is not None
    if label.whole is not None:
        assert label.part is not None
        assert label.part[0] >= label.whole[0]
        assert label.part[1] == stated
    assert np.mean(shares) >= stated - 0.1


@pytest.mark.usefixtures("by_index")
def test_where_lists_help_nothing_all_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "FLAT_MOST", 0)
    array = np.random.default_rng(0).standard_normal((3000, 64)).astype(np.float16)
    store = ArrayStore(array, SITE, 1, str(tmp_path))
    wanted = wanted_of(array)
    check(nearest.nearest(store, SITE, wanted), array, wanted, store.sentence_of)


@pytest.mark.usefixtures("by_index")
def test_chosen_heads_share_one_index(tmp_path: Path) -> None:
    array = planted()
    store = ArrayStore(array, HEADS, 4, str(tmp_path))
    for chosen in ((), (0,), (1, 3)):
        wanted = wanted_of(array, parts=4, chosen=chosen)
        check(nearest.nearest(store, HEADS, wanted), array, wanted, store.sentence_of)
    assert len(list((tmp_path / "index").glob("*.faiss"))) == 1
