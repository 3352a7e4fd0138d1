"""The examples: a head, where it looks from, and what to look for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.session import ModelChoice
from flowviz.ui.ask_panel import examples_menu
from flowviz.ui.examples import DEMO
from flowviz.ui.head.ids import Head

JAPAN = "The capital of Japan is the city of"
DRINK = "When Mary and John went to the store, John gave a drink to"


@dataclass(frozen=True)
class HeadExample:
    """A head of the demo model that is worth a look.

    Args:
        link: the question as a link has it, without its model.
    """

    title: str
    link: dict[str, str]
    look_for: str


EXAMPLES = (
    HeadExample(
        "Which dimensions find the country?",
        {"prompt": JAPAN, "layer": "3", "head": "3", "view": "neurons", "dims": "deciding"},
        "From the last word this head looks at Japan alone. Sorted by what decides, four "
        "dimensions on the left set Japan's row apart; the large ones further right are alike in "
        "every row, and decide nothing.",
    ),
    HeadExample(
        "Why does it look at Japan?",
        {"prompt": JAPAN, "layer": "3", "head": "3", "view": "why"},
        "Japan's score is about 0, but that of the other words is about −9. Ranked by what they "
        "do beyond the other keys, a head of layer 2 leads on Japan's side; ranked by share, the "
        "list is led by parts that do the same for every key.",
    ),
    HeadExample(
        "What makes a head look nearby?",
        {"prompt": DRINK, "layer": "2", "head": "7", "view": "distance"},
        "This head looks at the word before. Its score falls with every token of distance, and "
        "four of its 24 dimensions (9, 22, 6 and 3) together fall as much. Read it over a set, "
        "too: one prompt has few pairs of tokens that are far apart.",
    ),
    HeadExample(
        "What makes a head look far?",
        {"prompt": DRINK, "layer": "2", "head": "2", "view": "distance"},
        "Another head of the same layer leans the other way: its score grows with distance, a "
        "little over this prompt, more over the set, and no single dimension makes it grow.",
    ),
)


def example_links(models: Sequence[ModelChoice]) -> list[dict[str, str]]:
    """What each example asks: on the demo model where it is offered, else only its prompt."""
    names = [model.name for model in models]
    if DEMO in names:
        return [{"model": DEMO, **each.link} for each in EXAMPLES]
    return [
        {"model": names[0], "prompt": each.link["prompt"], "view": each.link["view"]}
        for each in EXAMPLES
    ]


def first_link(models: Sequence[str], model: object) -> dict[str, str]:
    """What the page opens with, where its link says nothing: the first example."""
    link = EXAMPLES[0].link
    return dict(link) if model == DEMO and DEMO in models else {}


def example_menu() -> dmc.Menu:
    """The button with all of them."""
    return examples_menu([_item(index, each) for index, each in enumerate(EXAMPLES)], width=440)


def _item(index: int, example: HeadExample) -> dmc.MenuItem:
    return dmc.MenuItem(
        html.Div(
            [
                html.Strong(example.title),
                html.Code(example.link["prompt"]),
                html.Small(example.look_for),
            ],
            className="example",
        ),
        id={"type": Head.EXAMPLE, "index": index},
    )


def look_for(flat: Mapping[str, str]) -> list[Component | str]:
    """What to look for, where the question is that of an example."""
    for example in EXAMPLES:
        asked = {**example.link, "model": DEMO}
        names = ("prompt", "model", "layer", "head", "view")
        if all(flat.get(name) == asked.get(name) for name in names):
            return [html.Strong(example.title), " ", example.look_for]
    return []
