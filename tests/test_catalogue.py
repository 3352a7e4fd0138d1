"""The catalogue: a visitor's text names an entry, and never becomes a path or a hub name."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowviz.errors import ModelError
from flowviz.models.catalogue import Catalogue, ModelKind, find_model, known_models


def test_the_default_is_the_demo_model() -> None:
    assert known_models()[0].name == "demo"
    assert known_models()[0].source_words == "ships with flowviz"
    assert len({entry.name for entry in known_models()}) == len(known_models())


def test_choices_are_known_names_hub_names_and_folders(tmp_path: Path) -> None:
    catalogue = Catalogue.of(["demo", " gpt2 ", "lab/small", f"mine={tmp_path}", "big=lab/big"])
    assert [(entry.name, entry.source) for entry in catalogue.entries[1:]] == [
        ("gpt2", "gpt2"),
        ("lab/small", "lab/small"),
        ("mine", str(tmp_path)),
        ("big", "lab/big"),
    ]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ([], "Name at least one"),
        (["", " "], "Name at least one"),
        (["demo", "demo"], "named twice"),
        (["x=/nowhere/at/all"], "neither a folder nor a hub name"),
        (["/nowhere/at/all"], "neither a folder nor a hub name"),
        (["=demo"], "needs a name"),
    ],
)
def test_choices_that_are_none_are_refused(choices: list[str], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Catalogue.of(choices)


def test_a_folder_is_offered_without_its_path(tmp_path: Path) -> None:
    entry = Catalogue.of([f"mine={tmp_path}"]).entries[0]
    assert str(tmp_path) not in entry.title + entry.description


def test_what_is_not_offered_is_refused_by_name(tmp_path: Path) -> None:
    catalogue = Catalogue.of(["demo", "gpt2"])
    assert catalogue.entry("gpt2").name == "gpt2"
    for text in (
        str(tmp_path),
        "distilgpt2",
        "GPT2",
        "gpt2 ",
        "../demo",
        "",
        known_models()[0].source,
    ):
        with pytest.raises(ModelError, match="Choose one of: demo, gpt2"):
            catalogue.entry(text)


def test_a_known_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gpt2").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_model("gpt2").title == "GPT-2 small"


def test_every_known_model_says_what_can_be_asked_of_it() -> None:
    kinds = {entry.name: entry.kind for entry in known_models()}
    assert None not in kinds.values()
    named = [kinds[name] for name in ("demo", "gpt2", "demo-bert", "roberta-base", "t5-small")]
    assert named == [ModelKind.GPT] * 2 + [ModelKind.ENCODER] * 2 + [ModelKind.BOTH]
