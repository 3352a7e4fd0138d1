"""One head as one HTML file: its dimensions, their shares by distance, or why it looks there."""

from __future__ import annotations

from typing import Any

from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import WhyThere
from flowviz.views.alone.whole import Parts, whole_page
from flowviz.views.head.look import Order
from flowviz.views.head.packed import MOST_SOURCES, decay_packed, neurons_packed, why_packed
from flowviz.views.head.tables import Table, tables
from flowviz.views.head.words import READING, status_words

Answer = WhyThere | NeuronView | Decay
STEP = 48  # sources from one window to the next: they overlap
PARTS = Parts(
    name="head",
    look="one-head head-page",
    styles=("10-theme.css", "80-attention.css", "85-head.css"),
    scripts=("tooltip.js", "head-data.js", "head-neurons.js", "head-distance.js", "head-why.js"),
)


def head_page(answer: Answer, title: str = "") -> str:
    """What was found of one head, as the text of an HTML file.

    Args:
        title: what the page is called; its prompt's tokens where it is empty.

    Raises:
        RequestError: the file would take more than 64 MB.
    """
    windows = _windows(answer)
    view = windows[0]["view"]
    data = {"view": view, "windows": windows, "table": _table(tables(answer)[0])}
    text = title or _text(answer)
    return whole_page(PARTS, text, status_words(answer), data, reading=READING[view])


def _windows(answer: Answer) -> list[dict[str, Any]]:
    if isinstance(answer, WhyThere):
        return [why_packed(answer, linked=False)]
    if isinstance(answer, Decay):
        return [decay_packed(answer)]
    last = max(0, len(answer.k) - MOST_SOURCES)
    starts = (*range(0, last, STEP), last)
    return [neurons_packed(answer, Order.POSITION, start) for start in starts]


def _table(table: Table) -> dict[str, Any]:
    shown = [name for name in table.columns if name != "component"]  # its name says as much
    return {"columns": shown, "rows": [[row[name] for name in shown] for row in table.rows]}


def _text(answer: Answer) -> str:
    if isinstance(answer, Decay):
        return f"L{answer.layer} H{answer.head} by distance"
    return "".join(token.text for token in answer.tokens).strip()
