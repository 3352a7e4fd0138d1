"""Held models: within their bound, unloaded in order, never under a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from flowviz.errors import Cancelled, ModelError
from flowviz.held import HeldModels, Lease, weights_of
from flowviz.jobs import Progress
from flowviz.models.catalogue import ModelEntry, find_model
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model, weight_bytes
from flowviz.models.placement import Placement
from flowviz.shares import default_cache_bytes, default_models_bytes
from tests.models import random_model, save_model

LONG = 20.0
MEGABYTE = 2**20


def entry(name: str) -> ModelEntry:
    return ModelEntry(name, "/nowhere", f"Model {name}", "A test's.")


def silent(_stage: str, _part: float) -> None:
    pass


class Shelf:
    """Models of one size; any of them can be made to fail."""

    def __init__(self, room: float = 2.5) -> None:
        self.model = random_model("gpt2")
        self.each = weights_of(self.model.bridge)
        self.loaded: list[str] = []
        self.forgotten: list[str] = []
        self.broken: set[str] = set()
        self.said: dict[str, int] = {}
        self.held = HeldModels(int(room * self.each), self.load, self.size, self.forgotten.append)

    def load(self, entry: ModelEntry, progress: Progress) -> LoadedModel:
        self.loaded.append(entry.name)
        progress("Loading", 0.5)
        if entry.name in self.broken:
            raise ModelError(f"{entry.title} is broken.")
        return self.model

    def size(self, entry: ModelEntry) -> int:
        return self.said.get(entry.name, self.each)

    def get(self, name: str, progress: Progress = silent) -> None:
        self.held.load(entry(name), progress)

    @property
    def names(self) -> list[str]:
        return list(self.held._places)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_the_least_recently_used_makes_room() -> None:
    shelf = Shelf()
    shelf.get("a")
    shelf.get("b")
    lease = Lease(shelf.held, "a")
    assert lease.take()
    lease.give_back()
    shelf.get("c")
    assert shelf.names == ["a", "c"]
    assert shelf.forgotten == ["b"]
    assert shelf.held.bytes == 2 * shelf.each


def test_what_can_never_fit_is_refused_with_the_sizes_before_anything_is_unloaded() -> None:
    shelf = Shelf()
    shelf.get("a")
    shelf.get("b")
    shelf.said["c"] = 900 * MEGABYTE
    with pytest.raises(ModelError, match=r"Model c takes 900 MB; 0 MB are set aside .*FLOWVIZ_MO"):
        shelf.get("c")
    assert shelf.names == ["a", "b"]
    assert shelf.loaded == ["a", "b"]


def test_a_model_is_not_unloaded_under_a_run_and_no_new_run_takes_it_meanwhile() -> None:
    shelf, told = Shelf(room=1.5), threading.Event()
    shelf.get("a")
    lease, late = Lease(shelf.held, "a"), Lease(shelf.held, "a")
    assert lease.take()

    def progress(stage: str, _part: float) -> None:
        if stage == "Waiting for the last run on a, which has to make room":
            told.set()

    loading = in_thread(lambda: shelf.get("b", progress))
    assert told.wait(LONG)
    assert shelf.names == ["a"]
    assert lease.model is shelf.model
    assert not late.take()
    lease.give_back()
    loading.join(LONG)
    assert shelf.names == ["b"]
    late.give_back()  # it took nothing


def test_a_load_that_is_cancelled_while_it_waits_leaves_all_as_it_was() -> None:
    shelf = Shelf(room=1.5)
    shelf.get("a")
    lease, other = Lease(shelf.held, "a"), Lease(shelf.held, "a")
    assert lease.take()

    def progress(_stage: str, _part: float) -> None:
        raise Cancelled("The run was cancelled.")

    with pytest.raises(Cancelled):
        shelf.get("b", progress)
    assert shelf.names == ["a"]
    assert shelf.loaded == ["a"]
    assert other.take()


def test_a_load_that_fails_leaves_the_others_and_can_be_tried_again() -> None:
    shelf = Shelf()
    shelf.get("a")
    shelf.broken.add("b")
    with pytest.raises(ModelError, match="Model b is broken"):
        shelf.get("b")
    assert shelf.names == ["a"]
    assert Lease(shelf.held, "a").take()
    shelf.broken.clear()
    shelf.get("b")
    assert shelf.names == ["a", "b"]


def test_what_was_unloaded_for_a_load_that_failed_comes_back_when_it_is_asked_for() -> None:
    shelf = Shelf(room=1.5)
    shelf.get("a")
    shelf.broken.add("b")
    with pytest.raises(ModelError):
        shelf.get("b")
    assert shelf.names == []
    shelf.get("a")
    assert shelf.loaded == ["a", "b", "a"]


def test_a_model_that_takes_more_than_it_said_has_others_make_room() -> None:
    shelf = Shelf()
    for name in "abc":
        shelf.said[name] = 1
        shelf.get(name)
    assert shelf.names == ["b", "c"]
    alone = Shelf(room=0.5)
    alone.said["a"] = 1
    alone.get("a")
    assert alone.names == ["a"]


def test_a_model_is_loaded_once_however_many_ask() -> None:
    shelf = Shelf()
    for thread in [in_thread(lambda: shelf.get("a")) for _ in range(8)]:
        thread.join(LONG)
    assert shelf.loaded == ["a"]


def test_sizes_are_known_before_and_after() -> None:
    shelf = Shelf()
    assert shelf.held.known_bytes("a") is None
    shelf.said["a"] = 7
    shelf.broken.add("a")
    with pytest.raises(ModelError):
        shelf.get("a")
    assert shelf.held.known_bytes("a") == 7
    shelf.broken.clear()
    shelf.get("a")
    assert shelf.held.known_bytes("a") == shelf.each


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_weights_take_what_they_were_said_to(dtype: str, tmp_path: Path) -> None:
    folder = save_model("llama", tmp_path, d_head=32, neurons=512)
    entry = find_model(str(folder)).placed(Placement(dtype=dtype))
    assert weights_of(load_model(entry).bridge) == pytest.approx(weight_bytes(entry), rel=0.08)


def test_a_default_budget_is_what_results_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowviz.shares.free_memory", lambda _device: 10 * 1024 * MEGABYTE)
    assert default_cache_bytes("cpu") == 4096 * MEGABYTE
    assert default_models_bytes("cpu", 4096 * MEGABYTE) == 4096 * MEGABYTE
    assert default_models_bytes("cpu", 20_000 * MEGABYTE) == 256 * MEGABYTE
    monkeypatch.setattr("flowviz.shares.free_memory", lambda _device: 1000 * MEGABYTE)
    assert default_cache_bytes("cpu") == 500 * MEGABYTE


def test_a_model_that_was_not_taken_cannot_be_used() -> None:
    with pytest.raises(RuntimeError, match="without having been taken"):
        _ = Lease(Shelf().held, "a").model
