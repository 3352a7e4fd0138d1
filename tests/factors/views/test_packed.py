"""Factors as the page's scripts get them: whole golden values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowviz.contexts.kinds import Role, Site, SiteKind
from flowviz.factors.kinds import Level
from flowviz.factors.request import FactorsRequest
from flowviz.views.factors.packed_list import list_packed
from flowviz.views.factors.packed_prompt import prompt_packed, split_packed
from flowviz.views.factors.packed_told import context_packed, told_packed
from tests.factors.views.made import attributed, context, listed, of_prompt, told

ASKED = FactorsRequest(prompt="The nurse saw", factor=5, sentence=3, position=14)


def test_a_row_of_the_list():
    packed = list_packed(listed(FactorsRequest()), 50)
    assert (packed["words"], packed["pages"], packed["nothing"]) == ("1–50 of 60", 2, "")
    assert packed["rows"][1] == {
        "factor": 1,
        "word": "saw",
        "share": "50%",
        "bar": 0.992,
        "importance": "4.960",
        "density": "0.20%",
        "level": "pattern",
        "look": "pattern",
        "promoted": ["␣saw", "↵", "␣sees"],
        "tip": [
            "Factor 1, strongest before block 1",
            "importance 4.960: the mean of its 50 strongest activations",
            "active at 0.20% of the tokens there",
            "saw in 50% of its strongest contexts",
            "pattern: it needs some words around",
            "raises ␣saw, ↵, ␣sees",
        ],
    }
    assert (packed["rows"][3]["level"], packed["rows"][3]["look"]) == ("", "none")


def test_an_empty_list_says_why():
    asked = FactorsRequest(text="nothing", level=Level.LONG)
    packed = list_packed(listed(asked), 50)
    assert packed["rows"] == []
    assert packed["words"] == "no factor"
    assert packed["nothing"].startswith("No factor has “nothing” among its words or tokens and is")
    beyond = list_packed(listed(FactorsRequest(page=7)), 50)
    assert beyond["nothing"] == "The list has no such page. Go back to the first."


def test_a_context_is_painted_by_shares_of_the_strongest():
    packed = context_packed(context(3, 2.0), 4.0)
    assert packed["tokens"] == [
        ["The", 0, 0.0, "0.000"],
        ["nurse", 1, 0.25, "1.000"],
        ["saw", 1, 0.5, "2.000"],
        ["the", 1, 0.125, "0.500"],
        ["<b>saw", 1, 0.0, "0.000"],
        ["↵", 1, -0.025, "−0.100"],
        [".", 0, 0.0, "0.000"],
    ]
    assert (packed["at"], packed["bar"], packed["strength"]) == (14, 0.5, "2.000")
    assert packed["tip"] == ["2.000, 50% of its strongest", "sentence 3, token 14"]


def test_one_factor():
    packed = told_packed(told(ASKED, 5))
    assert [point["y"] for point in packed["curve"]] == [0.0, 0.25, 1.0, 0.5, 0.125]
    assert [point["here"] for point in packed["curve"]].index(True) == 0
    bars = packed["histogram"]
    assert bars[0]["y"] == 1.0
    assert bars[6]["y"] == 0.0
    assert bars[7]["tip"] == ["3.500 to 4.000", "1 token"]
    assert [band["count"] for band in packed["bands"]] == ["12 tokens", "1 token"]
    assert packed["reach"]["points"][0]["tip"] == [
        "Only itself seen: 20% of the activation is left"
    ]
    assert packed["reach"]["points"][3]["label"] == "all"
    assert packed["reach"]["words"].endswith("80% is left with 2.5 tokens to see.")
    assert packed["near"][1] == {"factor": 7, "word": "–", "cosine": "0.210"}
    assert packed["suppressed"][0]["score"] == "−1.500"
    assert {bar["filter"] for bar in packed["charts"][0]["bars"]} == {""}


def test_a_factor_without_anything_known():
    bare = replace(
        told(ASKED, 7), importance=(0.0,) * 5, density=(0.0,) * 5, top=(), bands=(), summaries=(),
        edges=np.zeros(1, np.float32), counts=np.zeros(0, np.int64), promoted=(), suppressed=(),
        near=(), notes=(),
    )  # fmt: skip
    packed = told_packed(bare)
    assert packed["histogram"] == packed["top"] == packed["charts"] == []
    assert "too seldom" in packed["reach"]["words"]


def test_summaries_of_the_next_word_say_so():
    one = told(ASKED, 5)
    summaries = tuple(replace(each, role=Role.NEXT) for each in one.summaries)
    charts = told_packed(replace(one, summaries=summaries))["charts"]
    assert charts[0]["title"] == "Next word: part of speech"


def test_layers_stand_in_the_order_of_the_pass():
    prompt = of_prompt(ASKED)
    kinds = (SiteKind.RESID_MID, SiteKind.MLP_OUT, SiteKind.RESID_PRE, SiteKind.ATTN_OUT)
    sites = (Site(SiteKind.RESID_FINAL), *(Site(kind, 1) for kind in kinds))
    packed = prompt_packed(replace(prompt, sites=sites))
    assert [site["label"] for site in packed["sites"]] == ["1", "attn 1", "mid 1", "MLP 1", "end"]
    assert packed["cells"][-1][1] == [[0, 1.0, "4.000"]]  # what stood first before


def test_a_prompts_factors():
    packed = prompt_packed(of_prompt(ASKED), (), "topk")
    assert packed["rows"][2] == {"factor": 7, "word": ""}
    assert packed["tokens"] == [["The", 0], ["nurse", 1], ["saw", 1]]
    assert packed["cells"][0] == [
        [[0, 0.25, "1.000"], [1, 0.375, "1.500"], [2, 0.5, "2.000"]],
        [[0, 1.0, "4.000"]],
        [],
    ]
    first, last = packed["sites"][0], packed["sites"][-1]
    assert (first["explained"], first["loss"], last["loss"]) == ("90%", "+0.500", "−0.100")
    assert first["tip"][2] == "loss 2.000 becomes 2.500 nats with them alone"
    assert (first["opened"], first["node"]) == (["resid_pre:0@", "=topk"], "resid_pre:0:")
    assert (last["opened"], last["node"]) == (["resid_final@", "=topk"], None)


def test_a_model_without_a_loss_or_a_flow_has_none():
    packed = prompt_packed(replace(of_prompt(ASKED), loss=None, spliced=()))
    assert {site["loss"] for site in packed["sites"]} == {""}
    assert {site["opened"] for site in packed["sites"]} == {None}


def test_an_activation_is_split_twice():
    packed = split_packed(attributed(ASKED))
    masking, flow = packed["lines"]
    assert [round(token[2], 2) for token in masking["tokens"]] == [0, 0.17, 1, 0, 0, 0, 0]
    assert flow["tokens"][6] == [".", 0, -0.1, "−0.250"]
    assert "explains 95%" in masking["words"]
    assert flow["words"] == (
        "Exactly 3.500 of 4.000 comes from the tokens, 0.400 from biases, 0.100 from positions."
    )


def test_an_activation_without_an_exact_split_says_why():
    bare = replace(attributed(ASKED), flow=(), notes=("There is no flow here.",))
    packed = split_packed(bare)
    assert [line["name"] for line in packed["lines"]] == ["Masking"]
    assert packed["notes"] == ["There is no flow here."]
