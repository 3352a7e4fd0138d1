"""One head as it is sent to the browser: the whole of what is drawn, number by number."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest

from flowviz.attention.kinds import Part
from flowviz.attention.neuron_types import Decay
from flowviz.views.head.look import Dims, Look, Order, View
from flowviz.views.head.packed import Sources, decay_packed, neurons_packed, why_packed
from flowviz.views.tokens import visible
from tests.head_answers import decay, of_many, there, view


def numbers(text: str) -> list[float]:
    return np.frombuffer(b64decode(text), "<f4").tolist()


def test_the_neuron_view_whole() -> None:
    packed = neurons_packed(view(), Order.POSITION, None)
    assert numbers(packed.pop("q")) == [2, 1]
    assert numbers(packed.pop("k")) == [0, 1, 2, 1, 0, 1, -1, 1]
    assert numbers(packed.pop("deciding")) == pytest.approx([1.2, 0.0])
    assert numbers(packed.pop("score")) == [0.5, 2.5, 0.5, -0.5]
    assert numbers(packed.pop("pattern")) == pytest.approx([0.1, 0.75, 0.1, 0.05])
    assert packed.pop("largest") == pytest.approx({"q": 2, "k": 2, "product": 4, "deciding": 1.2})
    assert packed == {
        "view": "neurons",
        "name": "L1 H2",
        "layer": 1,
        "head": 2,
        "query": 3,
        "reads": "3 <b>",
        "scale": 0.5,
        "d_head": 2,
        "positions": [0, 1, 2, 3],
        "tokens": ["In", "␣France", "␣the", "<b>"],
        "most": 1,
        "start": 0,
        "count": 4,
        "strongest": [0, 1],
    }


def test_sources_by_attention_carry_their_own_keys() -> None:
    packed = neurons_packed(view(), Order.ATTENTION, None)
    assert packed["positions"] == [1, 0, 2, 3]
    assert numbers(packed["k"])[:2] == [2, 1]
    assert numbers(packed["pattern"])[0] == 0.75


def test_many_sources_are_seen_through_a_window() -> None:
    many = of_many(200)
    first = Sources.of(many, Order.POSITION, None)
    assert (first.start, first.places[0], first.places[-1]) == (68, 68, 131)
    assert 100 in first.places  # the most attended is in sight
    assert first.words(many, Order.POSITION) == (
        "Sources 69 to 132 of 200 in order; they have 65.8% of the attention."
    )
    assert Sources.of(many, Order.POSITION, 10**6).start == 136
    ranked = Sources.of(many, Order.ATTENTION, None)
    assert (ranked.start, ranked.places[0]) == (0, 100)
    assert "1 to 64 of 200 by attention" in ranked.words(many, Order.ATTENTION)
    assert Sources.of(view(), Order.POSITION, 3).words(view(), Order.POSITION) == ""


def test_what_is_outside_of_a_window_of_attention_travels() -> None:
    cut = replace(view(), score=np.array([-np.inf, 2.5, 0.5, -0.5], np.float32))
    assert numbers(neurons_packed(cut, Order.POSITION, None)["score"])[0] == -np.inf


def test_the_distance_view_whole() -> None:
    packed = decay_packed(decay())
    assert numbers(packed.pop("means")) == [4, 0, 2, 1, 0, 2]
    assert packed == {
        "view": "distance",
        "name": "L1 H2",
        "layer": 1,
        "head": 2,
        "counts": [3, 2, 1],
        "d_head": 2,
        "slopes": pytest.approx([-2, 1]),
        "correlations": pytest.approx([-1, 1]),
        "slope": pytest.approx(-1),
        "lines": [0, 1],
    }
    gap = Decay(1, 2, np.array([1, 0, 1]), np.array([[1.0], [0.0], [3.0]]), rotary=False)
    means = numbers(decay_packed(gap)["means"])
    assert (means[0], np.isnan(means[1]), means[2]) == (1, True, 3)


def test_the_heat_map_whole() -> None:
    packed = why_packed(there())
    assert numbers(packed.pop("pairs")) == [2, 0.5, 1, -0.5]
    assert packed == {
        "view": "why",
        "name": "L1 H2",
        "layer": 1,
        "head": 2,
        "query": 3,
        "key": 1,
        "reads": "3 <b>",
        "read": "1 ␣France",
        "count": 4,
        "product": 3.0,
        "rows": [
            {"name": "L0 H1", "tip": "L0 H1 at 3 <b>", "share": "+2.5", "beyond": "+1.5",
             "node": "head:0:3:1"},
            {"name": "all others", "tip": "all other components", "share": "+0.5",
             "beyond": "+0.5", "node": None},
        ],
        "columns": [
            {"name": "L0 N5", "tip": "L0 N5 at 1 ␣France", "share": "+3", "beyond": "+2",
             "node": "neuron:0:1:5"},
            {"name": "bias b_K", "tip": "the bias of the projection (b_Q or b_K)", "share": "0",
             "beyond": "0", "node": None},
        ],
        "largest": 2.0,
    }  # fmt: skip


def test_components_of_an_encoder_lead_nowhere() -> None:
    packed = why_packed(there(), linked=False)
    assert [part["node"] for part in (*packed["rows"], *packed["columns"])] == [None] * 4


def test_across_two_texts_the_key_is_a_token_of_the_other() -> None:
    keys = tuple(replace(token, text=f"<{token.text}>") for token in there().tokens)
    packed = why_packed(replace(there(), part=Part.CROSS, keys=keys))
    assert packed["read"] == f"{there().key} {visible(keys[there().key].text)}"
    assert packed["reads"] == why_packed(there())["reads"]


def test_a_look_is_read_from_a_link() -> None:
    flat = {"view": "why", "dims": "deciding", "order": "attention", "start": "3", "dim": "7"}
    assert Look.from_mapping(flat) == Look(View.WHY, Dims.DECIDING, Order.ATTENTION, 3, 7)
    assert Look.from_mapping({}) == Look()
