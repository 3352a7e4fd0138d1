"""Tensors from safetensors files that others wrote: the header first, then only what is wanted.

Nothing is unpickled. Links are followed, since the hub's cache consists of them, but only to plain
files. What is read is floating point, finite, and fits into memory.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from flowviz.errors import RequestError
from flowviz.models.memory import free_memory

MOST_BYTES = 2**34
LARGEST = 1e15  # squares of larger numbers are none in float32
FLOATS = ("F64", "F32", "F16", "BF16")
MARGIN = 1.2  # times what the tensors take
PICKLED = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".npz")

Shape = tuple[int, ...]


def read_shapes(file: Path) -> dict[str, Shape]:
    """The shape of each tensor of a file, by name; none of them is read.

    Raises:
        RequestError: it is no whole safetensors file, or a tensor is not of floating point.
    """
    try:
        if not file.is_file():
            raise RequestError(f"{file} is no whole safetensors file (it is not there).")
        if file.stat().st_size > MOST_BYTES:
            raise RequestError(f"{file} has more than {MOST_BYTES // 2**30} GB; that is refused.")
        with safe_open(file, framework="pt") as held:
            slices = {name: held.get_slice(name) for name in held.keys()}  # noqa: SIM118
            kinds = {name: str(one.get_dtype()) for name, one in slices.items()}
            shapes = {name: tuple(map(int, one.get_shape())) for name, one in slices.items()}
    except (OSError, SafetensorError, ValueError) as error:
        raise RequestError(f"{file} is no whole safetensors file ({str(error)[:80]}).") from None
    wrong = next((name for name, kind in kinds.items() if kind not in FLOATS), None)
    if wrong is not None:
        raise RequestError(
            f"{file}: {wrong[:40]!r} is of the type {kinds[wrong]}; {', '.join(FLOATS)} are read."
        )
    return shapes


def read_tensors(file: Path, names: Collection[str]) -> dict[str, Tensor]:
    """Some tensors of a file in float32, those of these names that it has.

    Raises:
        RequestError: as `read_shapes`; or they do not fit into memory, or hold what is no number.
    """
    there = {name: shape for name, shape in read_shapes(file).items() if name in names}
    needed, free = MARGIN * 4 * sum(map(prod, there.values())), free_memory()
    if free is not None and needed > free:
        raise RequestError(
            f"{file} needs about {needed / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free. "
            "Free some, or take a smaller dictionary."
        )
    try:
        with safe_open(file, framework="pt") as held:
            found = {name: held.get_tensor(name).float() for name in there}
    except (OSError, SafetensorError, ValueError) as error:
        raise RequestError(f"{file} is no whole safetensors file ({str(error)[:80]}).") from None
    for name, tensor in found.items():
        low, high = torch.aminmax(tensor) if tensor.numel() else (tensor.sum(), tensor.sum())
        if not (low >= -LARGEST and high <= LARGEST):
            raise RequestError(
                f"{file}: {name} holds what is no number (NaN, or beyond {LARGEST:g})."
            )
    return found


def pickled_in(folder: Path) -> str:
    """The name of a file that would have to be unpickled; empty where there is none."""
    try:
        names = sorted(each.name for each in folder.iterdir() if each.suffix in PICKLED)
    except OSError:
        return ""
    return names[0] if names else ""
