"""Opening: what is not whole, foreign, broken or hostile is refused with its reason."""

from __future__ import annotations

import json
import os
import pickle
import resource
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowviz.contexts.kinds import Feature, Role, Site
from flowviz.contexts.store import build, open_store
from flowviz.contexts.store.opening import OpenedStore
from flowviz.errors import RequestError
from tests.contexts.store.fakes import PRE, FakeCorpus, FakeReader, sentences

ARRAY = Path("vectors/resid_pre.0/00000.npy")
TOKENS, WORDS, SENTENCES = (Path(f"{n}/00000.parquet") for n in ("tokens", "words", "sentences"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores") / "whole"
    build(FakeCorpus(sentences(30)), FakeReader(), folder, [PRE], shard_tokens=200)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def refused(folder: Path, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        read_all(open_store(folder))


def read_all(store: OpenedStore) -> None:
    """Whatever there is to read of it."""
    store.stored(range(store.info.sentences))
    for feature in (Feature.FORM, Feature.UPOS):
        store.codes(Role.MATCHED, feature)
    store.vectors(PRE).take(range(store.info.rows))


def test_the_whole_one_opens(folder: Path) -> None:
    read_all(open_store(str(folder)))
    assert len(open_store(folder).manifest.shards) > 1


def test_where_there_is_none(tmp_path: Path) -> None:
    refused(tmp_path, r"holds no store: it has no manifest\.json.*contexts build")
    refused(tmp_path / "nowhere", "holds no store")
    (tmp_path / "manifest.json").mkdir()
    refused(tmp_path, "holds no store")


def test_one_that_was_stopped(tmp_path: Path) -> None:
    def stop(stage: str, fraction: float) -> None:
        if "model" in stage:
            raise StopIteration

    with pytest.raises(StopIteration):
        build(FakeCorpus(sentences(30)), FakeReader(), tmp_path / "x", progress=stop)
    refused(tmp_path / "x", "is not whole: its build was stopped.*again; it goes on where it was")


Change = Callable[[dict], object]
MANIFESTS: list[tuple[Change, str]] = [
    (lambda m: m.update(format="other"), "is not one of flowviz's"),
    (lambda m: m.update(version=2), "has version '2'; this flowviz reads version 1"),
    (lambda m: m.update(version=[1]), "has version 'a list'"),
    (lambda m: m.pop("shards"), "shards"),
    (lambda m: m.update(shards={}), "is no list"),
    (lambda m: m["shards"][0].update(rows=10**12), "is no count"),
    (lambda m: m["shards"][0].update(rows=-1), "is no count"),
    (lambda m: m["shards"][0].update(rows=True), "is no count"),
    (lambda m: m["shards"][0].update(rows=1e3), "is no count"),
    (lambda m: m["shards"][0].update(rows=m["shards"][0]["tokens"] + 1), "more rows than tokens"),
    (lambda m: m["shards"][0].update(rows=7), "a token's word is not there"),
    (lambda m: m["shards"][0].update(sentences=10**7), "where the manifest says 10,000,000"),
    (lambda m: m["shards"][0].update(words=5), "where the manifest says 5"),
    (lambda m: m.update(shards=m["shards"] * 2), "it is not there"),
    (lambda m: m.update(shards=m["shards"][:-1], sites={}), "is not whole"),
    (lambda m: m["shards"].extend([m["shards"][0]] * 200), "it is not there"),
    (lambda m: m["sites"].update({"../../etc": {"width": 8, "wide": []}}), "site is '../../etc'"),
    (lambda m: m["sites"].update({"resid_pre:9": {"width": 8, "wide": []}}), "resid_pre.9/00000"),
    (lambda m: m["sites"]["resid_pre:0"].update(width=10**30), "is no count"),
    (lambda m: m["sites"]["resid_pre:0"].update(width=16), "not as long as it should be"),
    (lambda m: m["sites"]["resid_pre:0"].update(wide=[0]), "not as long as it should be"),
    (lambda m: m["sites"]["resid_pre:0"].update(wide="0"), "is no list"),
    (lambda m: m["options"].update(dtype="object"), "dtype is 'object'"),
    (lambda m: m["options"].update(dtype="float32"), "not as long as it should be"),
    (lambda m: m.update(corpus={"a": 1}), "is no text"),
    (lambda m: m.update(corpus="x" * 10**6), "is no text"),
    (lambda m: m.update(model=["x"]), "not as it should be"),
    (lambda m: m.update(parts=m["parts"][:1]), "a part is not in the manifest"),
    (lambda m: m.update(parts=m["parts"] * 2), "a part stands there twice"),
    (lambda m: m.update(faults="many"), "is no count"),
    (lambda m: m.update(cut=[1]), "not as it should be"),
    (lambda m: m.update(annotations=7), "is no list"),
]


@pytest.mark.parametrize(("change", "words"), MANIFESTS)
def test_a_manifest_that_is_not_true(folder: Path, change: Change, words: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused(folder, words)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b'{"version": 1}', b"9" * 10_000]
)
def test_a_manifest_that_is_none(folder: Path, text: bytes) -> None:
    (folder / "manifest.json").write_bytes(text)
    refused(folder, "is broken: its manifest.json .*Delete the folder and build it again")


def test_a_manifest_of_gigabytes_is_not_read(folder: Path) -> None:
    os.truncate(folder / "manifest.json", 2**32)
    refused(folder, "too large")


@pytest.mark.parametrize("file", [ARRAY, TOKENS, WORDS, SENTENCES])
def test_a_file_that_is_missing_cut_or_something_else(folder: Path, file: Path) -> None:
    whole = (folder / file).read_bytes()
    for contents in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"x", b"x" * len(whole)):
        (folder / file).write_bytes(contents)
        refused(folder, rf"{file} is broken: .*Delete the store's folder and build it again")
    (folder / file).unlink()
    refused(folder, rf"{file} is broken: it is not there")
    (folder / file).mkdir()
    refused(folder, rf"{file} is broken: it is not there")


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    for file in (ARRAY, TOKENS, Path("manifest.json")):
        (folder / file).unlink()
        os.mkfifo(folder / file)
        refused(folder, "is not there|holds no store")


def header(folder: Path, text: str, version: bytes = b"\x01\x00") -> None:
    """Puts another header before an array's numbers."""
    path = folder / ARRAY
    head = b"\x93NUMPY" + version + (118).to_bytes(2, "little") + text.encode().ljust(117) + b"\n"
    path.write_bytes(head + path.read_bytes()[128:])


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (ROWS, 8), }",
        "{'descr': '<f2', 'fortran_order': True, 'shape': (ROWS, 8), }",
        "{'descr': '<f2', 'fortran_order': False, 'shape': (99999999999, 8), }",
        "{'descr': '<i2', 'fortran_order': False, 'shape': (ROWS, 8), }",
        "{'descr': '>f2', 'fortran_order': False, 'shape': (ROWS, 8), }",
        "{'descr': [('a', '<f2')], 'fortran_order': False, 'shape': (ROWS, 8), }",
        "{'descr': '<f2', 'fortran_order': False, 'shape': (ROWS, 8, 1), }",
        "__import__('os').system('false')",
        "{",
    ],
)
def test_an_array_that_is_not_plain_floats(folder: Path, text: str) -> None:
    rows = open_store(folder).manifest.shards[0].rows
    header(folder, text.replace("ROWS", str(rows)))
    refused(folder, "00000.npy is broken")


