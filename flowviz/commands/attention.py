"""`flowviz attention`: which heads attend to what, over one prompt or a set, without a page."""

from __future__ import annotations

import argparse

from flowviz.attention.kinds import Weighting, check_kind
from flowviz.attention.request import AttentionRequest, HeadsRequest
from flowviz.commands.options import add_model, chosen_model, standard_input
from flowviz.errors import RequestError

OPTIONS = (
    ("--second", "TEXT", "a second text: the other sentence for an encoder, what the decoder has "
     "written for an encoder-decoder (default: what it writes itself), what follows for a GPT"),
    ("--mask", "N,…", "positions of tokens to hide from an encoder, as in 3,5"),
    ("--part", "PART", "of an encoder-decoder: encoder (the default), decoder or cross"),
    ("--target", "TOKEN", "with --weighting flow, the token whose logit is split (default: the "
     "top prediction)"),
    ("--contrast", "TOKEN", "split the target's logit minus this token's"),
    ("--position", "N", "the prompt position whose prediction is split (default: the last)"),
)  # fmt: skip


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("attention", help="print which heads attend to what")
    over = command.add_mutually_exclusive_group(required=True)
    over.add_argument("prompt", nargs="?", help="the text to run; - reads standard input")
    over.add_argument("--set", metavar="NAME", help="the mean over a set that ships")
    command.add_argument("--group", metavar="NAME", help="only the set's prompts of this group")
    add_model(command)
    command.add_argument(
        "--find", metavar="KIND", help="list only heads of one kind: previous, next, first, "
        "special, same, duplicate, induction, or an offset from -16 to 16",
    )  # fmt: skip
    command.add_argument("--weighting", choices=list(Weighting), type=str,
                         help="what --json holds: pattern (the default), norm or flow")  # fmt: skip
    for option, value, words in OPTIONS:
        command.add_argument(option, metavar=value, help=words)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the maps as JSON, nothing else")
    form.add_argument("--text", action="store_true", help="print a report to read (the default)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Finds the heads; only the result goes to standard output."""
    kind = None if chosen.find is None else check_kind(chosen.find)
    return _over_set(chosen, kind) if chosen.set is not None else _on_prompt(chosen, kind)


def _on_prompt(chosen: argparse.Namespace, kind: str | None) -> int:
    if chosen.group is not None:
        raise RequestError("--group is about a set. Name one with --set, in place of the prompt.")
    prompt = standard_input() if chosen.prompt == "-" else chosen.prompt
    given = {name: getattr(chosen, name, None) for name in AttentionRequest.fields()}
    given["token"] = chosen.target
    AttentionRequest.from_mapping({**given, "prompt": prompt})  # refused before torch is imported
    entry = chosen_model(chosen)

    from flowviz.attended import attention_maps

    maps = attention_maps(prompt, entry, **given)
    if chosen.json:
        print(maps.to_json())
    else:
        from flowviz.views.attention.report import of_prompt

        print(of_prompt(maps, kind), end="")
    return 0


def _over_set(chosen: argparse.Namespace, kind: str | None) -> int:
    if chosen.json or chosen.weighting is not None:
        raise RequestError(
            "--json and --weighting are about one prompt. Give one in place of --set."
        )
    if chosen.second is not None or chosen.mask is not None:
        raise RequestError("--second and --mask are about one prompt, not about a set.")
    asked = {"set": chosen.set, "group": chosen.group, "part": chosen.part}
    prompts = HeadsRequest.from_mapping(asked).prompts()
    entry = chosen_model(chosen)

    from flowviz.attended import find_heads
    from flowviz.views.attention.report import of_set

    found = find_heads([one.text for one in prompts], entry, part=chosen.part)
    print(of_set(found, kind), end="")
    return 0
