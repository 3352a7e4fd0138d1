"""The file of an index: made once, checked, made again where it is broken, never half-read."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowviz.contexts.kinds import Metric
from flowviz.contexts.search import kept, making, nearest
from flowviz.contexts.search.kept import Indexes
from flowviz.contexts.search.label import get, label_file
from flowviz.contexts.search.types import Nearest
from flowviz.errors import Cancelled
from tests.contexts.in_memory import ArrayStore
from tests.contexts.search.by_hand import SITE, check, planted, wanted_of


@pytest.mark.usefixtures("by_index")
def test_an_index_is_made_once_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = planted()
    store, wanted = ArrayStore(array, SITE, 4, str(tmp_path)), wanted_of(array)
    stages: list[str] = []
    first = nearest.nearest(store, SITE, wanted, lambda stage, _: stages.append(stage))
    check(first, array, wanted, store.sentence_of)
    assert "Making the index" in stages
    assert len(list((tmp_path / "index").iterdir())) == 2  # the index and its label
    monkeypatch.setattr(nearest, "INDEXES", Indexes())  # as a new process
    stages.clear()
    again = nearest.nearest(store, SITE, wanted, lambda stage, _: stages.append(stage))
    assert "Making the index" not in stages
    np.testing.assert_array_equal(first.rows, again.rows)
    nearest.nearest(store, SITE, replace(wanted, metric=Metric.INNER))
    assert len(list((tmp_path / "index").iterdir())) == 4


@pytest.mark.usefixtures("by_index")
@pytest.mark.parametrize("fault", ["cut", "flipped", "label", "gone", "other", "form"])
def test_a_broken_index_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    array = planted()
    store, wanted = ArrayStore(array, SITE, 4, str(tmp_path)), wanted_of(array)
    expected = nearest.nearest(store, SITE, wanted)
    where = label_file(tmp_path / "index", SITE, unit=True)
    label = get(where)
    assert label is not None
    file = where.with_name(label.file)
    if fault == "cut":
        os.truncate(file, label.size // 2)
    elif fault == "flipped":
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 0xFF
        file.write_bytes(data)
    elif fault == "label":
        where.write_bytes(where.read_bytes()[:40])
    elif fault == "gone":
        file.unlink()
    elif fault == "form":
        where.write_bytes(where.read_bytes().replace(b'"form":1', b'"form":0'))
    else:  # an index of other vectors that says it were of these
        other = tmp_path / "other"
        other.mkdir()
        nearest.nearest(ArrayStore(-array, SITE, 4, str(other)), SITE, wanted)
        strange = get(label_file(other / "index", SITE, unit=True))
        assert strange is not None
        file.write_bytes((other / "index" / strange.file).read_bytes())
        where.write_bytes(
            where.read_bytes().replace(str(label.checksum).encode(), str(strange.checksum).encode())
        )
    monkeypatch.setattr(nearest, "INDEXES", Indexes())
    for _ in range(2):
        again = nearest.nearest(store, SITE, wanted)
        np.testing.assert_array_equal(again.rows, expected.rows)
    fresh = get(where)
    assert fresh is not None
    assert fresh.file != label.file or fault == "other"
    assert where.with_name(fresh.file).stat().st_size == fresh.size


@pytest.mark.usefixtures("by_index")
def test_a_cancel_leaves_nothing_and_where_nothing_can_be_kept_all_is_compared(
    tmp_path: Path,
) -> None:
    array = planted()
    wanted = wanted_of(array)

    def stop(stage: str, _fraction: float) -> None:
        if stage == "Making the index":
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        nearest.nearest(ArrayStore(array, SITE, 4, str(tmp_path)), SITE, wanted, stop)
    assert list((tmp_path / "index").iterdir()) == []
    (tmp_path / "no folder").write_text("a file")
    nowhere = ArrayStore(array, SITE, 4, str(tmp_path / "no folder"))
    check(nearest.nearest(nowhere, SITE, wanted), array, wanted, nowhere.sentence_of)


@pytest.mark.usefixtures("by_index")
def test_a_full_disk_leaves_nothing_and_all_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_index: object, file: Path) -> None:
        file.write_bytes(b"the beginning")
        raise OSError("no space left on device")

    monkeypatch.setattr(making.library, "write", full)
    array = planted()
    store, wanted = ArrayStore(array, SITE, 4, str(tmp_path)), wanted_of(array)
    for _ in range(2):
        check(nearest.nearest(store, SITE, wanted), array, wanted, store.sentence_of)
    assert list((tmp_path / "index").iterdir()) == []


@pytest.mark.usefixtures("by_index")
def test_what_a_killed_process_left_is_taken_away_after_a_day(tmp_path: Path) -> None:
    array = planted()
    (tmp_path / "index").mkdir()
    left = [tmp_path / "index" / f"resid_pre-1.unit.{name}.faiss" for name in ("old", "new")]
    for file in left:
        file.write_bytes(b"half")
    os.utime(left[0], (0, 0))
    nearest.nearest(ArrayStore(array, SITE, 4, str(tmp_path)), SITE, wanted_of(array))
    assert [file.exists() for file in left] == [False, True]


@pytest.mark.usefixtures("by_index")
def test_numbers_too_large_for_float16_are_compared_all(tmp_path: Path) -> None:
    array = planted().astype(np.float32) * 1e5
    store = ArrayStore(array, SITE, 4, str(tmp_path))
    for metric in Metric:
        wanted = wanted_of(array, metric=metric)
        check(nearest.nearest(store, SITE, wanted), array, wanted, store.sentence_of)
    assert len(list((tmp_path / "index").glob("*.faiss"))) == 1  # of the cosine


@pytest.mark.usefixtures("by_index")
def test_many_threads_make_one_index_and_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array, made = planted(), []
    original = kept.make
    monkeypatch.setattr(kept, "make", lambda *args: (made.append(1), original(*args))[1])
    store = ArrayStore(array, SITE, 4, str(tmp_path))
    found: dict[int, Nearest] = {}

    def ask(row: int) -> None:
        found[row] = nearest.nearest(store, SITE, wanted_of(array, row, one_each=True))

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    for row in range(8):
        check(found[row], array, wanted_of(array, row, one_each=True), store.sentence_of)
