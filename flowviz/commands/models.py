"""`flowviz models`: the catalogue."""

from __future__ import annotations

import argparse


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("models", help="list the models known by name")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Prints the models known by name, and what else may be given."""
    from flowviz.models.catalogue import known_models

    for entry in known_models():
        size = f"{entry.millions:,.0f} M" if entry.millions else ""
        print(f"{entry.name:14}{size:>9}  {entry.source_words:32}  {entry.description}")
    print(
        "\nAny other hub name or local folder works too, where it holds a causal language model\n"
        "of text; one whose architecture is not covered is refused by its name."
    )
    return 0
