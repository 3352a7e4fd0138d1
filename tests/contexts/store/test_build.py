"""A build: what goes in comes out, batch by batch, and what is there is not made again."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from flowviz.contexts.corpus.types import Fault
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.store import build, open_store
from flowviz.contexts.store.opening import OpenedStore
from flowviz.contexts.store.types import Store, Vectors
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

CORPUS = FakeCorpus(sentences(60))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> OpenedStore:
    folder = tmp_path_factory.mktemp("stores") / "one"
    return build(CORPUS, FakeReader(), folder, shard_tokens=200)


def test_it_is_a_store_of_several_shards(store: OpenedStore) -> None:
    assert isinstance(store, Store)
    assert isinstance(store.vectors(PRE), Vectors)
    assert len(store.manifest.shards) > 3
    assert (store.info.name, store.info.model, store.info.identity) == ("fake", "fake", "fake-1")
    assert store.info.sentences == 60
    assert store.info.parts == ("part 0", "part 1", "part 2")
    assert store.info.annotations == (Feature.UPOS, Feature.LEMMA)
    assert store.info.sites == tuple(sorted((PRE, HEADS, FINAL)))
    assert (store.info.faults, store.info.notes) == (0, ("Made for a test.",))
    files = [file for file in Path(store.folder()).rglob("*") if file.name != "lock"]
    assert store.info.bytes == sum(file.stat().st_size for file in files if file.is_file())


def test_sentences_come_out_as_they_went_in(store: OpenedStore) -> None:
    reader = FakeReader()
    for number, one in enumerate(store.stored(range(60))):
        assert one.sentence == CORPUS.items[number]
        assert one.tokens == reader.tokens(one.sentence.text)
        assert len(one.words) == len(one.tokens)


def test_every_row_has_its_own_vector_and_words(store: OpenedStore) -> None:
    reader, row = FakeReader(), 0
    upos, after = (store.codes(role, Feature.UPOS) for role in (Role.MATCHED, Role.NEXT))
    vectors = {site: store.vectors(site).take(range(store.info.rows)) for site in store.info.sites}
    for number, one in enumerate(store.stored(range(60))):
        for position in np.flatnonzero(~np.array(one.tokens.special)):
            assert (store.sentence_of[row], store.position_of[row]) == (number, position)
            assert store.info.parts[store.part_of[row]] == one.sentence.part
            words, index = one.sentence.words, one.words[position]
            assert upos.values[upos.codes[row]] == words[index].upos
            behind = words[index + 1].upos if index + 1 < len(words) else ""
            assert after.values[after.codes[row]] == behind
            for site in (PRE, HEADS, FINAL):
                wanted = reader.vector(one.tokens.ids, site)[position]
                np.testing.assert_allclose(vectors[site][row], wanted, rtol=1e-3)
            row += 1
    assert row == store.info.rows == len(store.sentence_of)


def test_blocks_and_rows_are_the_same(store: OpenedStore) -> None:
    vectors, seen = store.vectors(HEADS), 0
    for first, block in vectors.blocks():
        assert first == seen
        assert block.dtype == np.float16
        np.testing.assert_array_equal(vectors.take(range(first, first + len(block))), block)
        seen += len(block)
    assert seen == vectors.rows
    mixed = np.array([seen - 1, 0, seen // 2, 0])
    whole = np.concatenate([block for _, block in vectors.blocks()])
    np.testing.assert_array_equal(vectors.take(mixed), whole[mixed])
    with pytest.raises(IndexError):
        vectors.take([seen])


def test_batches_hold_to_their_budget_and_read_each_sentence_once(tmp_path: Path) -> None:
    reader = FakeReader(width=2**20)  # so wide that a batch may have the fewest tokens only
    corpus = FakeCorpus(sentences(60))
    with pytest.raises(StopIteration):
        build(corpus, reader, tmp_path / "x", [PRE], progress=_stops_at("model", 0))
    reader.width = 8
    build(corpus, reader, tmp_path / "x", [PRE])
    assert all(max(lengths) * len(lengths) <= 256 for lengths, _ in reader.passes)
    assert all(lengths == sorted(lengths) for lengths, _ in reader.passes)
    assert sum(len(lengths) for lengths, _ in reader.passes) == 60
    assert len(reader.passes) < 15


def _stops_at(word: str, calls: int):
    def progress(stage: str, fraction: float) -> None:
        nonlocal calls
        assert 0 <= fraction <= 1
        if word in stage:
            calls -= 1
            if calls < 0:
                raise StopIteration

    return progress


def test_a_further_site_is_added_and_the_others_stay(tmp_path: Path) -> None:
    reader = FakeReader()
    build(CORPUS, reader, tmp_path, [PRE], shard_tokens=200)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.npy")}
    opened, reader.passes[:] = open_store(tmp_path), []
    store = build(CORPUS, reader, tmp_path, [HEADS, PRE])
    assert {sites for _, sites in reader.passes} == {(HEADS,)}
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert store.info.sites == (HEADS, PRE)
    assert opened.info.sites == (PRE,)
    assert opened.vectors(PRE).take([5]).any()
    reader.passes.clear()
    assert build(CORPUS, reader, tmp_path, [HEADS]).info.sites == (HEADS, PRE)
    assert reader.passes == []


def test_stopped_and_begun_again_it_is_the_same(tmp_path: Path) -> None:
    build(CORPUS, FakeReader(), tmp_path / "whole", shard_tokens=200)
    for word, calls in (("corpus", 0), ("corpus", 20), ("corpus", 9), ("model", 0), ("model", 1)):
        with pytest.raises(StopIteration):
            build(CORPUS, FakeReader(), tmp_path / "stopped", shard_tokens=200,
                  progress=_stops_at(word, calls))  # fmt: skip
        assert not list((tmp_path / "stopped").rglob("*.part"))
    build(CORPUS, FakeReader(), tmp_path / "stopped", shard_tokens=200)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_the_same_corpus_read_at_once_or_in_parts_has_the_same_files(tmp_path: Path) -> None:
    """A site that was added later is what it would have been."""
    build(CORPUS, FakeReader(), tmp_path / "a", [PRE], shard_tokens=200)
    build(CORPUS, FakeReader(), tmp_path / "a", [HEADS])
    build(CORPUS, FakeReader(), tmp_path / "b", [HEADS, PRE], shard_tokens=200)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_long_sentences_are_read_in_pieces_and_lose_nothing(tmp_path: Path) -> None:
    long = sentence(" ".join(f"word{number}" for number in range(100)), "p", "p:7")
    one_word = sentence("x" * 500, "p", "p:8")
    corpus = FakeCorpus((sentence("a cat", "p"), long, one_word))
    store = build(corpus, FakeReader(), tmp_path, most_tokens=20)
    pieces = store.stored(range(store.info.sentences))
    assert all(len(piece.tokens) <= 20 for piece in pieces)
    of_long = [one.sentence for one in pieces if one.sentence.place.startswith("p:7")]
    assert "".join(one.text for one in of_long) == long.text
    assert [word.form for one in of_long for word in one.words] == [w.form for w in long.words]
    assert all(one.text[w.start : w.end] == w.form for one in of_long for w in one.words)
    assert "".join(one.sentence.text for one in pieces[1:]) == long.text + one_word.text
    assert of_long[0].place == f"p:7, characters 1-{len(of_long[0].text)}"
    assert [word.head for word in of_long[1].words[:3]] == [-2, 0, 1]
    (note,) = store.info.notes[1:]
    assert note == f"2 sentences have more than 20 tokens and are read in {len(pieces) - 1} pieces."


def test_the_models_context_bounds_a_piece(tmp_path: Path) -> None:
    corpus = FakeCorpus((sentence("word " * 300),))
    store = build(corpus, FakeReader(context=16), tmp_path)
    assert max(len(one.tokens) for one in store.stored(range(store.info.sentences))) == 16


def test_sentences_without_text_or_words(tmp_path: Path) -> None:
    corpus = FakeCorpus((sentence(""), sentence(" "), sentence("a cat", tagged=False)))
    store = build(corpus, FakeReader(), tmp_path, shard_tokens=2)  # each a shard of its own
    assert store.info.sentences == 3
    assert store.info.rows == 3  # the space, and two words
    assert store.sentence_of.tolist() == [1, 2, 2]
    assert [one.sentence.text for one in store.stored([0, 1, 2])] == ["", " ", "a cat"]
    assert store.info.annotations == ()
    form = store.codes(Role.NEXT, Feature.FORM)
    assert [form.values[code] for code in form.codes] == ["", "cat", ""]
    assert (form.code("cat"), form.code("dog")) == (form.codes[1], None)
    assert len(list(store.vectors(PRE).blocks())) == 2


def test_faults_are_counted_and_what_cannot_be_kept_is_one(tmp_path: Path) -> None:
    faults = tuple(Fault("f.txt", number, "It is bad.", "the line") for number in range(1, 4))
    half = sentence("a \ud800 b", "f.txt", "f.txt:9")
    huge = sentence("x" * (2**20 + 1), "f.txt", "f.txt:10")
    corpus = FakeCorpus((*faults[:2], sentence("a cat"), half, huge, faults[2]))
    object.__setattr__(corpus, "fingerprint", lambda: "the same")
    store = build(corpus, FakeReader(), tmp_path, shard_tokens=2)
    assert (store.info.faults, store.info.sentences) == (5, 1)
    first = store.manifest.first_faults
    assert first[0] == "f.txt, line 1: It is bad. Left out: the line."
    assert first[2] == "f.txt:9: It holds half of a surrogate pair. Left out: the sentence."
    assert first[3].startswith("f.txt:10: It has 3,145,748 characters, annotations included;")


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1e6, np.float32), (1e-5, np.float32), (1, np.float16)]
)
def test_what_float16_cannot_hold_is_kept_as_float32(
    tmp_path: Path, scale: float, dtype: type
) -> None:
    reader = FakeReader(scale=float(scale))
    store = build(CORPUS, reader, tmp_path, [PRE], shard_tokens=200)
    blocks = [block for _, block in store.vectors(PRE).blocks()]
    assert {block.dtype for block in blocks} == {np.dtype(dtype)}
    one = store.stored([0])[0]
    wanted = reader.vector(one.tokens.ids, PRE)[1]
    np.testing.assert_allclose(blocks[0][0], wanted, rtol=1e-3, atol=1e-3 * scale)
    assert ("float32 at resid_pre:0" in " ".join(store.info.notes)) is (dtype is np.float32)


def test_only_the_shards_that_need_it_are_float32(tmp_path: Path) -> None:
    class Grows(FakeReader):
        def vector(self, ids, site):
            many = 1e6 if len(ids) > 40 else 1.0
            return super().vector(ids, site) * np.float32(many)

    corpus = FakeCorpus((*sentences(20), sentence("word " * 40), *sentences(20, 1)))
    store = build(corpus, Grows(), tmp_path, [PRE], shard_tokens=100)
    dtypes = [block.dtype.itemsize for _, block in store.vectors(PRE).blocks()]
    assert (min(dtypes), dtypes.count(4)) == (2, 1)
    (row,) = [i for i, one in enumerate(store.stored(range(41))) if len(one.tokens) > 40]
    assert store.vectors(PRE).take(np.flatnonzero(store.sentence_of == row)).max() > 9e5
    assert open_store(tmp_path).manifest.sites[PRE].wide == (dtypes.index(4),)


def test_float32_is_exact(tmp_path: Path) -> None:
    store = build(CORPUS, FakeReader(), tmp_path, [PRE], dtype="float32")
    one = store.stored([0])[0]
    wanted = FakeReader().vector(one.tokens.ids, PRE)[1:-1]
    np.testing.assert_array_equal(store.vectors(PRE).take(range(len(wanted))), wanted)
    assert build(CORPUS, FakeReader(), tmp_path, [HEADS]).manifest.options.dtype == "float32"
    assert os.path.getsize(tmp_path / "vectors/heads.0/00000.npy") == 128 + store.info.rows * 16


def test_no_more_than_a_shard_is_held(tmp_path: Path) -> None:
    """Until the last batch; what is opened then has some 20 bytes for each row."""
    corpus = FakeCorpus(sentences(1000))

    def most(shard_tokens: int) -> int:
        peak = 0

        def look(_stage: str, _fraction: float) -> None:
            nonlocal peak
            peak = max(peak, tracemalloc.get_traced_memory()[1])

        tracemalloc.start()
        build(corpus, FakeReader(), tmp_path / str(shard_tokens), shard_tokens=shard_tokens,
              progress=look)  # fmt: skip
        tracemalloc.stop()
        return peak

    whole, parts = most(10**6), most(500)
    assert parts < whole / 4, (parts, whole)
