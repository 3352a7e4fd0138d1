"""The command line: `python -m flowviz serve | explain | models | demo`.

Arguments are read, and faulty ones refused, before torch is imported.
"""

from __future__ import annotations

import argparse
import sys

from flowviz.commands import explain, models, serve
from flowviz.demo import cli as demo
from flowviz.errors import FlowvizError


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="flowviz", description="See how a language model got its answer."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for module in (serve, explain, models):
        module.add_command(commands)
    below = commands.add_parser("demo", help="train, evaluate or generate for the demo model")
    demo.add_commands(below.add_subparsers(required=True, metavar="COMMAND"))
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; what a user can mend is one line on standard error, and exit code 2."""
    chosen = parser().parse_args(arguments)
    try:
        return chosen.run(chosen)
    except FlowvizError as error:
        print(f"flowviz: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
