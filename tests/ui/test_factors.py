"""The page of factors, its callbacks called as the browser calls them."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import quote_plus, urlsplit

import pytest

from flowviz.app import create_app
from flowviz.contexts.kinds import Site
from flowviz.factors.request import FactorsRequest
from flowviz.factors.use.places import write_opened
from flowviz.interventions.types import write_interventions
from flowviz.request import ExplainRequest
from flowviz.ui.factors.examples import EXAMPLES as OWN_EXAMPLES
from flowviz.ui.factors.examples import look_for
from flowviz.ui.factors.opening import open_page
from flowviz.views.factors.look import Look, Tab
from tests.factors.views.made import ABOUT, FactorSession
from tests.fakes import make_tokens
from tests.ui.client import Client
from tests.ui.conftest import EXAMPLES
from tests.ui.test_page import HOSTILE

FULL = {
    "model": "demo", "prompt": "The <b> nurse saw Mary", "dictionary": "topk", "corpus": "own",
    "site": "resid_pre:2", "order": "density", "text": "saw", "level": "pattern", "page": "1",
    "factor": "5", "sentence": "3", "position": "14",
}  # fmt: skip
BOTH = ["demo", "gpt2"]


@pytest.fixture
def session() -> FactorSession:
    return FactorSession()


@pytest.fixture
def client(session: FactorSession) -> Client:
    return Client(create_app(session, examples=EXAMPLES))


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_the_default_dictionary_opens(client):
    opening = open_page({}, BOTH, ["demo"])
    assert (opening.request, opening.look, opening.run) == (FactorsRequest(), Look(), True)
    assert opening.asked == {"flat": {"model": "demo"}}
    assert "python -m flowviz factors train" in client.page(path="/factors")


def test_a_link_opens_what_it_says():
    opening = open_page({**FULL, "contexts": "bands", "layer": "resid_final"}, BOTH, ["own"])
    assert opening.request == FactorsRequest.from_mapping(FULL)
    assert opening.look == Look(Tab.BANDS, Site.parse("resid_final"))
    assert opening.asked == {"flat": FULL}


def test_the_token_of_another_page_is_no_context():
    opening = open_page({"prompt": "a b", "position": "1", "token": " x"}, BOTH, ["demo"])
    assert opening.request == FactorsRequest(prompt="a b")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"site": "tail"}, "site is 'tail'"),
        ({"factor": "-1"}, "factor is '-1'"),
        ({"order": "size"}, "it takes one of importance, density, level, number"),
        ({"level": "high"}, "it takes one of word, pattern, long"),
        ({"contexts": "all"}, "it takes one of top, bands"),
        ({"layer": "x"}, "site is 'x'"),
        ({"corpus": "nothing"}, "No corpus 'nothing' is offered here"),
        ({"model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
    ],
)
def test_a_broken_link_keeps_the_prompt_and_says_why(query, said):
    opening = open_page({"prompt": "a b", **query}, BOTH, ["demo"])
    assert (opening.request.prompt, opening.run) == ("a b", False)
    assert opening.asked["idle"] is True
    assert opening.fault is not None
    assert said in opening.fault["text"]


@pytest.mark.parametrize("name", [*FULL, "contexts", "layer", "__class__"])
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        assert "factors-prompt" in client.page({name: quote_plus(value)}, "/factors")


# ---- from the form to a job -------------------------------------------------------------------


def asked(client, flat, more=None, last=None):
    values = {"shell-visitor.data": "a visitor", "factors-job.data": last}
    values["factors-asked.data"] = {"flat": flat, **(more or {})}
    return client.call("factors-job.data", values, "factors-asked.data")


def test_the_form_is_asked_as_it_is(client, session):
    assert asked(client, FULL)["factors-job.data"]["request"] == FULL
    assert session.submitted == [FactorsRequest.from_mapping(FULL)]


def test_nothing_is_asked_twice_but_by_run(client, session):
    flat = {"model": "demo"}
    job = asked(client, flat)["factors-job.data"]
    assert asked(client, {**flat, "order": "importance"}, last=job).status == 204
    assert asked(client, flat, {"again": 7}, job).status == 200
    assert asked(client, flat, {"idle": True}).status == 204
    assert len(session.submitted) == 2


@pytest.mark.parametrize("form", [None, [], "x", {"flat": None}, {"flat": "x"}, {"flat": []}])
def test_a_form_that_is_none_is_left_aside(client, form):
    values = {"shell-visitor.data": "a visitor", "factors-asked.data": form}
    assert client.call("factors-job.data", values, "factors-asked.data").status == 204


def test_what_cannot_be_asked_reads_as_a_failed_job(client):
    for flat, said in (
        ({"model": "demo", "factor": "120"}, "The dictionary has 120 factors"),
        ({"model": "demo", "level": "high"}, "level is 'high'"),
        ({"model": "demo", "prompt": "x" * 20_001}, "at most 20,000"),
    ):
        job = asked(client, flat)["factors-job.data"]
        assert job["state"] == "failed"
        assert said in job["error"]


# ---- what is shown ----------------------------------------------------------------------------


def shown(client, output, flat):
    return client.call(output, {"factors-shown.data": flat}, "factors-shown.data")


def test_all_parts_are_sent(client):
    answer = shown(client, "factors-listed.data", FULL | {"page": "", "text": ""})
    assert answer["factors-listed.data"]["words"] == "1–15 of 15"
    assert answer["factors-told.data"]["factor"] == 5
    assert [row["factor"] for row in answer["factors-of-prompt.data"]["rows"]] == [3, 8, 7]
    assert [line["name"] for line in answer["factors-split.data"]["lines"]] == ["Masking", "Flow"]
    bare = shown(client, "factors-listed.data", {"model": "demo"})
    assert bare["factors-told.data"]["factor"] == 0
    assert bare["factors-of-prompt.data"] is None
    assert bare["factors-split.data"] is None


def test_a_factor_is_switched_on_in_the_flow_of_the_prompt(client):
    """At the last token, as strong as it ever is in the corpus; the state there is opened."""
    told = shown(client, "factors-listed.data", FULL)["factors-told.data"]
    request = ExplainRequest.from_query(urlsplit(told["on"]).query)
    assert (request.prompt, request.model) == (FULL["prompt"], "demo")
    last = len(make_tokens(FULL["prompt"])) - 1
    assert write_interventions(request.interventions) == f"factor:resid_pre:2:{last}:5~topk=clamp:4"
    assert write_opened(request.opened) == f"resid_pre:2@{last}=topk"
    for other in ({"model": "demo"}, FULL | {"site": "resid_final"}):
        assert "on" not in shown(client, "factors-listed.data", other)["factors-told.data"]


def test_a_model_without_a_dictionary_shows_how_to_get_one(client):
    answer = shown(client, "factors-listed.data", {"model": "gpt2"})
    assert answer["factors-listed.data"] is None
    assert answer["factors-told.data"] is None
    fitted = shown(client, "factors-fitted.data", {"model": "gpt2"})
    assert fitted["factors-dictionary.data"] == [
        {"value": "coding", "label": "none for this model"}
    ]
    told = shown(client, "factors-status.children", {"model": "gpt2"})
    assert (told["factors-status.children"], told["factors-card.children"]) == ("", [])


def test_the_controls_offer_what_there_is_and_show_what_is_shown(client):
    answer = shown(client, "factors-fitted.data", FULL)
    names = [each["value"] for each in answer["factors-dictionary.data"]]
    assert names == ["coding", "topk"]
    sites = [each["value"] for each in answer["factors-site.data"]]
    assert sites == ["", *map(str, ABOUT.sites)]
    held = answer["factors-fitted.data"]
    assert held["of"] == FULL
    assert held["shown"]["factors-level"] == "pattern"
    assert held["shown"]["factors-site"] == "resid_pre:2"


def test_the_card_says_what_is_known_and_what_it_means(client):
    card = json.dumps(shown(client, "factors-card.children", {"model": "demo"}).body)
    for words in ("Sparse coding", "91%", "14.2", "97%", "3 are active nowhere in this corpus"):
        assert words in card
    other = json.dumps(
        shown(client, "factors-card.children", {"model": "demo", "dictionary": "topk"}).body
    )
    assert "Explained" not in other  # nobody has measured it
    assert "By hand." in other


def test_what_has_made_room_is_asked_for_again(client, session):
    session.gone = True
    answer = shown(client, "factors-listed.data", {"model": "demo"})
    assert "shell-not-kept" in answer.body["sideUpdate"]
    values = {"shell-visitor.data": "a visitor"}
    values["factors-again.data"] = {"request": {"model": "demo"}, "count": 1}
    job = client.call("factors-job.data", values, "factors-again.data")
    assert job["factors-job.data"]["state"] == "done"
    assert session.gone is False


# ---- examples and files -----------------------------------------------------------------------


def test_examples_are_known_again():
    for example in OWN_EXAMPLES:
        opening = open_page(example.link, BOTH, ["demo"])
        layer = {"layer": str(opening.look.layer)} if opening.look.layer else {}
        assert opening.request.to_mapping() | layer == example.link
        assert example.look_for in look_for(example.link)
    assert look_for({"model": "demo", "prompt": "Another."}) == []


def save(client, button, flat):
    return client.press("factors-download.data", {"factors-shown.data": flat}, button)


def rows(client, button, flat):
    data = save(client, button, flat)["factors-download.data"]
    return data["filename"], list(csv.DictReader(io.StringIO(data["content"])))


def test_tables_are_saved(client):
    flat = {"model": "demo", "prompt": "The nurse saw"}
    name, found = rows(client, "factors-save-list", flat)
    assert (name, len(found)) == ("factors-list.csv", 50)
    assert (found[1]["factor"], found[1]["word"], found[1]["level"]) == ("1", "saw", "pattern")
    name, found = rows(client, "factors-save-factor", flat | {"factor": "9"})
    assert name == "factors-factor-9.csv"
    assert [row["number"] for row in found if row["what"] == "importance"][2] == "4.0"
    assert len([row for row in found if row["what"] == "top"]) == 12
    assert [row["name"] for row in found if row["what"] == "near"] == ["10", "11"]
    name, found = rows(client, "factors-save-prompt", flat)
    assert name == "factors-prompt.csv"
    assert len(found) == 5 * 3 + 5 * 1 + 4 * 1  # of each factor: sites times active positions
    assert found[0]["token"] == "The"


def test_everything_is_saved_as_json(client):
    data = save(client, "factors-save-json", FULL)["factors-download.data"]
    assert data["filename"] == "factors.json"
    whole = json.loads(data["content"])
    assert whole["request"] == FULL
    assert whole["dictionary"]["name"] == "topk"
    assert whole["survey"]["sites"][-1] == "resid_final"
    assert whole["told"]["factor"] == 5
    assert whole["told"]["top"][0]["tokens"][2] == " saw"
    assert whole["prompt"]["activations"][1][0][0] == 4.0
    assert whole["attributed"]["flow"] == [0.25, 1.0, 2.5, 0.0, 0.0, 0.0, -0.25]


def test_what_is_not_there_cannot_be_saved(client):
    answer = save(client, "factors-save-prompt", {"model": "demo"})
    assert "nothing of that kind" in answer.notice
