"""The answer that is on the page, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.kinds import Part
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.request import MOST_PLACE
from flowviz.attention.why_types import WhyThere
from flowviz.checked import choice, whole
from flowviz.ui.head import detail
from flowviz.ui.head.asking import is_gpt
from flowviz.ui.head.question import Question
from flowviz.ui.server import current_session
from flowviz.views.head.look import Order, View
from flowviz.views.head.packed import Sources, decay_packed, neurons_packed, why_packed
from flowviz.views.tokens import visible

Answer = WhyThere | NeuronView | Decay
TOKEN_TIP = "Click to see what the head looks at from here; with Shift, why it looks here"


def shown_answer(shown: object) -> tuple[Question, Answer]:
    """What is drawn, and its answer; nothing happens where nothing is drawn."""
    if not isinstance(shown, Mapping) or not shown:
        raise PreventUpdate
    question = Question.read(shown)
    return question, question.answer(current_session())


def packed(shown: object, order: object, start: object) -> tuple[Any, str]:
    """What the browser draws, and which sources of many these are."""
    question, answer = shown_answer(shown)
    if isinstance(answer, WhyThere):
        linked = is_gpt(current_session(), question.flat["model"])
        return why_packed(answer, linked), ""
    if isinstance(answer, Decay):
        return decay_packed(answer), ""
    if question.view is View.DISTANCE:
        return decay_packed(answer.decay) if answer.decay else None, ""
    how = choice("order", order, Order) or Order.POSITION
    begin = whole("start", start, 0, MOST_PLACE)
    return neurons_packed(answer, how, begin), Sources.of(answer, how, begin).words(answer, how)


def figures(shown: object, key: object) -> list[Component]:
    """The panel on the right."""
    question, answer = shown_answer(shown)
    request = question.request
    if question.view is View.DISTANCE and not isinstance(answer, WhyThere):
        place = answer.layer, answer.head
        if isinstance(answer, Decay):
            return detail.of_decay(answer, *place)
        return detail.of_decay(answer.decay, *place, across=answer.part is Part.CROSS)
    assert not isinstance(request, DecayRequest)
    linked = is_gpt(current_session(), request.model)
    if isinstance(answer, WhyThere):
        return detail.of_why(answer, request, linked)
    assert isinstance(answer, NeuronView)
    return detail.of_neurons(answer, request, whole("key", key, 0, MOST_PLACE), linked)


def strip(answer: Answer) -> dict[str, Any] | None:
    """What a script makes the prompt's chips of; None where the answer is of no one prompt."""
    if isinstance(answer, Decay):
        return None
    return {
        "tokens": [visible(token.text) for token in answer.tokens],
        "ids": [token.id for token in answer.tokens],
        "target": answer.query,
        "explained": answer.query,
        "drawn": [answer.key] if isinstance(answer, WhyThere) and answer.keys is None else [],
        "span": None,
        "tip": TOKEN_TIP,
    }


def sizes(answer: Answer) -> dict[str, int] | None:
    """How many layers and heads there are to choose from."""
    if answer.model is None:
        return None
    return {"layers": answer.model.layers, "heads": answer.model.heads}