def test_the_header_of_these_tests_is_read_where_it_is_right(folder: Path) -> None:
    rows = open_store(folder).manifest.shards[0].rows
    header(folder, f"{{'descr': '<f2', 'fortran_order': False, 'shape': ({rows}, 8), }}")
    read_all(open_store(folder))


def test_a_pickle_is_not_read(folder: Path) -> None:
    class Harm:
        def __reduce__(self):
            return (os.mkdir, (str(folder / "harm"),))

    data = pickle.dumps(Harm())
    size = (folder / ARRAY).stat().st_size
    (folder / ARRAY).write_bytes(data.ljust(size))
    refused(folder, "00000.npy is broken")
    assert not (folder / "harm").exists()


def changed(folder: Path, file: Path, column: str, values: object) -> None:
    """Writes a table anew with another column."""
    table = pq.read_table(folder / file)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, [values]), folder / file)


def column_of(folder: Path, file: Path, column: str) -> list:
    return pq.read_table(folder / file)[column].to_pylist()


def test_tables_that_contradict_each_other(folder: Path, whole: Path) -> None:
    for file, column, kind, put, words in (
        (TOKENS, "word", pa.int32(), 10**6, "a token's word is not there"),
        (TOKENS, "word", pa.int32(), -2, "a token's word is not there"),
        (TOKENS, "special", pa.bool_(), True, "a token's word is not there"),
        (TOKENS, "end", pa.int32(), 10**6, "lies outside of its text"),
        (TOKENS, "start", pa.int32(), -1, "lies outside of its text"),
        (WORDS, "end", pa.int32(), 10**6, "lies outside of its text"),
        (SENTENCES, "tokens", pa.int32(), 10**6, "counts other tokens"),
        (SENTENCES, "words", pa.int32(), -5, "counts other words"),
        (SENTENCES, "part", pa.string(), "no part", "a part is not in the manifest"),
        (SENTENCES, "part", pa.string(), None, "a value is missing"),
        (TOKENS, "id", pa.int64(), 1, "its columns are"),
    ):
        values = column_of(folder, file, column)
        values[1] = put
        changed(folder, file, column, pa.array(values, kind))
        refused(folder, words)
        shutil.copy(whole / file, folder / file)


