"""`flowviz why`: why a head looks from one token at another, without a page."""

from __future__ import annotations

import argparse
from typing import Any

from flowviz.attention.why_request import Rank, WhyRequest
from flowviz.commands.options import add_model, chosen_model, standard_input

MORE = (
    ("--second", "TEXT", "a second text: the other sentence of an encoder's pair, or what follows"),
    ("--mask", "N,N", "positions to hide from an encoder"),
    ("--part", "NAME", "of an encoder-decoder: encoder, decoder or cross"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("why", help="print why a head looks from one token at another")
    command.add_argument("prompt", help="the text to run; - reads standard input")
    add_head(command)
    command.add_argument(
        "--key", metavar="N", help="the position that it looks at (default: the most attended)"
    )
    command.add_argument(
        "--n", metavar="N", help=f"components of each end to name (default: {WhyRequest.n})"
    )
    command.add_argument("--rank", choices=list(Rank), type=str, default=str(Rank.BEYOND),
                         help="by what they are chosen: beyond (the default) or share")  # fmt: skip
    add_model(command)
    add_forms(command)
    command.set_defaults(run=run)


def add_head(command: argparse.ArgumentParser) -> None:
    """Declares which head is meant, from where it looks, and what else is asked."""
    command.add_argument("--layer", required=True, metavar="N", help="the layer of the head")
    command.add_argument("--head", required=True, metavar="N", help="its number in that layer")
    command.add_argument("--query", metavar="N", help="the position that looks (default: the last)")
    for option, value, words in MORE:
        command.add_argument(option, metavar=value, help=words)


def more(chosen: argparse.Namespace) -> dict[str, Any]:
    """What is asked beside the prompt, as far as it is given."""
    given = {name: getattr(chosen, name) for name in ("second", "mask", "part")}
    return {name: value for name, value in given.items() if value is not None}


def add_forms(command: argparse.ArgumentParser) -> None:
    """Declares how the answer is printed."""
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print it as JSON, nothing else")
    form.add_argument("--text", action="store_true", help="print a report to read (the default)")


def run(chosen: argparse.Namespace) -> int:
    """Splits the score; only the result goes to standard output."""
    prompt = standard_input() if chosen.prompt == "-" else chosen.prompt
    given = {name: getattr(chosen, name) for name in ("layer", "head", "query", "key", "n", "rank")}
    given |= {"prompt": prompt, **more(chosen)}
    asked = WhyRequest.from_mapping(given)  # before torch is imported
    entry = chosen_model(chosen)

    from flowviz.one_head import why

    choices = {"query": asked.query, "key": asked.key, "n": asked.n, "rank": str(asked.rank)}
    found = why(prompt, asked.layer, asked.head, entry, **choices, **more(chosen))
    if chosen.json:
        print(found.to_json())
    else:
        from flowviz.views.head.report import of_why

        print(of_why(found), end="")
    return 0
