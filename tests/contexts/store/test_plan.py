"""A plan: what a build will write and take is said before, and holds."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from flowviz.contexts.store import build, check_space, plan
from flowviz.errors import RequestError
from tests.contexts.store.fakes import FINAL, HEADS, PRE, FakeCorpus, FakeReader, sentences

SMALL, LARGE = FakeCorpus(sentences(100)), FakeCorpus(sentences(3000, 1))


def test_a_small_corpus_is_counted_and_its_size_is_the_stores(tmp_path: Path) -> None:
    said = plan(SMALL, FakeReader(), tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert (said.known, said.done, said.sentences) == (True, False, 100)
    assert said.sites == tuple(sorted((PRE, HEADS, FINAL)))
    store = build(SMALL, FakeReader(), tmp_path / "x")
    assert said.tokens == sum(shard.tokens for shard in store.manifest.shards)
    assert said.bytes == pytest.approx(store.info.bytes, abs=5000)  # the manifest, and headers


def test_a_large_one_is_estimated_from_its_beginning(tmp_path: Path) -> None:
    said = plan(LARGE, FakeReader(), tmp_path / "x", [PRE], dtype="float32")
    store = build(LARGE, FakeReader(), tmp_path / "x", [PRE], dtype="float32")
    assert not said.known
    assert said.sentences == pytest.approx(3000, rel=0.1)
    assert said.bytes == pytest.approx(store.info.bytes, rel=0.2)


def test_the_time_is_that_of_reading_and_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that only these two move."""
    now = 0.0

    class SlowCorpus(FakeCorpus):
        def read(self):
            nonlocal now
            for read in super().read():
                now += 1e-3
                yield read

    class SlowReader(FakeReader):
        def vectors(self, texts, sites, types=None):
            nonlocal now
            now += 5e-5 * sum(map(len, texts))
            return super().vectors(texts, sites, types)

    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("flowviz.contexts.store.planning.time", clock)
    corpus = SlowCorpus(sentences(3000, 1))
    said = plan(corpus, SlowReader(), tmp_path / "x", [PRE])
    expected = 5e-5 * said.tokens + 1e-3 * said.sentences
    assert said.seconds == pytest.approx(expected, rel=0.05)


def test_what_is_there_is_not_counted(tmp_path: Path) -> None:
    build(LARGE, FakeReader(), tmp_path, [PRE])
    done = plan(LARGE, FakeReader(), tmp_path, [PRE])
    assert (done.done, done.known, done.bytes, done.seconds) == (True, True, 0, 0.0)
    rest = plan(LARGE, FakeReader(), tmp_path, [PRE, HEADS])
    before = sum(file.stat().st_size for file in tmp_path.rglob("*"))
    build(LARGE, FakeReader(), tmp_path, [PRE, HEADS])
    grown = sum(file.stat().st_size for file in tmp_path.rglob("*")) - before
    assert (rest.done, rest.known, rest.sentences) == (False, True, 3000)
    assert rest.bytes == pytest.approx(grown, abs=5000)


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = plan(SMALL, FakeReader(), tmp_path / "not yet" / "there")
    folder = tmp_path / "not yet" / "there"
    check_space(folder, said.bytes)
    assert said.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=said.bytes))
    with pytest.raises(RequestError, match=r"needs 0\.00 GB more, and the disk has 0\.00 GB free"):
        check_space(folder, said.bytes)


def test_what_a_build_refuses_a_plan_refuses(tmp_path: Path) -> None:
    build(SMALL, FakeReader(), tmp_path, [PRE])
    with pytest.raises(RequestError, match="whose contents are not those of"):
        plan(LARGE, FakeReader(), tmp_path)
    with pytest.raises(RequestError, match="with the model"):
        plan(SMALL, FakeReader(identity="other"), tmp_path)


def test_an_empty_corpus_has_a_plan(tmp_path: Path) -> None:
    said = plan(FakeCorpus(()), FakeReader(), tmp_path / "x")
    assert (said.sentences, said.tokens, said.known) == (0, 0, True)
