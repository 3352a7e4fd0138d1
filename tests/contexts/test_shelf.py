"""The corpora that a server offers: what is offered, what is built when, what makes room."""

from __future__ import annotations

import dataclasses
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.encode import open_reader
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import Feature, Site, SiteKind
from flowviz.contexts.shelf import Shelf
from flowviz.contexts.store import build
from flowviz.errors import FlowvizError, RequestError
from flowviz.models.loading import load_model
from flowviz.similar import build_store, similar_contexts
from tests.contexts.small import SENTENCES, write_corpus

FIRST, SECOND = Site(SiteKind.RESID_PRE, 1), Site(SiteKind.RESID_PRE, 2)


def silent(_stage: str, _fraction: float) -> None:
    pass


@pytest.fixture(scope="module")
def model():
    return load_model("demo")


@pytest.fixture(scope="module")
def reader(model) -> Reader:
    return open_reader(model)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a few sentences with one site."""
    home = tmp_path_factory.mktemp("shelf")
    build_store(write_corpus(home), home / "store", model, sites=["resid_pre:1"])
    return home / "store"


@pytest.fixture(autouse=True)
def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first sentences of the demo corpus alone, so that reading them takes no time."""
    whole = demo_corpus()

    class Few(type(whole)):
        def __init__(self) -> None:
            vars(self).update(vars(whole))

        def read(self):
            for number, each in enumerate(whole.read()):
                if number == 40:
                    return
                yield each

    monkeypatch.setattr("flowviz.contexts.corpus.demo_corpus", Few)


def test_the_demo_corpus_is_offered_first_and_stores_by_their_names(folder: Path) -> None:
    demo, own = Shelf({"mine": folder}).choices()
    assert (demo.name, demo.models, demo.sites, demo.sentences) == ("demo", (), (), None)
    assert (own.name, own.title, own.sentences) == ("mine", "mine", len(SENTENCES))
    assert own.sites == (FIRST,)
    assert own.models == ("demo",)
    assert Feature.UPOS in own.annotations


def test_what_is_no_store_is_told_when_the_server_starts(tmp_path: Path) -> None:
    with pytest.raises(FlowvizError):
        Shelf({"mine": tmp_path / "nowhere"})


def test_a_name_that_is_not_offered_is_refused_with_those_that_are(folder: Path) -> None:
    with pytest.raises(RequestError, match=r"'\.\./secret' is not offered.*demo, mine"):
        Shelf({"mine": folder}).check("../secret")


def test_the_demo_corpus_is_read_when_it_is_asked_for_one_site_at_a_time(reader: Reader) -> None:
    shelf, told = Shelf(), list[str]()
    assert not shelf.at_hand("demo", "demo", FIRST)
    first = shelf.store("demo", "demo", reader, FIRST, lambda stage, _: told.append(stage))
    assert first.info.sites == (FIRST,)
    assert told
    assert shelf.at_hand("demo", "demo", FIRST)
    assert not shelf.at_hand("demo", "demo", SECOND)
    second = shelf.store("demo", "demo", reader, SECOND, silent)
    assert second.info.sites == (FIRST, SECOND)
    assert np.array_equal(first.vectors(FIRST).take([0]), second.vectors(FIRST).take([0]))
    told.clear()
    shelf.store("demo", "demo", reader, FIRST, lambda stage, _: told.append(stage))
    assert not told


def test_two_visitors_at_once_find_one_store(reader: Reader) -> None:
    shelf = Shelf()
    together = threading.Barrier(2)

    def ask(site: Site) -> tuple[Site, ...]:
        together.wait()
        return shelf.store("demo", "demo", reader, site, silent).info.sites

    with ThreadPoolExecutor(2) as pool:
        sites = list(pool.map(ask, (FIRST, SECOND)))
    assert sorted(map(len, sites)) == [1, 2]


