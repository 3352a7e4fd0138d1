"""How a link says attention is looked at."""

from __future__ import annotations

import pytest

from flowviz.errors import RequestError
from flowviz.views.attention.look import Look, Merge, Pairs, Pin, Side, View, read_heads


def test_a_link_says_everything():
    flat = {"view": "model", "layer": "3", "heads": "2,0,2", "mass": "0.5", "hide": "1",
            "textonly": "1", "pairs": "ab", "merge": "mean", "at": "source:7", "start": "40",
            "kind": "offset:4", "over": "phenomena/induction"}  # fmt: skip
    expected = Look(View.MODEL, 3, (0, 2), 0.5, True, True, Pairs.AB, Merge.MEAN,
                    Pin(Side.SOURCE, 7), 40, "offset:4", "phenomena/induction")  # fmt: skip
    assert Look.from_mapping(flat) == expected
    assert Look.from_mapping({}) == Look()


def test_heads_are_all_none_or_some():
    assert read_heads(None) is read_heads("all") is None
    assert read_heads("none") == read_heads([]) == ()
    assert read_heads([1, 0]) == (0, 1)


def test_a_pin_is_read_from_links_and_stores():
    pin = Pin(Side.QUERY, 3)
    assert Pin.read(str(pin)) == Pin.read(pin.to_plain()) == pin
    assert Pin.read(None) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("view", "neurons"), ("layer", "x"), ("layer", "-1"), ("heads", "1,x"), ("heads", "1," * 300),
     ("mass", "0"), ("mass", "nan"), ("hide", "2"), ("at", "query"), ("at", "head:3"),
     ("at", "query:x"), ("start", "1.5"), ("pairs", "ac"), ("merge", "all"), ("textonly", "x"),
     ("kind", "offset:99"), ("kind", "<b>")],
)  # fmt: skip
def test_anything_else_is_refused_with_the_value_and_the_way_out(name, value):
    with pytest.raises(RequestError, match="takes"):
        Look.from_mapping({name: value})


@pytest.mark.parametrize("over", ["nowhere", "phenomena/nothing", "../x", "\0"])
def test_a_set_that_is_not_there_is_refused(over):
    with pytest.raises(RequestError, match=r"There (is|are no)"):
        Look.from_mapping({"over": over})
