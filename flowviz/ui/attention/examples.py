"""The page's examples: the server's prompts, and pairs and masks for models that read both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from flowviz.attention.request import AttentionRequest
from flowviz.ui.examples import DEMO
from flowviz.ui.server import Example


@dataclass(frozen=True)
class TwoTexts:
    """A text or a pair for one model, with tokens to hide, and a sentence on what to look for.

    Args:
        layer, heads: what is looked at first.
    """

    model: str
    title: str
    prompt: str
    look_for: str
    second: str = ""
    mask: tuple[int, ...] = ()
    layer: int = 0
    heads: tuple[int, ...] | None = None
    phenomenon: str = "both ways"
    target: str | None = None
    contrast: str | None = None


OWN = (
    TwoTexts(
        "demo-bert",
        "What a GPT cannot see",
        "Tokyo is the capital of Japan.",
        "The first word is masked, and what follows tells it: heads 3.2 to 3.5 look ahead at "
        "Japan. Double-click Japan to mask it as well, and see what is left of the prediction.",
        mask=(1,),
        layer=3,
        heads=(2, 3, 4, 5),
    ),
    TwoTexts(
        "demo-bert",
        "Across two sentences",
        "Tokyo is the capital of Japan.",
        "The second sentence does not name the country: heads 3.2 to 3.5 look from the masked "
        "word back at Japan. Double-click Japan: they look at Tokyo in its place.",
        second="People there speak Japanese.",
        mask=(12,),
        layer=3,
        heads=(2, 3, 4, 5),
    ),
    TwoTexts(
        "demo-bert",
        "A pronoun and an occupation",
        "We met the nurse at the market.",
        "Who was happy? Head 3.3 looks from the masked word back at nurse, and the model expects "
        "She. Put plumber in her place, and it expects He: the texts that it learned from are "
        "as biased.",
        second="She was very happy.",
        mask=(10,),
        layer=3,
        heads=(3,),
    ),
)


def offered(examples: Sequence[Example], models: Sequence[str]) -> tuple[Example, ...]:
    """The server's examples, and those of this page whose model is offered."""
    return (*examples, *(each for each in OWN if each.model in models))


def asked_by(examples: Sequence[Example], models: Sequence[str]) -> list[dict[str, Any]]:
    """What each example runs. Targets were chosen for the demo model; another says what it says."""
    usual = DEMO if DEMO in models else models[0]
    return [_asked(each, getattr(each, "model", usual)) for each in examples]


def _asked(example: Example, model: str) -> dict[str, Any]:
    demo, look = model == DEMO, {}
    if isinstance(example, TwoTexts):
        look = {"layer": example.layer, "heads": example.heads}
    return look | {
        "prompt": example.prompt,
        "second": getattr(example, "second", ""),
        "mask": list(getattr(example, "mask", ())),
        "model": model,
        "target": example.target if demo else None,
        "contrast": example.contrast if demo else None,
    }


def first_of(examples: Sequence[Example], models: Sequence[str], model: object) -> dict[str, Any]:
    """The query of the first example of a model, one made for it before others; else empty."""
    own_first = sorted(examples, key=lambda each: not hasattr(each, "model"))
    for asked in asked_by(own_first, models):
        if asked["model"] == model:
            return {**asked, "token": asked.pop("target")}
    return {}


def look_for(
    request: AttentionRequest, examples: Sequence[Example], models: Sequence[str]
) -> list[Component | str]:
    """What to look for, where this is an example; of a mean over a set nothing is told."""
    if request.average:
        return []
    for example, asked in zip(examples, asked_by(examples, models), strict=True):
        same = (asked["prompt"], asked["second"]) == (request.prompt, request.second)
        if same and (asked["model"] == request.model or not hasattr(example, "model")):
            return [html.Strong(example.title), " ", example.look_for]
    return []
