"""The examples: two sides each, and what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.compare.request import PREFIX, CompareRequest
from flowviz.session import ModelChoice
from flowviz.ui.compare.form import Form, form_of
from flowviz.ui.compare.ids import Compare
from flowviz.ui.examples import DEMO

TARGETS = ("token", "contrast", PREFIX + "token", PREFIX + "contrast")


@dataclass(frozen=True)
class CompareExample:
    """Two passes that are worth comparing.

    Args:
        link: the request as a link has it, without its model.
        second: what the second side is, in a few words, where it is no other prompt.
        look_for: what a newcomer can look for.
    """

    title: str
    link: dict[str, str]
    look_for: str
    second: str | None = None


EXAMPLES = (
    CompareExample(
        "A stated bias",
        {"prompt": "The nurse said that", "b_prompt": "The plumber said that",
         "token": " she", "contrast": " he"},
        "One word is another, and the pronoun turns. See which heads bring the occupation to the "
        "last word, and which neurons write the bias.",
    ),
    CompareExample(
        "He against she",
        {"prompt": "Mary went home because", "b_prompt": "John went home because",
         "token": " she", "contrast": " he"},
        "The name decides. Compare the heads that change here with those of the occupations: is "
        "the bias read where a name is read?",
    ),
    CompareExample(
        "Who gets the drink?",
        {"prompt": "When Mary and John went to the store, John gave a drink to",
         "b_prompt": "When Mary and John went to the store, Mary gave a drink to",
         "token": " Mary", "contrast": " John"},
        "The names change places once. See which heads notice the name that came twice, and which "
        "move the other one.",
    ),
    CompareExample(
        "One fact against another",
        {"prompt": "The capital of Japan is the city of",
         "b_prompt": "The capital of Spain is the city of", "token": " Tokyo",
         "contrast": " Madrid"},
        "The same question about another country. What is fetched differs, what fetches it hardly "
        "does: the heads stay, the neurons behind them change.",
    ),
    CompareExample(
        "Before and after: two heads are switched off",
        {"prompt": "The nurse said that", "b_interventions": "head:4:*:4,head:4:*:6=0",
         "token": " she", "contrast": " he"},
        "The second pass runs without heads 4 and 6 of layer 4, which look from the last word at "
        "the nurse. See what of the bias is lost with them, and what makes up for it.",
        "the same, without heads 4 and 6 of layer 4",
    ),
)  # fmt: skip


def example_forms(models: Sequence[ModelChoice]) -> list[Form]:
    """What each example fills the form with: on the demo model where it is offered.

    Tokens were chosen for the demo model; another model explains its own top prediction.
    """
    names = [model.name for model in models]
    return [_form(example, DEMO if DEMO in names else names[0]) for example in EXAMPLES]


def _form(example: CompareExample, model: str) -> Form:
    return form_of(CompareRequest.from_mapping(example_link(example, model)))


def example_link(example: CompareExample, model: str) -> dict[str, str]:
    """An example's request as a link has it."""
    own = {name: value for name, value in example.link.items()
           if model == DEMO or name not in TARGETS}  # fmt: skip
    return {"model": model, **own}


def example_menu() -> dmc.Menu:
    """The button with all of them."""
    return dmc.Menu(
        [
            dmc.MenuTarget(html.Button("Examples", className="quiet menu", type="button")),
            dmc.MenuDropdown([_item(index, each) for index, each in enumerate(EXAMPLES)]),
        ],
        width=480,
        position="bottom-end",
        shadow="md",
    )


def _item(index: int, example: CompareExample) -> dmc.MenuItem:
    second = example.second or example.link["b_prompt"]
    return dmc.MenuItem(
        html.Div(
            [
                html.Strong(example.title),
                html.Code(example.link["prompt"]),
                html.Code(second) if example.second is None else html.Span(second),
                html.Small(example.look_for),
            ],
            className="example",
        ),
        id={"type": Compare.EXAMPLE, "index": index},
    )


def look_for(request: CompareRequest) -> list[Component | str]:
    """What to look for, where the two sides are those of an example."""
    for example in EXAMPLES:
        known = CompareRequest.from_mapping(example_link(example, request.first.model))
        if _sides(known) == _sides(request):
            return [html.Strong(example.title), " ", example.look_for]
    return []


def _sides(request: CompareRequest) -> tuple[object, ...]:
    return tuple(
        (side.prompt, side.model, side.interventions) for side in (request.first, request.second)
    )