def test_what_is_at_hand_waits_for_nothing_that_is_built(reader: Reader) -> None:
    shelf = Shelf()
    store = shelf.store("demo", "demo", reader, FIRST, silent)
    with shelf._building:
        assert shelf.store("demo", "demo", reader, FIRST, silent) is store


def test_what_was_used_least_recently_makes_room_and_an_open_store_is_read_on(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(most_bytes=1)
    first = shelf.store("demo", "demo", reader, FIRST, silent)
    again = shelf.store("demo", "demo", reader, SECOND, silent)
    assert again.info.sites == (SECOND,)
    assert first.vectors(FIRST).take([0]).shape == (1, reader.shape.d_model)
    gone = Path(first.folder())
    del first
    gc.collect()
    assert not gone.exists()


def test_the_folder_of_the_demo_corpus_goes_with_the_shelf(reader: Reader) -> None:
    shelf = Shelf()
    home = Path(shelf.store("demo", "demo", reader, FIRST, silent).folder())
    assert home.is_dir()
    del shelf
    gc.collect()
    assert not home.exists()


def test_a_store_of_ones_own_is_never_written_to(folder: Path, reader: Reader) -> None:
    before = sorted((file.name, file.stat().st_mtime_ns) for file in folder.rglob("*"))
    store = Shelf({"mine": folder}).store("mine", "demo", reader, FIRST, silent)
    assert store.info.sites == (FIRST,)
    assert before == sorted((file.name, file.stat().st_mtime_ns) for file in folder.rglob("*"))


def test_contexts_are_found_from_python(model, folder: Path) -> None:
    prompt = "The girl saw a dog"
    found = similar_contexts(prompt, model, folder, site="resid_pre:1", position=1, count=3)
    assert found.request.prompt == prompt
    assert found.request.corpus == found.store.name
    best = found.hits[0]
    assert best.tokens.tokens[best.position].text == " girl"
    assert [hit.score for hit in found.hits] == sorted((h.score for h in found.hits), reverse=True)
    same = similar_contexts(
        prompt, model, folder, site=FIRST, position="1", count="3", filters=["matched.upos=NOUN"]
    )
    assert {hit.words[hit.word_of[hit.position]].upos for hit in same.hits} == {"NOUN"}


def test_the_demo_corpus_is_searched_where_no_store_is_named(model) -> None:
    found = similar_contexts("She saw a dog", model, site="resid_pre:1", count=2)
    assert found.store.name == "demo"
    assert len(found.hits) == 2


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"layer": 3}, "takes no 'layer'"),
        ({"site": "resid_pre:2"}, "resid_pre:2"),
        ({"site": "resid_mid:99"}, "none in block 99"),
        ({"site": "nowhere"}, "site is 'nowhere'"),
        ({"position": 99}, "99"),
        ({"filters": ["upos=NOUN"]}, "role.feature=value"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    model, folder: Path, choices: dict[str, object], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        similar_contexts("She saw a dog", model, folder, **choices)


def test_a_store_of_another_model_is_refused(model, folder: Path) -> None:
    with pytest.raises(RequestError, match="Choose that model"):
        similar_contexts("She saw a dog", "demo-bert", folder, site="resid_pre:1")


def test_a_corpus_that_changed_is_no_part_of_the_store(model, folder: Path, tmp_path: Path) -> None:
    other = write_corpus(tmp_path, SENTENCES[:2])
    with pytest.raises(RequestError, match="Name another folder"):
        build_store(other, folder, model, sites=["resid_pre:2"])


def test_a_store_grows_by_the_sites_that_are_named(model, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path)
    told = list[float]()
    build_store(corpus, tmp_path / "s", model, sites=[FIRST], progress=lambda _, f: told.append(f))
    assert told
    assert max(told) <= 1
    store = build_store(corpus, tmp_path / "s", model, sites=["heads:2"])
    assert set(store.info.sites) == {FIRST, Site(SiteKind.HEADS, 2)}
    assert dataclasses.replace(store.info, sites=()).sentences == len(SENTENCES)
    build(demo_corpus(), open_reader(model), tmp_path / "d", [FIRST])
