"""One head as files to download."""

from __future__ import annotations

from typing import Any

from dash import dcc

from flowviz.attention.neuron_types import NeuronView
from flowviz.ui.head.answers import Answer
from flowviz.ui.head.ids import Head
from flowviz.ui.head.question import Question
from flowviz.views.alone.head import head_page
from flowviz.views.head.look import View
from flowviz.views.head.tables import tables

TITLES = {
    "dimensions": "Dimensions",
    "sources": "Sources",
    "slopes": "Slopes",
    "distances": "Means by distance",
    "parts": "Components",
    "pairs": "Pairs",
}


def download(question: Question, answer: Answer, button: object) -> dict[str, Any]:
    """What the browser saves: all of it, or one of its tables."""
    drawn = _drawn(question, answer)
    if button == Head.SAVE_JSON:
        return dcc.send_string(drawn.to_json(), "head.json")
    if button == Head.SAVE_HTML:
        return dcc.send_string(head_page(drawn), "head.html")
    table = tables(drawn)[button == Head.SAVE_SECOND]
    return dcc.send_string(table.csv(), f"head-{table.name}.csv")


def titles(question: Question, answer: Answer) -> tuple[str, str]:
    """What the two tables are called in the menu."""
    first, second = tables(_drawn(question, answer))
    return TITLES[first.name], TITLES[second.name]


def _drawn(question: Question, answer: Answer) -> Answer:
    """The part of the answer that the view draws."""
    if question.view is View.DISTANCE and isinstance(answer, NeuronView):
        return answer.decay or answer
    return answer
