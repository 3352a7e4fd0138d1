"""The examples: a token, where in the model it is looked at, and what to look for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.ui.ask_panel import examples_menu
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.examples import DEMO


@dataclass(frozen=True)
class ContextExample:
    """A question about a demo model.

    Args:
        link: the question as a link has it.
    """

    title: str
    link: dict[str, str]
    look_for: str


EXAMPLES = (
    ContextExample(
        "One word, two kinds",
        {"model": DEMO, "prompt": "The oak is a kind of tree.", "position": "4",
         "site": "resid_pre:1"},
        "Before block 1 the state is still the word: the nearest contexts have “kind” as a noun, "
        "then “kind”, “big” and “cold” as adjectives, 43 of 50. Choose the state behind all "
        "blocks: now 46 of 50 are nouns, and “of” stands behind 45. The state has become what "
        "comes next.",
    ),
    ContextExample(
        "What does a head fetch?",
        {"model": DEMO, "prompt": "The capital of Japan is the city of", "site": "heads:3",
         "chosen": "3", "least": "0.8"},
        "From the last word this head reads Japan. Where it writes the same, it stands at other "
        "words (“is”, “speak”, “to”), but what it looks at most is Japan, in every context; six of "
        "eight go on with “Japanese”.",
    ),
    ContextExample(
        "A verb that nobody sees",
        {"model": "demo-bert", "prompt": "The nurse walks to the market.", "position": "3",
         "mask": "3"},
        "The verb is masked, and still the contexts of its state before block 2 are verbs, 50 of "
        "50, where one in ten of all tokens is one. Go one block down: 26 of 50. What stands "
        "around it has told by then that a verb is missing.",
    ),
)  # fmt: skip


def offered(models: Sequence[str]) -> list[ContextExample]:
    """The examples whose model is offered."""
    return [each for each in EXAMPLES if each.link["model"] in models]


def first_link(models: Sequence[str], model: object) -> dict[str, str]:
    """What the page opens with, where its link says nothing: the model's first example."""
    links = [each.link for each in offered(models) if each.link["model"] == model]
    return dict(links[0]) if links else {}


def example_menu(models: Sequence[str]) -> dmc.Menu:
    """The button with all of them."""
    return examples_menu([_item(i, each) for i, each in enumerate(offered(models))], width=440)


def _item(index: int, example: ContextExample) -> dmc.MenuItem:
    words = [html.Strong(example.title), html.Code(example.link["prompt"])]
    return dmc.MenuItem(
        html.Div([*words, html.Small(example.look_for)], className="example"),
        id={"type": Contexts.EXAMPLE, "index": index},
    )


def look_for(flat: Mapping[str, str]) -> list[Component | str]:
    """What to look for, where the question is that of an example."""
    for example in EXAMPLES:
        if all(flat.get(name, "") == value for name, value in example.link.items()):
            return [html.Strong(example.title), " ", example.look_for]
    return []