def test_a_table_that_unpacks_to_gigabytes_is_not_unpacked(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    rows = 2**23
    manifest["shards"][0]["words"] = rows
    columns = {
        name: [""] for name in ("form", "lemma", "upos", "xpos", "feats", "deprel", "entity")
    }
    numbers = {name: [0] for name in ("sentence", "start", "end", "head")}
    names = pq.read_table(folder / WORDS).column_names
    table = pa.table({name: ({**columns, **numbers})[name] for name in names})
    types = {"sentence": pa.int32(), "start": pa.int32(), "end": pa.int32(), "head": pa.int32()}
    table = table.cast(pa.schema([(name, types.get(name, pa.string())) for name in names]))
    one = pa.concat_tables([table] * 2**10).combine_chunks()
    schema = pa.schema([pa.field(name, one.schema.field(name).type, False) for name in names])
    with pq.ParquetWriter(folder / WORDS, schema, compression="zstd", use_dictionary=False) as out:
        many = pa.concat_tables([one] * 2**7).combine_chunks().cast(schema)
        for _ in range(rows // len(many)):
            out.write_table(many)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert (folder / WORDS).stat().st_size < 2**20
    refused(folder, "unpacks to more than 256 MB")


def test_a_text_that_is_no_text(folder: Path) -> None:
    values = [text.encode() for text in column_of(folder, SENTENCES, "text")]
    values[0] = b"\xff\xfe\xfd"
    broken = pa.array(values, pa.binary()).cast(pa.string(), safe=False)
    changed(folder, SENTENCES, "text", broken)
    refused(folder, "00000.parquet is broken")


def test_a_site_or_a_sentence_that_is_not_there(folder: Path) -> None:
    store = open_store(folder)
    with pytest.raises(RequestError, match="has no site heads:3; it has resid_pre:0"):
        store.vectors(Site.parse("heads:3"))
    for number in (-1, 30):
        with pytest.raises(RequestError, match=f"has no sentence {number}"):
            store.stored([number])
    for role, feature in ((Role.ATTENDED, Feature.UPOS), (Role.MATCHED, Feature.OFFSET)):
        with pytest.raises(RequestError, match="a pass decides"):
            store.codes(role, feature)


def test_many_threads_read_the_same(folder: Path) -> None:
    alone, many = open_store(folder), open_store(folder)
    wanted = [alone.stored([n])[0].sentence for n in range(30)]
    codes = alone.codes(Role.NEXT, Feature.FORM)
    vectors = alone.vectors(PRE).take(range(alone.info.rows))
    wrong: list[object] = []

    def read(first: int) -> None:
        for number in [*range(first, 30), *range(first)]:
            if many.stored([number])[0].sentence != wanted[number]:
                wrong.append(number)
            if many.codes(Role.NEXT, Feature.FORM).values != codes.values:
                wrong.append("codes")
        if not np.array_equal(many.vectors(PRE).take(range(many.info.rows)), vectors):
            wrong.append("vectors")

    threads = [threading.Thread(target=read, args=(3 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_more_arrays_than_a_process_may_have_files(tmp_path: Path) -> None:
    store = build(FakeCorpus(sentences(120)), FakeReader(), tmp_path, [PRE], shard_tokens=1)
    assert len(store.manifest.shards) == 120
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 80, hard))
    try:
        read_all(open_store(tmp_path))
        assert sum(len(block) for _, block in store.vectors(PRE).blocks()) == store.info.rows
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
