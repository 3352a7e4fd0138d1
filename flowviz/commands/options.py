"""What several commands share: their options, and how what was given is read."""

from __future__ import annotations

import argparse
import sys

from flowviz.errors import RequestError
from flowviz.models.catalogue import ModelEntry, find_model, on_base
from flowviz.models.placement import Placement


def add_model(command: argparse.ArgumentParser) -> None:
    """Declares which model is run, where its weights are held, and how precisely."""
    command.add_argument(
        "--model", default="demo", metavar="NAME_OR_FOLDER",
        help="a known name, a hub name, a folder, or ADAPTER@BASE (default: demo)",
    )  # fmt: skip
    command.add_argument(
        "--base", metavar="NAME_OR_FOLDER", help="the model to merge an adapter into"
    )
    add_placement(command)


def add_placement(command: argparse.ArgumentParser) -> None:
    """Declares where a model's weights are held, and how precisely."""
    command.add_argument(
        "--device", metavar="NAME", help="cpu, cuda, cuda:N, mps, or auto (default: cpu)"
    )
    command.add_argument(
        "--dtype",
        metavar="PRECISION",
        help="float32, float64 (both exact), bfloat16, float16, int8 (8-bit weights; needs "
        "torchao), or auto for the checkpoint's own (default: float32)",
    )


def chosen_model(chosen: argparse.Namespace) -> ModelEntry:
    """The model that `add_model`'s options name."""
    entry = find_model(chosen.model)
    entry = entry if chosen.base is None else on_base(entry, chosen.base)
    return entry.placed(Placement.of(chosen.device, chosen.dtype))


def standard_input() -> str:
    """What is piped in, without the newline that ends a file's last line."""
    try:
        text = sys.stdin.read()
    except UnicodeDecodeError as error:
        raise RequestError(
            f"Standard input is no UTF-8 text ({error.reason} at byte {error.start}). Convert it."
        ) from None
    return text.removesuffix("\n").removesuffix("\r")
