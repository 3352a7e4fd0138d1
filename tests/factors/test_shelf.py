"""The dictionaries that a server offers: by name alone, those that fit, as many as memory takes."""

from __future__ import annotations

import gc
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import ModelError, RequestError
from flowviz.factors.dictionary import files
from flowviz.factors.dictionary.files import CARD, WEIGHTS, save_dictionary
from flowviz.factors.shelf import Dictionaries
from flowviz.models.catalogue import Catalogue
from flowviz.session import Session
from flowviz.settings import Settings
from flowviz.wsgi import make_app
from tests.factors.dictionary.test_files import OLD, published
from tests.factors.identity import both_ways
from tests.models import random_model, save_model

SITE = Site(SiteKind.RESID_PRE, 1)


@pytest.fixture(scope="module")
def reader():
    return open_reader(random_model("gpt2"))


@pytest.fixture
def shipped(tmp_path: Path, reader) -> Path:
    """Two dictionaries, of which one is the model's."""
    width, home = reader.shape.d_model, tmp_path / "shipped"
    save_dictionary(both_ways(width, (SITE,), identity=reader.identity), home / "own")
    save_dictionary(both_ways(width, (SITE,), identity="0" * 32), home / "foreign")
    return home


def named(tmp_path: Path, name: str, width: int, **more: object) -> Path:
    save_dictionary(both_ways(width, (SITE,), **more), tmp_path / name)  # type: ignore[arg-type]
    return tmp_path / name


def test_what_ships_is_offered_first_and_by_its_folders_name(tmp_path: Path, shipped: Path) -> None:
    shelf = Dictionaries({"mine": named(tmp_path, "x", 8)}, shipped=shipped)
    assert shelf.names() == ("foreign", "own", "mine")
    assert [about.name for about in shelf.offered()] == ["foreign", "own", "mine"]
    assert shelf.folder("mine") == tmp_path / "x"
    assert shelf.folder("own") == shipped / "own"


def test_those_that_fit_are_the_models_own_and_those_that_nobody_knows(
    tmp_path: Path, shipped: Path, reader
) -> None:
    model, width = random_model("gpt2"), reader.shape.d_model
    folders = {"unsure": named(tmp_path, "a", width), "narrow": named(tmp_path, "b", width - 1)}
    shelf = Dictionaries(folders, shipped=shipped)
    assert shelf.known(model) is None
    assert [about.name for about in shelf.fitting(model, reader)] == ["own", "unsure"]
    assert shelf.known(model) == shelf.fitting(model, reader)


def test_a_dictionary_is_found_by_its_name(shipped: Path, reader) -> None:
    shelf = Dictionaries(shipped=shipped)
    own = shelf.dictionary("own", reader)
    assert own.about.name == "own"
    assert own.atoms.shape == (2 * reader.shape.d_model, reader.shape.d_model)
    with pytest.raises(RequestError, match="another version"):
        shelf.dictionary("foreign", reader)


@pytest.mark.parametrize("name", ["", "nothing", "../own", "/etc/passwd", "own/", "a\0b"])
def test_no_other_name_is_offered(shipped: Path, reader, name: str) -> None:
    shelf = Dictionaries(shipped=shipped)
    for ask in (
        lambda: shelf.check(name),
        lambda: shelf.folder(name),
        lambda: shelf.dictionary(name, reader),
        lambda: shelf.made_folder(name, "x", "demo"),
    ):
        with pytest.raises(RequestError, match="foreign, own"):
            ask()


def test_where_there_is_none_it_says_how_there_would_be(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="FLOWVIZ_FACTORS"):
        Dictionaries(shipped=tmp_path).check("coding")


