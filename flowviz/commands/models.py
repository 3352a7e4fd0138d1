"""`flowviz models`: the catalogue, and the memory that its weights take."""

from __future__ import annotations

import argparse

from flowviz.commands.options import add_placement
from flowviz.models.placement import Placement

BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("models", help="list the models known by name")
    add_placement(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Prints the models known by name, and what else may be given."""
    from flowviz.models.catalogue import known_models

    dtype = Placement.of(chosen.device, chosen.dtype).dtype
    for entry in known_models():
        size = f"{entry.millions:,.0f} M" if entry.millions else ""
        each = BYTES.get(dtype, 4)
        memory = f"{entry.millions * each / 1000:.1f} GB" if entry.millions else ""
        kind = entry.kind or ""
        where = f"{entry.source_words:36}"
        print(f"{entry.name:24}{kind:16}{size:>8}{memory:>8}  {where}{entry.description}")
    print(
        "\nAny other hub name or local folder works too, where it holds a model of text: a causal\n"
        "language model (gpt) for everything, or an adapter on one (ADAPTER@BASE); an encoder or\n"
        "encoder-decoder for `flowviz attention`. The memory is the weights', with --dtype."
    )
    return 0
