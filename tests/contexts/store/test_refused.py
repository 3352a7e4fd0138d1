"""Builds that are refused, killed, or out of room: the reason is said, and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from flowviz.contexts.corpus.types import Fault
from flowviz.contexts.kinds import Site
from flowviz.contexts.store import build, open_store
from flowviz.contexts.store.layout import Layout
from flowviz.contexts.store.lock import locked
from flowviz.errors import ModelError, RequestError
from tests.contexts.store import killed
from tests.contexts.store.fakes import (
    FINAL,
    HEADS,
    PRE,
    FakeCorpus,
    FakeReader,
    contents,
    sentence,
    sentences,
)

ROOT = Path(__file__).parents[3]
CORPUS = FakeCorpus(sentences(20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build(CORPUS, FakeReader(), tmp_path / "store", [PRE])
    return tmp_path / "store"


def refused(words: str, *asked: object, **options: object) -> None:
    with pytest.raises(RequestError, match=words):
        build(*asked, **options)  # type: ignore[arg-type]


def test_a_store_of_something_else_is_refused_and_stays(folder: Path) -> None:
    before = contents(folder)
    other = "That is another store. Name another folder, or delete this one"
    refused(rf"with the model fake, not with these weights.*{other}",
            CORPUS, FakeReader(identity="fake-2"), folder)  # fmt: skip
    refused(rf"from the corpus fake, whose contents are not those of.*{other}",
            FakeCorpus(sentences(21)), FakeReader(), folder)  # fmt: skip
    refused(rf"with dtype float16, not float32\. {other}",
            CORPUS, FakeReader(), folder, dtype="float32")  # fmt: skip
    refused(rf"with at most 64 tokens a piece, not 32\. {other}",
            CORPUS, FakeReader(), folder, most_tokens=32)  # fmt: skip
    assert contents(folder) == before
    build(CORPUS, FakeReader(), folder, [PRE], dtype="float16", most_tokens=64)


def test_a_folder_of_other_files_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused("is not empty and holds no store", CORPUS, FakeReader(), tmp_path)
    refused("is a file. Name a folder", CORPUS, FakeReader(), tmp_path / "thesis.txt")
    assert list(tmp_path.iterdir()) == [tmp_path / "thesis.txt"]


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    refused("fake has no site mlp_out:3. It has resid_pre|heads", CORPUS, FakeReader(), tmp_path,
            [Site.parse("mlp_out:3")])  # fmt: skip
    refused("No site is named", CORPUS, FakeReader(), tmp_path, [])
    refused("dtype is 'float8'", CORPUS, FakeReader(), tmp_path, dtype="float8")
    refused("most_tokens is 3", CORPUS, FakeReader(), tmp_path, most_tokens=3)
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_a_sentence(tmp_path: Path) -> None:
    refused("fake has no sentence. Choose", FakeCorpus(()), FakeReader(), tmp_path / "a")
    fault = Fault("f.txt", 3, "It is bad.", "the line")
    refused("no sentence. The first fault: f.txt, line 3", FakeCorpus((fault,)), FakeReader(),
            tmp_path / "b")  # fmt: skip


def test_a_corpus_that_changes_meanwhile(tmp_path: Path) -> None:
    corpus, said = FakeCorpus(sentences(20)), iter(["before", "after"])
    object.__setattr__(corpus, "fingerprint", lambda: next(said, "after"))
    object.__setattr__(corpus, "items", CORPUS.items)
    first = iter(["before", "before", "after"])
    object.__setattr__(corpus, "fingerprint", lambda: next(first))
    refused("changed while it was read. Delete", corpus, FakeReader(), tmp_path / "x")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(tmp_path: Path, number: float) -> None:
    class Bad(FakeReader):
        def vector(self, ids, site):
            found = super().vector(ids, site)
            if site == HEADS:
                found[1, 2] = number
            return found

    with pytest.raises(ModelError, match="cannot be kept at heads:0: a number is not finite"):
        build(CORPUS, Bad(), tmp_path, [PRE, HEADS])
    assert not [file for file in tmp_path.rglob("*") if file.suffix in (".part", ".npy")]
    assert build(CORPUS, Bad(), tmp_path, [PRE]).info.sites == (PRE,)


def test_a_full_disk_is_refused_before_the_model_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    reader = FakeReader()
    refused(r"needs 0.00 GB more, and the disk has 0.00 GB free. Make room", CORPUS, reader,
            tmp_path)  # fmt: skip
    assert reader.passes == []


def test_a_disk_that_fills_up_is_said_and_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def fill(file: int, start: int, size: int) -> None:
        taken.append(size)
        if len(taken) == 4:
            raise OSError(28, "No space left on device")
        os.truncate(file, start + size)

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", fill)
        refused("cannot be written .No space left on device.. Make room", CORPUS, FakeReader(),
                tmp_path / "x", shard_tokens=100)  # fmt: skip
    assert not list((tmp_path / "x").rglob("*.part"))
    build(CORPUS, FakeReader(), tmp_path / "x")
    build(CORPUS, FakeReader(), tmp_path / "y", shard_tokens=100)
    assert contents(tmp_path / "x") == contents(tmp_path / "y")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused("cannot be written|is a file", CORPUS, FakeReader(), tmp_path / "file" / "store")


def test_two_builds_at_once_are_refused(folder: Path) -> None:
    with locked(Layout(folder)):
        refused("Another build is writing to", CORPUS, FakeReader(), folder, [HEADS])
        assert build(CORPUS, FakeReader(), folder, [PRE]).info.sites == (PRE,)  # nothing to do
    assert HEADS in build(CORPUS, FakeReader(), folder, [HEADS]).info.sites


def test_two_threads_at_once_leave_one_whole_store(tmp_path: Path) -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            build(killed.CORPUS, FakeReader(), tmp_path / "x", progress=killed.slow)
            ended.append("whole")
        except RequestError as error:
            ended.append("refused" if "Another build" in str(error) else str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["refused", "refused", "whole"]
    assert open_store(tmp_path / "x").info.sentences == 300


def test_an_array_that_was_lost_is_made_again(folder: Path) -> None:
    before = contents(folder)
    (folder / "vectors/resid_pre.0/00000.npy").unlink()
    build(CORPUS, FakeReader(), folder, [PRE])
    assert contents(folder) == before


def test_sites_that_this_model_has_not_any_more_stay_as_they_are(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sites"]["mlp_out:7"] = manifest["sites"]["resid_pre:0"]
    shutil.copytree(folder / "vectors/resid_pre.0", folder / "vectors/mlp_out.7")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    store = build(CORPUS, FakeReader(), folder, [HEADS])
    assert store.info.sites == (HEADS, Site.parse("mlp_out:7"), PRE)


def test_a_build_that_is_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    """SIGKILL to a real process, at random moments behind random steps, and then none."""
    build(killed.CORPUS, FakeReader(), tmp_path / "whole", shard_tokens=killed.SHARD_TOKENS)
    folder, chance, stages = tmp_path / "killed", random.Random(7), list[str]()
    while stages.count("Reading with the model") < 3:
        steps = chance.randint(1, 2 if "Reading with the model" in stages else 150)
        stages.append(_killed(folder, steps, 0.03 * chance.random()))
    assert stages.count("Reading the corpus") > 2
    subprocess.run(_child(folder), cwd=ROOT, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    assert contents(folder) == contents(tmp_path / "whole")
    assert open_store(folder).info.sites == tuple(sorted((PRE, HEADS, FINAL)))


def _child(folder: Path) -> list[str]:
    return [sys.executable, "-m", "tests.contexts.store.killed", str(folder)]


def _killed(folder: Path, steps: int, seconds: float) -> str:
    """Kills a build so long after so many steps, or the model's first, and says in which stage.

    What it left cannot be opened.
    """
    child = subprocess.Popen(_child(folder), cwd=ROOT, text=True, bufsize=1,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout is not None
    assert child.stdin is not None
    stage = ""
    for step in range(steps):
        before, stage = stage, child.stdout.readline().split(":")[0]
        child.stdin.write("\n")
        if step and stage != before:
            break
    time.sleep(seconds)
    child.kill()
    child.communicate()
    with pytest.raises(RequestError, match=r"not whole|holds no store"):
        open_store(folder)
    return stage


def test_what_half_a_file_holds_is_never_read(tmp_path: Path) -> None:
    """A file that was being written is no file: it is deleted, and made again."""
    folder = tmp_path / "x"
    build(FakeCorpus((sentence("a cat"),)), FakeReader(), folder, [PRE])
    before = contents(folder)
    for name in ("vectors/resid_pre.0/00001.npy.part", "tokens/00000.parquet.part",
                 "manifest.json.part"):  # fmt: skip
        (folder / name).write_bytes(b"half")
    assert open_store(folder).info.rows == 2
    build(FakeCorpus((sentence("a cat"),)), FakeReader(), folder, [HEADS])
    after = contents(folder)
    assert not [name for name in after if name.endswith(".part")]
    assert {n: t for n, t in after.items() if "heads" not in n and n != "manifest.json"} == {
        name: text for name, text in before.items() if name != "manifest.json"
    }
