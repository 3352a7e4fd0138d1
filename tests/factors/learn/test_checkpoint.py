"""Checkpoints: whole or not at all, the same back, and refused where they are of something else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flowviz.errors import RequestError
from flowviz.factors.learn.checkpoint import NAME, Checkpoint, load_checkpoint, save_checkpoint

ASKED = {"settings": '{"factors": 8}', "sites": "resid_pre:1", "model": "a", "corpus": "b"}


def kept(folder: Path) -> Checkpoint:
    made = Checkpoint(ASKED, 7, {"atoms": torch.eye(3), "seen": torch.tensor(7)})
    save_checkpoint(made, folder)
    return made


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path, ASKED) is None
    made, found = kept(tmp_path / "new"), load_checkpoint(tmp_path / "new", ASKED)
    assert found is not None
    assert (found.step, dict(found.asked)) == (7, ASKED)
    for name, value in made.state.items():
        assert torch.equal(found.state[name], value)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [NAME]


def test_one_that_was_cut_off_leaves_the_last(tmp_path: Path) -> None:
    kept(tmp_path)
    (tmp_path / f"{NAME}.part").write_bytes(b"half of it")
    found = load_checkpoint(tmp_path, ASKED)
    assert found is not None
    assert found.step == 7


@pytest.mark.parametrize("name", ASKED)
def test_another_training_is_refused_by_what_differs(tmp_path: Path, name: str) -> None:
    kept(tmp_path)
    with pytest.raises(RequestError, match=f"{name} was .* and is other now.*--fresh"):
        load_checkpoint(tmp_path, ASKED | {name: "other"})


@pytest.mark.parametrize("cut", [0, 4, 100, -5])
def test_a_broken_one_is_refused(tmp_path: Path, cut: int) -> None:
    kept(tmp_path)
    file = tmp_path / NAME
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(RequestError, match=r"is broken \(.*--fresh"):
        load_checkpoint(tmp_path, ASKED)


def test_a_file_of_tensors_that_is_none_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"atoms": torch.eye(2)}, tmp_path / NAME)
    with pytest.raises(RequestError, match="is broken"):
        load_checkpoint(tmp_path, ASKED)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be written"):
        kept(tmp_path / "file")
