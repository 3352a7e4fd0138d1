"""The command line: `python -m flowviz serve | explain | block | check | compare | …`.

Arguments are read, and faulty ones refused, before torch is imported.
"""

from __future__ import annotations

import argparse
import os
import sys

from flowviz.commands import (
    analyse,
    attention,
    block,
    check,
    compare,
    contexts,
    explain,
    factors,
    models,
    neurons,
    serve,
    why,
)
from flowviz.demo import cli as demo
from flowviz.errors import FlowvizError


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="flowviz", description="See how a language model got its answer."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    modules = (serve, explain, block, attention, why, neurons, contexts, factors, check, compare,
               analyse, models)  # fmt: skip
    for module in modules:
        module.add_command(commands)
    below = commands.add_parser("demo", help="train, evaluate or generate for the demo model")
    demo.add_commands(below.add_subparsers(required=True, metavar="COMMAND"))
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; what a user can mend is one line on standard error, and exit code 2."""
    chosen = parser().parse_args(arguments)
    try:
        code = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except FlowvizError as error:
        print(f"flowviz: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("flowviz: There is not enough memory. Shorten the prompt.", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the output has gone; Python must not flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
