"""`flowviz compare`: what two passes differ by, as text or JSON, without a page."""

from __future__ import annotations

import argparse

from flowviz.analyses.prompts import prompts_from
from flowviz.commands import explain
from flowviz.commands.options import chosen_model
from flowviz.compare.request import OF_A_SIDE, PREFIX, CompareRequest
from flowviz.errors import RequestError
from flowviz.interventions.types import Instead
from flowviz.models.catalogue import ModelEntry, find_model
from flowviz.models.placement import Placement

OF_SECOND = (
    ("--b-model", "NAME_OR_FOLDER", "the second's model, of the same shape and tokens"),
    ("--b-target", "TOKEN", "the token that the second explains (default: the first's)"),
    ("--b-contrast", "TOKEN", "the second's contrast; '' for none (default: the first's)"),
    ("--b-position", "N", "the position that the second explains; '' for its last"),
    ("--b-interventions", "WHAT=HOW;…", "what is changed in the second pass; '' for nothing"),
    ("--b-donor", "PROMPT", "the prompt that the second's values come from"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser(
        "compare", help="compare two prompts, two models, or before and after an intervention"
    )
    explain.add_request(command)
    command.add_argument(
        "b_prompt", nargs="?", metavar="b-prompt", help="the second prompt (default: the same)"
    )
    for option, value, words in OF_SECOND:
        command.add_argument(option, metavar=value, help=words)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the JSON, nothing else")
    form.add_argument("--text", action="store_true", help="print a report to read (the default)")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Compares the two; only what was found goes to standard output."""
    prompt, given = explain.asked(chosen)
    given |= _of_second(chosen)
    flat = {name: value for name, value in given.items() if value is not None}
    request = CompareRequest.from_mapping({**flat, "prompt": prompt})
    entry = chosen_model(chosen)
    other = _second_model(chosen)

    from flowviz.compared import compare_passes

    for name in ("b_model", "b_prompt"):
        flat.pop(name, None)
    found = compare_passes(
        prompt, chosen.b_prompt, entry, other, reference=_reference(request), **flat
    )
    if chosen.json:
        print(found.to_json())
    else:
        from flowviz.views.compare.report import text

        print(text(found.comparison))
    return 0


def _of_second(chosen: argparse.Namespace) -> dict[str, object]:
    given = {PREFIX + name: getattr(chosen, PREFIX + name, None) for name in OF_A_SIDE}
    return given | {PREFIX + "token": chosen.b_target}


def _second_model(chosen: argparse.Namespace) -> ModelEntry | None:
    """The second's model, held as the first is."""
    if not chosen.b_model:
        return None
    if chosen.base is not None:
        raise RequestError("--base is for one model. Write the second as ADAPTER@BASE, and both.")
    return find_model(chosen.b_model).placed(Placement.of(chosen.device, chosen.dtype))


def _reference(request: CompareRequest) -> tuple[str, ...]:
    """The prompts that means are over, where one is asked for: those of the demo model."""
    made = (*request.first.interventions, *request.second.interventions)
    if not any(one.how is Instead.MEAN for one in made):
        return ()
    return tuple(prompt.text for prompt in prompts_from("phenomena", ""))
