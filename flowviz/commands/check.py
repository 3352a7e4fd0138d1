"""`flowviz check`: what the model itself says of a prompt's graph, without a page."""

from __future__ import annotations

import argparse
from pathlib import Path

from flowviz.analyses.prompts import MOST_CHARACTERS, prompts_from
from flowviz.checked import check_prompt, share
from flowviz.commands import explain
from flowviz.commands.options import chosen_model
from flowviz.errors import RequestError

AGAINST = ("zero", "mean", "resample")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("check", help="ablate what a graph leaves out, and what it shows")
    explain.add_request(command)
    command.add_argument(
        "--against", choices=AGAINST, default="zero",
        help="what takes the place of what is ablated: nothing, the mean over a reference set, or "
        "the values on another prompt (default: zero)",
    )  # fmt: skip
    command.add_argument(
        "--reference", metavar="FILE", type=Path,
        help="prompts, one a line, for the mean (default: the demo model's prompts)",
    )  # fmt: skip
    command.add_argument("--other", metavar="PROMPT", help="the other prompt, for resample")
    command.add_argument(
        "--smallest", metavar="SHARE", help="also find a small graph that recovers this share"
    )
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Checks the graph; only the report goes to standard output."""
    prompt, given = explain.asked(chosen)
    reference, other = _reference(chosen), _other(chosen)
    wanted = share("smallest", chosen.smallest, 0.0)
    entry = chosen_model(chosen)

    from flowviz.explanation import explain as explained
    from flowviz.views.check.report import text

    explanation = explained(prompt, entry, **given)
    verdict = explanation.check(
        chosen.against, reference=reference, other=other, share=wanted or None
    )
    print(text(explanation.graph, verdict))
    return 0


def _reference(chosen: argparse.Namespace) -> tuple[str, ...]:
    if chosen.against != "mean":
        if chosen.reference is not None:
            raise RequestError("--reference is for --against mean.")
        return ()
    if chosen.reference is None:
        return tuple(prompt.text for prompt in prompts_from("phenomena", ""))
    try:
        with chosen.reference.open(encoding="utf-8") as file:
            lines = file.read(MOST_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{chosen.reference} cannot be read as text: {error}.") from None
    return tuple(prompt.text for prompt in prompts_from("", lines))


def _other(chosen: argparse.Namespace) -> str | None:
    if (chosen.against == "resample") != (chosen.other is not None):
        raise RequestError("--against resample and --other PROMPT belong together. Give both.")
    return None if chosen.other is None else check_prompt(chosen.other)
