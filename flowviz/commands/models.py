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
    from flowviz.models.supported import SUPPORTED

    for entry in known_models():
        size = f"{entry.millions:,.0f} M" if entry.millions else ""
        print(f"{entry.name:14}{size:>9}  {entry.source_words:32}  {entry.description}")
    print(
        "\nAny other hub name or local folder works too, where its architecture is one of\n"
        f"{', '.join(SUPPORTED)}: flow, attention and lens are exact on these."
    )
    return 0
