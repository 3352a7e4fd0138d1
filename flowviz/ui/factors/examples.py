"""The examples: a word that is split into its senses, and a factor that changes the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.ui.ask_panel import examples_menu
from flowviz.ui.examples import DEMO
from flowviz.ui.factors.ids import Factors


@dataclass(frozen=True)
class FactorExample:
    """A look at the factors of a demo model.

    Args:
        link: what is looked at, as a link has it; `layer`, that of the prompt's table.
    """

    title: str
    link: dict[str, str]
    look_for: str


EXAMPLES = (
    FactorExample(
        "One word, two senses",
        {"model": DEMO, "prompt": "Mary saw the saw in the box.", "layer": "resid_pre:4"},
        "“saw” is a verb, then a tool. Before block 1 the strongest factors are the same at both. "
        "Before block 4 a factor of the word still is, and beside it others stand at one alone: "
        "at the verb those that verbs have, at the tool those that things have. Open them and see "
        "where else they are active.",
    ),
    FactorExample(
        "A language in place of a city",
        {
            "model": DEMO,
            "prompt": "The capital of Japan is the city of",
            "factor": "390",
            "site": "resid_pre:5",
            "layer": "resid_pre:5",
        },
        "Factor 390 stands where the name of a language comes next, as in “The main language "
        "spoken in France is”. Here it is not active. Switch it on in the prompt: at the last "
        "token alone, and the model says “Japanese” in place of “Tokyo”.",
    ),
)


def offered(models: Sequence[str]) -> list[FactorExample]:
    """The examples whose model is offered."""
    return [each for each in EXAMPLES if each.link["model"] in models]


def example_menu(models: Sequence[str]) -> dmc.Menu:
    """The button with all of them."""
    return examples_menu([_item(i, each) for i, each in enumerate(offered(models))], width=440)


def _item(index: int, example: FactorExample) -> dmc.MenuItem:
    code = [html.Code(example.link["prompt"])] if "prompt" in example.link else []
    words = [html.Strong(example.title), *code, html.Small(example.look_for)]
    return dmc.MenuItem(
        html.Div(words, className="example"), id={"type": Factors.EXAMPLE, "index": index}
    )


def look_for(flat: Mapping[str, str]) -> list[Component | str]:
    """What to look for, where what is looked at is an example."""
    for example in EXAMPLES:
        own = ("model", "prompt", "dictionary")
        if all(flat.get(name, "") == example.link.get(name, "") for name in own):
            return [html.Strong(example.title), " ", example.look_for]
    return []
