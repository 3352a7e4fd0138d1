"""One head as one HTML file: what the page draws, its table, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from flowviz import distance_decay, neuron_view, why
from flowviz.attention.neuron_types import Decay, NeuronView
from flowviz.attention.why_types import WhyThere
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.views.alone.head import head_page
from flowviz.views.head.look import Order
from flowviz.views.head.packed import decay_packed, neurons_packed, why_packed

JAPAN = "The capital of Japan is the city of"
LONG = "The king of Spain and the queen of France met. " * 12


@cache
def model() -> LoadedModel:
    return load_model("demo")


def view(prompt: str = JAPAN) -> NeuronView:
    return neuron_view(prompt, 3, 3, model())


def found() -> WhyThere:
    return why(JAPAN, 3, 3, model(), n=5)


def decay() -> Decay:
    return distance_decay(2, 7, model(), prompts=[JAPAN, LONG])


def data_of(page: str) -> dict:
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert text
    return json.loads(text.group(1))


def test_what_is_drawn_is_what_the_page_draws() -> None:
    assert data_of(head_page(view()))["windows"] == [neurons_packed(view(), Order.POSITION, 0)]
    spread = decay()
    assert data_of(head_page(spread))["windows"] == [json.loads(json.dumps(decay_packed(spread)))]


def test_windows_hold_every_source_of_a_long_prompt() -> None:
    windows = data_of(head_page(view(LONG)))["windows"]
    shown = {place for window in windows for place in window["positions"]}
    assert shown == set(range(len(view(LONG).k)))


def test_a_split_leads_nowhere_without_a_server() -> None:
    split = found()
    (drawn,) = data_of(head_page(split))["windows"]
    assert drawn["pairs"] == why_packed(split)["pairs"]
    assert {part["node"] for side in ("rows", "columns") for part in drawn[side]} == {None}
    assert "Click a" not in head_page(split).split("<script")[0]


def test_the_table_has_the_parts_and_their_shares() -> None:
    split = found()
    table = data_of(head_page(split))["table"]
    assert table["columns"] == ["end", "name", "share", "beyond"]
    shares = [row[2] for row in table["rows"] if row[0] == "query"]
    assert shares == pytest.approx([part.share for part in split.query_parts])


@pytest.mark.parametrize("made", [view, found, decay])
def test_nothing_is_fetched_and_what_comes_from_outside_stands_as_text(made) -> None:
    page = head_page(made(), "</script><img src=x>")
    assert re.findall(r"<(?:link|iframe|object|embed|base|img)\b", page) == []
    assert re.findall(r"@import|url\(", page) == []
    assert set(re.findall(r"https?://[^\"'\s]+", page)) == {"http://www.w3.org/2000/svg"}  # a name
    assert page.count("</script>") == 2
