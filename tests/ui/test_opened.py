"""Opening nodes: from a press of a button to the request, the list, the inspector, the link."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowviz.errors import RequestError
from flowviz.factors.use.places import MOST, parse_opened, write_opened
from flowviz.graph.types import FlowGraph, NodeKey, NodeKind, OpenedPlace
from flowviz.interventions.types import parse_interventions
from flowviz.request import ExplainRequest
from flowviz.ui.flow.opening import open_page
from flowviz.ui.interventions.bar import change_bar
from flowviz.ui.interventions.inspector import change_section
from flowviz.ui.interventions.made import Made
from flowviz.ui.opened.bar import opened_bar
from flowviz.ui.opened.inspector import open_section
from flowviz.ui.opened.made import OpenedMade, carried, edited
from tests.fakes import FakeSession
from tests.graphs import grid
from tests.ui.conftest import EXAMPLES
from tests.ui.test_ask import FORM, job
from tests.ui.test_picture import inspect, text

K = NodeKind
HERE = {"prompt": "The cat sat", "model": "demo"}
STATE = NodeKey(K.RESID_MID, 1, 2)
FACTOR = NodeKey(K.FACTOR, 1, 2, 12, part_of=K.RESID_MID)
REQUEST = ExplainRequest("The cat sat")


def made(opened: str = "") -> OpenedMade:
    return OpenedMade(parse_opened(opened), **HERE)


def graph(spliced: float | None = 2.5) -> FlowGraph:
    place = OpenedPlace(STATE, "mine", 0.83, 7, 2.0 if spliced else None, spliced)
    whole = grid(3, 4, 1, 1)
    state = replace(whole.nodes[0], key=STATE)
    others = [node for node in whole.nodes if node.key != STATE]
    return replace(whole, nodes=(*others, state), opened=(place,))


def plain(component: object) -> str:
    return json.dumps(component.to_plotly_json(), default=lambda part: part.to_plotly_json())


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("", {"do": "open", "node": "resid_mid:1@2"}, "resid_mid:1@2"),
        ("", {"do": "open", "node": "resid_mid:1@2", "dictionary": "mine"}, "resid_mid:1@2=mine"),
        ("resid_mid:1@2", {"do": "open", "node": "resid_mid:1@2", "dictionary": "mine"},
         "resid_mid:1@2=mine"),
        ("resid_mid:1@2=mine;mlp_out:0@1", {"do": "close", "node": "resid_mid:1@2"}, "mlp_out:0@1"),
        ("resid_mid:1@2;mlp_out:0@1", {"do": "clear"}, ""),
    ],
)  # fmt: skip
def test_what_a_press_makes_of_what_is_open(before, edit, after):
    assert write_opened(edited(made(before), edit).opened) == after


@pytest.mark.parametrize("edit", [{"do": "open", "node": "head:1@2"}, {"do": "open"},
                                  {"do": "open", "node": "resid_mid:1@2", "dictionary": "a/b"},
                                  {"do": "burn", "node": "resid_mid:1@2"}])  # fmt: skip
def test_what_cannot_be_opened_is_refused(edit):
    with pytest.raises(RequestError):
        edited(made(), edit)


def test_no_more_than_a_few_nodes_are_open():
    full = ";".join(f"resid_mid:{layer}@1" for layer in range(MOST))
    with pytest.raises(RequestError, match=f"at most {MOST}"):
        edited(made(full), {"do": "open", "node": "resid_mid:9@1"})


def test_another_prompt_of_as_many_tokens_keeps_what_is_open():
    opened = made("resid_mid:1@2")
    counts = {"The cat sat": 3, "The dog ran": 3, "The": 1}

    def count(_model: str, prompt: str) -> int | None:
        return counts.get(prompt)

    assert carried(opened, "The dog ran", "demo", count).opened == opened.opened
    assert carried(opened, "The", "demo", count).opened == ()
    assert carried(opened, "The dog ran", "gpt2", count).opened == ()
    assert carried(opened, "who knows", "demo", count).opened == ()


def test_what_is_open_reaches_the_request_and_the_link(client, session):
    stored = made("resid_mid:1@2=mine").stored()
    done = job(client.call("flow-job.data", FORM | {"open-made.data": stored}, "open-made.data"))
    assert done["request"]["opened"] == "resid_mid:1@2=mine"
    assert ExplainRequest.from_mapping(done["request"]) == session.submitted[-1]
    page = open_page(done["request"], EXAMPLES, ["demo"])
    assert page.opened.opened == session.submitted[-1].opened


def test_a_link_that_opens_no_node_is_told():
    page = open_page({"prompt": "a", "opened": "head:1@2"}, EXAMPLES, ["demo"])
    assert page.fault is not None
    assert "head:1" in str(page.fault)


@pytest.mark.parametrize("key", ["resid_mid:1:5", "head:1:5:1", "neuron:1:5:7"])
def test_a_node_with_a_dictionary_offers_to_open(client, key):
    assert "into factors" in text(inspect(client, key))


@pytest.mark.parametrize("key", ["resid_pre:1:5", "embed:0:2", "target:4:5"])
def test_others_do_not(client, key):
    assert "into factors" not in text(inspect(client, key))


def test_an_opened_node_says_what_its_factors_hold_and_cost():
    section = plain(open_section(STATE, REQUEST, graph(), FakeSession().dictionaries("demo")))
    assert "7 factors, 83% explained, by the dictionary mine" in section
    assert "2.00 nats a token, and 2.50 (+0.5)" in section
    assert '"data-close": "resid_mid:1@2"' in section
    alone = plain(open_section(STATE, REQUEST, graph(None), ()))
    assert "nats" not in alone


def test_a_factor_leads_to_all_that_is_known_of_it(client):
    section = plain(open_section(FACTOR, REQUEST, graph(), ()))
    assert "dictionary=mine" in section
    assert "factor=12" in section


def test_a_factor_is_changed_by_its_own_dictionary():
    section = plain(change_section(FACTOR, graph()))
    assert "factor:resid_mid:1:2:12~mine" in section
    assert "factor:resid_mid:1:*:12~mine" in section
    assert "From another prompt" in section
    assert change_section(NodeKey(K.OFFSET, 1, 2, part_of=K.RESID_MID), graph()) is None


def test_a_factor_s_activation_is_set_in_a_box_that_shows_what_it_is():
    whole = graph()
    node = replace(whole.nodes[0], key=FACTOR, activation=3.25)
    section = plain(change_section(FACTOR, replace(whole, nodes=(*whole.nodes, node))))
    assert '"data-clamp"' in section
    assert '"value": "3.25"' in section
    text = "factor:resid_mid:1:2:12~mine=clamp:-4.5"
    bar = " ".join(map(plain, change_bar(Made(parse_interventions(text)), None, None, None)))
    assert json.dumps("set to −4.5") in bar
    assert '"value": "-4.5"' in bar
    error = replace(FACTOR, kind=K.ERROR, index=0)
    assert "data-clamp" not in plain(change_section(error, graph()))


def test_the_list_names_what_is_open_and_closes_it():
    bar = " ".join(map(plain, opened_bar(made("resid_mid:1@2=mine"), graph())))
    assert "7 factors, 83% explained" in bar
    assert '"data-close": "resid_mid:1@2"' in bar
    assert opened_bar(made(), graph()) == []
    assert "resid_mid:9@2" in plain(opened_bar(made("resid_mid:9@2"), graph())[1])
