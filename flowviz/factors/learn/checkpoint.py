"""What a training needs to go on, in one file that appears whole or not at all.

`checkpoint.safetensors` holds the learner's tensors and, in its header, the step and what was
asked for. Nothing is unpickled.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from flowviz.errors import RequestError

NAME = "checkpoint.safetensors"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a training stands.

    Args:
        asked: the settings, the model, the corpus and the sites, as texts by name.
        step: how many batches were learned from.
        state: of the learner.
    """

    asked: Mapping[str, str]
    step: int
    state: Mapping[str, Tensor]


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes it over the last one. Raises RequestError where the disk refuses."""
    said = {**checkpoint.asked, "step": str(checkpoint.step)}
    kept = {name: value.detach().cpu().contiguous() for name, value in checkpoint.state.items()}
    part = folder / f"{NAME}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(kept, part, metadata=said)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, folder / NAME)
    except (OSError, SafetensorError) as error:
        raise RequestError(
            f"{folder / NAME} cannot be written ({str(error)[:80]}). Make room, and run the same "
            "again: it goes on where it was."
        ) from None


def load_checkpoint(folder: Path, asked: Mapping[str, str]) -> Checkpoint | None:
    """The checkpoint in a folder; None where there is none.

    Raises:
        RequestError: it is broken, or of another training.
    """
    file = folder / NAME
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as held:
            said = dict(held.metadata() or {})
            state = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
        step = int(said.pop("step"))
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise broken(folder, str(error)) from None
    other = next((name for name in {**asked, **said} if asked.get(name) != said.get(name)), None)
    if other is not None:
        raise RequestError(
            f"The training in {folder} was begun with other settings: {other} was "
            f"{said.get(other, 'not given')}, and is {asked.get(other, 'not given')} now. Run it "
            "with those, or begin anew (--fresh), or name another folder."
        )
    return Checkpoint(said, step, state)


def broken(folder: Path, reason: str) -> RequestError:
    """The error for a checkpoint that cannot be used."""
    return RequestError(
        f"{folder / NAME} is broken ({reason[:80]}). Begin anew (--fresh), or name another folder."
    )
