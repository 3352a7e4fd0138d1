"""A comparison as Cytoscape elements: three nodes written out, words of both sides, nothing."""

from __future__ import annotations

import json
from dataclasses import replace

from flowviz.views.compare.elements import compared_elements
from flowviz.views.elements import elements
from tests.comparisons import NURSE, PLUMBER, nothing, of_prompts, three_changes, unlawful

HEADINGS = {"heading:0": "The", "heading:1": "␣nurse | ␣plumber", "heading:2": "␣said"}
EMBED = {
    "id": "embed:0:1",
    "label": "␣nurse\n␣plumber",
    "sub": "embedding",
    "text": "␣nurse\n␣plumber",
    "kind": "embed",
    "sign": "pos",
    "size": 0.5,
    "tip": "The embedding of the prompts' tokens at position 1 (␣nurse | ␣plumber).\n"
    "first +1.5, second +3.5: change +2\n100% of the whole change\n"
    "first promotes ␣nurse  ␣Rome\nsecond promotes ␣France  ␣Gaul",
}
HEAD = {
    "id": "head:1:2:3",
    "label": "␣Paris",
    "sub": "L1 H3",
    "text": "␣Paris\nL1 H3",
    "kind": "head",
    "sign": "pos",
    "size": 1.0,
    "tip": "Head 3 of layer 1, writing at position 2 (␣said).\n"
    "first −0.5, second +1.5: change +2\n100% of the whole change\n"
    "first promotes ␣nurse  ␣Rome\nsecond promotes ␣Paris  ␣Rome",
}
TARGET = {
    "id": "target:2:2",
    "label": "␣she\n␣he",
    "sub": "target",
    "text": "␣she\n␣he",
    "kind": "target",
    "sign": "pos",
    "size": 1.0,
    "tip": "What is explained: ␣she | ␣he.\n"
    "first +3, second +5: change +2\n100% of the whole change",
}
EDGES = {
    "embed:0:1>head:1:2:3": (
        "pos",
        "embedding of ␣nurse | ␣plumber → L1 H3 at ␣said\nfirst +1, second +3: change +2\nread\n"
        "attention: first 75%, second 75%",
    ),
    "head:1:2:3>target:2:2": (
        "neg",
        "L1 H3 at ␣said → ␣she | ␣he\nfirst +1.5, second −0.5: change −2\nwrite",
    ),
}


def data(found) -> dict[str, dict[str, object]]:
    return {element["data"]["id"]: element["data"] for element in compared_elements(found)}


def test_three_nodes_as_they_are_drawn():
    drawn = data(three_changes())
    assert {at: drawn[at]["label"] for at in HEADINGS} == HEADINGS
    assert drawn["heading:1"]["tip"] == "position 1 (␣nurse | ␣plumber)"
    assert [drawn[each["id"]] for each in (EMBED, HEAD, TARGET)] == [EMBED, HEAD, TARGET]
    assert {at: (drawn[at]["sign"], drawn[at]["tip"]) for at in EDGES} == EDGES
    assert len(drawn) == len(HEADINGS) + 3 + len(EDGES) + 3  # and three bands


def test_places_sizes_and_widths_are_those_of_the_flow_graph():
    for wiring in ("stream", "circuit"):
        found = of_prompts(NURSE, PLUMBER, wiring)
        told, plain = compared_elements(found), elements(found.graph)
        assert json.loads(json.dumps(told)) == told
        spoken = ("label", "text", "tip")
        for one, other in zip(told, plain, strict=True):
            assert {**one, "data": None} == {**other, "data": None}
            assert {k: v for k, v in one["data"].items() if k not in spoken} == {
                k: v for k, v in other["data"].items() if k not in spoken
            }


def test_every_tip_says_both_sides_or_that_it_is_not_drawn():
    found = of_prompts(NURSE, PLUMBER)
    for element in compared_elements(found):
        tip = str(element["data"].get("tip", ""))
        if element["classes"].startswith(("node", "read", "write", "residual")):
            assert "change" in tip, element["data"]["id"]
        assert "flow " not in tip


def test_where_nothing_differs_nothing_is_drawn():
    assert compared_elements(nothing(three_changes())) == []


def test_where_a_law_failed_no_line_is_drawn_and_no_number_told():
    drawn = data(unlawful(three_changes()))
    assert not any(">" in name for name in drawn)
    assert drawn["head:1:2:3"]["sign"] == "unsigned"
    assert str(drawn["head:1:2:3"]["tip"]).endswith("no flow: a law failed on this run")


def test_rest_is_left_out_where_it_is_not_wanted():
    found = of_prompts(NURSE, PLUMBER)
    drawn = [e["data"]["id"] for e in compared_elements(found, show_rest=False)]
    assert drawn
    assert not any(name.startswith("rest:") for name in drawn)


def test_a_token_that_only_one_prompt_has_has_a_dash():
    found = three_changes()
    alone = replace(found.columns[1], second=None, second_text=None)
    drawn = data(replace(found, columns=(found.columns[0], alone, found.columns[2])))
    assert drawn["embed:0:1"]["text"] == "␣nurse\n–"
    assert drawn["heading:1"]["label"] == "␣nurse | –"
