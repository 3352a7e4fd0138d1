"""`flowviz neurons`: what one head compares, dimension by dimension, without a page."""

from __future__ import annotations

import argparse

from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.why_request import NeuronRequest
from flowviz.commands.options import add_model, chosen_model, standard_input
from flowviz.commands.why import add_forms, add_head, more
from flowviz.errors import RequestError


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("neurons", help="print what a head compares, by dimension")
    over = command.add_mutually_exclusive_group(required=True)
    over.add_argument("prompt", nargs="?", help="the text to run; - reads standard input")
    over.add_argument(
        "--set", metavar="NAME", help="how dimensions change with distance, over a set that ships"
    )
    command.add_argument("--group", metavar="NAME", help="only the set's prompts of this group")
    add_head(command)
    add_model(command)
    add_forms(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Looks into the head; only the result goes to standard output."""
    text, plain = _over_set(chosen) if chosen.set is not None else _on_prompt(chosen)
    print(text, end="\n" if plain else "")
    return 0


def _on_prompt(chosen: argparse.Namespace) -> tuple[str, bool]:
    if chosen.group is not None:
        raise RequestError("--group is about a set. Name one with --set, in place of the prompt.")
    prompt = standard_input() if chosen.prompt == "-" else chosen.prompt
    place = {name: getattr(chosen, name) for name in ("layer", "head", "query")}
    asked = NeuronRequest.from_mapping({**place, "prompt": prompt, **more(chosen)})
    entry = chosen_model(chosen)

    from flowviz.one_head import neuron_view
    from flowviz.views.head.report import of_neurons

    places = (asked.layer, asked.head)
    view = neuron_view(prompt, *places, entry, query=asked.query, **more(chosen))
    return (view.to_json(), True) if chosen.json else (of_neurons(view), False)


def _over_set(chosen: argparse.Namespace) -> tuple[str, bool]:
    of_one = [name for name in ("query", "second", "mask") if getattr(chosen, name) is not None]
    if of_one:
        raise RequestError(f"--{of_one[0]} is about one prompt. Give one in place of --set.")
    given = {name: getattr(chosen, name) for name in ("set", "group", "layer", "head", "part")}
    asked = DecayRequest.from_mapping(given)
    prompts = [one.text for one in asked.prompts()]
    entry = chosen_model(chosen)

    from flowviz.one_head import distance_decay
    from flowviz.views.head.report import of_decay

    decay = distance_decay(asked.layer, asked.head, entry, prompts=prompts, part=asked.part)
    return (decay.to_json(), True) if chosen.json else (of_decay(decay), False)