def test_a_broken_one_is_told_at_the_start(tmp_path: Path, shipped: Path) -> None:
    folder = named(tmp_path, "x", 8)
    (folder / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(RequestError, match="no whole safetensors"):
        Dictionaries({"mine": folder}, shipped=shipped)
    with pytest.raises(RequestError, match="no dictionary"):
        Dictionaries({"mine": tmp_path}, shipped=shipped)
    with pytest.raises(RequestError, match="another name"):
        Dictionaries({"own": named(tmp_path, "y", 8)}, shipped=shipped)


def test_memory_is_bounded_and_what_is_used_stays(
    tmp_path: Path, reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    width = reader.shape.d_model
    folders = {name: named(tmp_path, name, width) for name in "abc"}
    size = files.load_dictionary(folders["a"]).bytes
    shelf = Dictionaries(folders, 2 * size, shipped=tmp_path / "none")
    read, whole = list[str](), files.load_dictionary

    def watched(folder: Path, layers: int | None = None):
        read.append(folder.name)
        return whole(folder, layers)

    monkeypatch.setattr(files, "load_dictionary", watched)
    for name in "bcbab":  # at the start b and c are read last
        assert shelf.dictionary(name, reader).about.name == name
    assert read == ["a"]
    shelf.dictionary("c", reader)
    assert read == ["a", "c"]
    assert Dictionaries(folders, 1, shipped=tmp_path / "none").dictionary("a", reader)


def test_its_size_is_that_of_its_weights() -> None:
    dictionary = both_ways(8, (SITE,))
    numbers = 2 * 16 * 8 + 3 * 16 + 8  # atoms and weights; bias, lengths, threshold; one offset
    assert dictionary.bytes == 4 * numbers


def test_a_published_one_behind_the_last_block_is_at_the_final_state(
    tmp_path: Path, reader
) -> None:
    model, layers = random_model("gpt2"), reader.shape.layers
    cfg = OLD | {"hook_name": f"blocks.{layers - 1}.hook_resid_post"}
    folder = published(tmp_path / "sae", cfg)
    wide = open_reader(random_model("gpt2", d_head=4))
    shelf = Dictionaries({"sae": folder}, shipped=tmp_path)
    assert shelf.offered()[0].sites == (Site(SiteKind.RESID_PRE, layers),)
    dictionary = shelf.dictionary("sae", wide)
    assert dictionary.about.sites == (Site(SiteKind.RESID_FINAL),)
    assert "centred" in dictionary.about.notes[0]
    assert shelf.fitting(model, reader) == ()
    vectors = np.ones((2, 16), np.float32)
    assert dictionary.encode(vectors).rows == 2


def test_surveys_that_are_made_have_a_place_until_the_server_stops(shipped: Path) -> None:
    shelf = Dictionaries(shipped=shipped)
    one = shelf.made_folder("own", "model", "demo")
    assert shelf.made_folder("own", "model", "demo") == one
    assert shelf.made_folder("own", "model", "news") != one
    assert not one.exists()
    assert one.parent.is_dir()
    del shelf
    gc.collect()
    assert not one.parent.exists()


def test_many_threads_open_one_dictionary_once(
    shipped: Path, reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, read, whole = Dictionaries(shipped=shipped), list[Path](), files.load_dictionary

    def watched(folder: Path, layers: int | None = None):
        read.append(folder)
        return whole(folder, layers)

    monkeypatch.setattr(files, "load_dictionary", watched)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: shelf.dictionary("own", reader), range(16)))
    assert len(read) == 1
    assert all(each.atoms is found[0].atoms or np.shares_memory(each.atoms, found[0].atoms)
               for each in found)  # fmt: skip


def test_the_session_offers_what_fits_once_that_is_known(tmp_path: Path, shipped: Path) -> None:
    folder = save_model("gpt2", tmp_path / "model")
    shelf = Dictionaries(shipped=shipped)
    session = Session(Catalogue.of([f"a={folder}"]), cache_bytes=2**28, dictionaries=shelf)
    assert [about.name for about in session.dictionaries("a")] == ["foreign", "own"]
    session.preload()
    model = session._models.look("a")
    assert model is not None
    shelf.fitting(model, open_reader(model))
    assert [about.name for about in session.dictionaries("a")] == ["own"]
    assert session.dictionary(model, "own").about.name == "own"
    with pytest.raises(RequestError, match="nothing"):
        session.dictionary(model, "nothing")
    with pytest.raises(ModelError, match="offered"):
        session.dictionaries("b")


def test_a_card_that_ships_broken_is_told(shipped: Path) -> None:
    card = json.loads((shipped / "own" / CARD).read_text())
    (shipped / "own" / CARD).write_text(json.dumps(card | {"version": 7}))
    with pytest.raises(RequestError, match="version '7'"):
        Dictionaries(shipped=shipped)


def test_the_server_tells_a_broken_one_before_it_loads_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(Session, "preload", load)
    settings = Settings.from_environment({}, factors=f"mine={tmp_path}")
    with pytest.raises(RequestError, match="no dictionary"):
        make_app(settings)


def test_the_server_offers_what_it_is_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Dictionaries] = []

    def started(*_: object, dictionaries: Dictionaries, **__: object) -> Any:
        given.append(dictionaries)
        raise RequestError("enough")

    monkeypatch.setattr("flowviz.session.Session", started)
    folder = named(tmp_path, "x", 8)
    with pytest.raises(RequestError, match="enough"):
        make_app(Settings.from_environment({"FLOWVIZ_FACTORS": f"mine={folder}"}))
    assert given[0].folder("mine") == folder
    assert "topk" in given[0].names()
