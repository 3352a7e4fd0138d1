"""`flowviz block`: one prompt's pass inside a block, as text or JSON, without a page."""

from __future__ import annotations

import argparse

from flowviz.commands.options import add_model, chosen_model, standard_input
from flowviz.inside.request import InsideRequest, Rank, Rotary

OPTIONS = (
    ("--at", "N", "the prompt position to look at (default: the target's)"),
    ("--contrast", "TOKEN", "explain the target's logit minus this token's"),
    ("--position", "N", "the prompt position whose prediction is explained (default: the last)"),
    ("--heads", "N", "heads to draw of a block (default: 10)"),
    ("--memories", "N", "keys and values to draw of a head (default: 2)"),
    ("--rows", "N", "rows of W_O to draw of a block (default: 10)"),
    ("--high", "N", "neurons with the highest rank to draw of a block (default: 18)"),
    ("--low", "N", "neurons with the lowest rank to draw of a block (default: 7)"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("block", help="print one block's own flow, part by part")
    command.add_argument("prompt", help="the text to run; - reads standard input")
    command.add_argument(
        "--layers", required=True, metavar="N|FIRST-LAST", help="the blocks to open, from 0"
    )
    add_model(command)
    command.add_argument(
        "--target", metavar="TOKEN", help="the token to explain (default: the top prediction)"
    )
    for option, value, words in OPTIONS:
        command.add_argument(option, metavar=value, help=words)
    command.add_argument("--rank", choices=list(Rank), type=str,
                         help="by what parts are chosen: norm (the default) or flow")  # fmt: skip
    command.add_argument("--rotary", choices=list(Rotary), type=str,
                         help="queries and keys at their positions (the default), or before "
                         "rotation")  # fmt: skip
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the JSON, nothing else")
    form.add_argument("--text", action="store_true", help="print a report to read (the default)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Opens the block; only the picture goes to standard output."""
    prompt = standard_input() if chosen.prompt == "-" else chosen.prompt
    layers = chosen.layers
    given = {name: getattr(chosen, name, None) for name in InsideRequest.fields() - {"layers"}}
    given["token"] = chosen.target
    asked = {**given, "prompt": prompt, "layers": layers}
    InsideRequest.from_mapping(asked)  # refused before torch is imported
    entry = chosen_model(chosen)

    from flowviz.opened import open_block

    result = open_block(prompt, entry, layers=layers, **given)
    if chosen.json:
        print(result.to_json())
    else:
        from flowviz.views.inside.report import text

        print(text(result.graph), end="")
    return 0
