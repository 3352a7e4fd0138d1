"""`flowviz explain`: one prompt's graph as text or JSON, without a page."""

from __future__ import annotations

import argparse

from flowviz.commands.options import add_model, chosen_model, standard_input
from flowviz.request import ExplainRequest, Score, Wiring

OPTIONS = (
    ("--contrast", "TOKEN", "explain the target's logit minus this token's"),
    ("--position", "N", "the prompt position whose prediction is explained (default: the last)"),
    ("--coverage", "SHARE", "share of the influence to draw, above 0 up to 1 (default: 0.8)"),
    ("--budget", "N", "the most nodes to draw (default: 60)"),
    ("--edge-coverage", "SHARE", "share of the influence that drawn edges hold (default: 0.85)"),
    ("--layers", "FIRST-LAST", "the blocks to draw, counted from 0"),
    ("--positions", "FIRST-LAST", "the prompt positions to draw, counted from 0"),
    ("--kinds", "KIND,…", "components to draw: embed, pos_embed, head, neuron, bias"),
    ("--heads-per-layer", "N", "at most so many heads a block"),
    ("--positive-neurons", "N", "at most so many neurons a block with positive flow"),
    ("--negative-neurons", "N", "at most so many neurons a block with negative flow"),
    (
        "--interventions",
        "WHAT=HOW;…",
        "change the pass as it runs: head:3:7:1=0 switches off, =2.5 scales, or =mean, =donor; "
        "a factor also =clamp:4.5",
    ),
    (
        "--opened",
        "NODE;…",
        "draw nodes as sums of a dictionary's factors: resid_mid:3@7, mlp_out:2@5, resid_final@7",
    ),
    (
        "--dictionary",
        "NAME",
        "whose factors: one that ships, or NAME=FOLDER (default: coding)",
    ),
    ("--donor", "PROMPT", "the prompt whose values take the place of what is changed to =donor"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("explain", help="print one prompt's flow graph")
    add_request(command)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the graph's JSON, nothing else")
    form.add_argument("--text", action="store_true", help="print a report to read (the default)")
    command.set_defaults(run=run)


def add_request(command: argparse.ArgumentParser) -> None:
    """Declares what a graph is asked for with: prompt, model, target and settings."""
    command.add_argument("prompt", help="the text to run; - reads standard input")
    add_model(command)
    command.add_argument(
        "--target", metavar="TOKEN", help="the token to explain (default: the top prediction)"
    )
    for option, value, words in OPTIONS:
        command.add_argument(option, metavar=value, help=words)
    command.add_argument("--wiring", choices=list(Wiring), type=str, help="default: stream")
    command.add_argument("--score", choices=list(Score), type=str, help="default: flow")


def asked(chosen: argparse.Namespace) -> tuple[str, dict[str, object]]:
    """The prompt and the choices; what is wrong with them is refused before torch is imported."""
    prompt = standard_input() if chosen.prompt == "-" else chosen.prompt
    given: dict[str, object] = {
        name: getattr(chosen, name, None) for name in ExplainRequest.fields()
    }
    given["token"] = chosen.target
    name = str(given["dictionary"] or "").partition("=")[0]
    ExplainRequest.from_mapping({**given, "prompt": prompt, "dictionary": name})
    return prompt, given


def run(chosen: argparse.Namespace) -> int:
    """Explains the prompt; only the graph goes to standard output."""
    prompt, given = asked(chosen)
    entry = chosen_model(chosen)

    from flowviz.explanation import explain

    result = explain(prompt, entry, **given)
    if chosen.json:
        print(result.to_json())
    else:
        from flowviz.views.files import text

        print(text(result.graph))
    return 0
