"""Surveys on disk: what is read back, and what is refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowviz.contexts.encode import open_reader
from flowviz.contexts.kinds import Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.look import files
from flowviz.factors.look.files import ARRAYS, CARD, open_survey, save_survey
from flowviz.factors.look.survey import Options, survey
from flowviz.factors.look.surveyed import Survey
from tests.factors.look.made import SmallCorpus, made
from tests.models import random_model

SITES = (Site(SiteKind.RESID_PRE, 1), Site(SiteKind.RESID_FINAL))


@lru_cache(maxsize=1)
def whole() -> Survey:
    model = random_model("gpt2")
    return survey(made(model, SITES), model, SmallCorpus(), Options(contexts=4))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_survey(whole(), tmp_path / "survey")
    return tmp_path / "survey"


def test_what_is_read_back_is_what_was_written(folder: Path) -> None:
    model = random_model("gpt2")
    found, again = whole(), open_survey(folder, made(model, SITES), open_reader(model))
    assert again.info == found.info
    assert (again.values, again.sentences, again.notes) == (
        found.values, found.sentences, found.notes,
    )  # fmt: skip
    for name in ("counts", "largest", "importance", "edges", "histogram", "best", "level"):
        assert (getattr(again, name) == getattr(found, name)).all(), name
    for one, other in ((again.top, found.top), (again.drawn, found.drawn)):
        for name in ("starts", "sentence", "position", "tag"):
            assert (getattr(one, name) == getattr(other, name)).all(), name
    for name in ("starts", "value", "count", "words", "base"):
        assert (getattr(again.annotated, name) == getattr(found.annotated, name)).all()
    assert again.directions is not None
    assert found.directions is not None
    assert (again.directions.top == found.directions.top).all()
    assert again.directions.tokens == found.directions.tokens
    assert again.said == found.said
    assert sorted(each.name for each in folder.iterdir()) == [CARD, ARRAYS]


def test_anothers_survey_is_refused(folder: Path) -> None:
    model = random_model("gpt2")
    with pytest.raises(RequestError, match="another dictionary than made"):
        open_survey(folder, made(model, SITES, seed=1))
    with pytest.raises(RequestError, match="another model"):
        open_survey(folder, made(model, SITES), open_reader(random_model("gpt2", seed=1)))


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="holds no survey"):
        open_survey(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be written"):
        save_survey(whole(), tmp_path / "file" / "survey")


CARDS: dict[str, tuple[str, Any]] = {
    "version": ("version", 2),
    "no sites": ("sites", []),
    "a site that is none": ("sites", ["resid_pre:1", "nowhere:2"]),
    "fewer sites": ("sites", ["resid_pre:1"]),
    "other factors": ("factors", 31),
    "factors that are no number": ("factors", "30"),
    "factors below 0": ("factors", -1),
    "annotations": ("annotations", ["colour"]),
    "fewer tokens": ("tokens", 1),
    "notes": ("notes", None),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_does_not_fit_is_refused(folder: Path, name: str) -> None:
    key, value = CARDS[name]
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | {key: value}))
    with pytest.raises(RequestError, match=r"Survey the dictionary again|site is"):
        open_survey(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "null"])
def test_a_card_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / CARD).write_text(text)
    with pytest.raises(RequestError):
        open_survey(folder)


def rewritten(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the arrays, and the card's digest with them."""
    with np.load(folder / ARRAYS) as held:
        arrays = dict(held)
    change(arrays)
    np.savez(folder / ARRAYS, allow_pickle=True, **arrays)
    digested(folder)


def digested(folder: Path) -> None:
    card = json.loads((folder / CARD).read_text())
    card["arrays"] = files._digest(folder / ARRAYS)
    (folder / CARD).write_text(json.dumps(card))


def _set(name: str, value: Callable[[np.ndarray], Any]) -> Callable[[dict[str, Any]], None]:
    def change(arrays: dict[str, Any]) -> None:
        arrays[name] = value(arrays[name].copy())

    return change


def _at(value: Any) -> Callable[[np.ndarray], np.ndarray]:
    def put(array: np.ndarray) -> np.ndarray:
        array = array.astype(np.float32 if isinstance(value, float) else np.int64)
        array.flat[0] = value
        return array

    return put


ARRAYS_AT_FAULT: dict[str, Callable[[dict[str, Any]], None]] = {
    "an array less": lambda arrays: arrays.pop("largest"),
    "no number": _set("importance", _at(float("nan"))),
    "infinity": _set("edges", _at(float("inf"))),
    "below zero": _set("largest", _at(-1.0)),
    "another shape": _set("histogram", lambda a: a[:, :-1]),
    "a sentence that is not there": _set("top_sentence", _at(10**6)),
    "a negative sentence": _set("drawn_sentence", _at(-1)),
    "a band that is not there": _set("drawn_tag", _at(999)),
    "a word that is not there": _set("top_tag", _at(10**5)),
    "sizes that are too large": _set("top_sizes", _at(10**9)),
    "negative sizes": _set("pairs", _at(-3)),
    "more than there is": _set("pair_count", _at(10**6)),
    "sentences out of order": _set("numbers", lambda a: a[::-1]),
    "sentences that are no JSON": _set("sentences", lambda a: a[:-5]),
    "a sentence with wrong words": _set(
        "sentences", lambda a: np.frombuffer(a.tobytes().replace(b"[0,3", b"[0,999"), np.uint8)
    ),
    "values that are no list": _set("values", lambda _: np.frombuffer(b"{}", np.uint8)),
    "windows that do not grow": _set("reach_windows", _at(999)),
    "tokens that are not there": _set("raised", _at(10**6)),
    "texts as numbers": _set("counts", lambda a: a.astype(str)),
    "a pickled object": _set("counts", lambda a: a.astype(object)),
}


@pytest.mark.parametrize("name", ARRAYS_AT_FAULT)
def test_arrays_that_do_not_fit_are_refused(folder: Path, name: str) -> None:
    rewritten(folder, ARRAYS_AT_FAULT[name])
    with pytest.raises(RequestError, match=r"is broken .*Survey the dictionary again"):
        open_survey(folder)


def test_arrays_that_were_exchanged_or_cut_are_refused(folder: Path) -> None:
    held = (folder / ARRAYS).read_bytes()
    for bytes_ in (held[:-100], held[: len(held) // 2], b"", held + b"x"):
        (folder / ARRAYS).write_bytes(bytes_)
        with pytest.raises(RequestError, match="not those that its card names"):
            open_survey(folder)
        digested(folder)
        if bytes_ != held + b"x":
            with pytest.raises(RequestError, match="is broken"):
                open_survey(folder)


def test_a_header_that_lies_is_refused_before_memory_is_taken(folder: Path) -> None:
    rewritten(folder, lambda arrays: arrays.pop("counts"))
    header = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<i8', 'fortran_order': False, "
    header += b"'shape': (1000000000000,), }"
    with zipfile.ZipFile(folder / ARRAYS, "a") as held:
        held.writestr("counts.npy", header.ljust(127) + b"\n" + bytes(800))
    digested(folder)
    with pytest.raises(RequestError, match="not the size that it says"):
        open_survey(folder)


def test_what_would_unpack_to_too_much_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    with pytest.raises(RequestError, match="is broken"):
        open_survey(folder)
