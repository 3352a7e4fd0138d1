"""The nearest rows, scanned or by a flat index, against a comparison of all in float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flowviz.contexts.kinds import Metric
from flowviz.contexts.search import nearest, scan
from flowviz.contexts.search.types import Wanted
from flowviz.errors import RequestError
from tests.contexts.in_memory import ArrayStore
from tests.contexts.search.by_hand import SITE, check, planted, wanted_of


@dataclass(frozen=True)
class Drawn:
    """A search on small whole numbers, of which many are equal."""

    seed: int
    rows: int
    scale: float
    dtype: type
    equal: bool
    each: int
    passing: float | None
    parts: int
    chosen: tuple[int, ...]
    neuron: int | None
    metric: Metric
    count: int
    one_each: bool
    least: float | None

    def array(self) -> NDArray[Any]:
        random = np.random.default_rng(self.seed)
        array = random.integers(-3, 4, (self.rows, 6)) * self.scale
        array[random.random(self.rows) < 0.1] = 0.0
        if self.equal:
            array[self.rows // 2 :] = array[0]
        if self.dtype is np.float16:
            array = np.clip(array, -300, 300)
        return array.astype(self.dtype)

    def wanted(self) -> Wanted:
        random = np.random.default_rng(self.seed + 1)
        one = self.parts == 1
        return Wanted(
            vector=random.integers(-2, 3, 6).astype(np.float32),
            metric=Metric.INNER if one and self.neuron is not None else self.metric,
            parts=self.parts,
            chosen=() if one else self.chosen,
            neuron=self.neuron if one else None,
            count=self.count,
            mask=None if self.passing is None else random.random(self.rows) < self.passing,
            one_each=self.one_each,
            least=self.least,
        )


searches = st.builds(
    Drawn,
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 300),
    scale=st.sampled_from([1.0, 0.01, 100.0, 1e-22, 1e30]),
    dtype=st.sampled_from([np.float16, np.float32]),
    equal=st.booleans(),
    each=st.sampled_from([1, 4]),
    passing=st.sampled_from([None, 0.1, 0.9]),
    parts=st.sampled_from([1, 3]),
    chosen=st.sampled_from([(), (0,), (0, 2)]),
    neuron=st.sampled_from([None, 4]),
    metric=st.sampled_from(Metric),
    count=st.sampled_from([1, 7, 50]),
    one_each=st.booleans(),
    least=st.sampled_from([None, 0.25]),
)


@settings(deadline=None, max_examples=150)
@given(searches)
def test_a_scan_is_exact(search: Drawn) -> None:
    array, wanted = search.array(), search.wanted()
    store = ArrayStore(array, SITE, search.each)
    check(nearest.nearest(store, SITE, wanted), array, wanted, store.sentence_of)


@settings(deadline=None, max_examples=100)
@given(search=searches)
def test_a_flat_index_is_exact(tmp_path_factory: pytest.TempPathFactory, search: Drawn) -> None:
    array, wanted = search.array(), search.wanted()
    store = ArrayStore(array, SITE, search.each, str(tmp_path_factory.mktemp("store")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "SCANNED", 0)
        patch.setattr(nearest, "TAKEN", 0)
        found = nearest.nearest(store, SITE, wanted)
    check(found, array, wanted, store.sentence_of)


def test_equal_rows_come_in_their_order_and_others_before_them() -> None:
    array = np.ones((1000, 4), np.float16)
    array[700] = [2, 2, 2, 2.1]
    wanted = Wanted(np.array([1, 1, 1, 1.0], np.float32), count=5)
    assert nearest.nearest(ArrayStore(array, SITE), SITE, wanted).rows.tolist() == [0, 1, 2, 3, 4]
    inner = replace(wanted, metric=Metric.INNER)
    assert nearest.nearest(ArrayStore(array, SITE), SITE, inner).rows.tolist() == [700, 0, 1, 2, 3]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("scanned", [0, 1 << 24])
def test_what_is_no_number_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, scanned: int
) -> None:
    monkeypatch.setattr(nearest, "SCANNED", scanned)
    array = np.ones((50, 4), np.float16)
    array[30, 2] = value
    store = ArrayStore(array, SITE, 1, str(tmp_path))
    for metric in Metric:
        with pytest.raises(RequestError, match="no number"):
            nearest.nearest(store, SITE, Wanted(np.ones(4, np.float32), metric))
    assert list(tmp_path.rglob("*.faiss")) == []
    with pytest.raises(RequestError, match="Choose another site"):
        nearest.nearest(store, SITE, Wanted(np.array([1, 2, 3, value], np.float32)))
    with pytest.raises(RequestError, match="another model"):
        nearest.nearest(store, SITE, Wanted(np.ones(5, np.float32)))


def test_a_scan_takes_filtered_rows_alone() -> None:
    array = planted()
    store = ArrayStore(array, SITE)
    mask = np.zeros(4000, bool)
    mask[[5, 17, 900]] = True
    found = nearest.nearest(store, SITE, wanted_of(array, mask=mask))
    assert (found.searched, sorted(found.rows.tolist())) == (3, [5, 17, 900])
    assert max(store.array_vectors.taken) == 3
    assert scan.GATHERED > 3
