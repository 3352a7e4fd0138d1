"""The page of contexts, its callbacks called as the browser calls them."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from flowviz.app import create_app
from flowviz.contexts.kinds import Feature, Role
from flowviz.contexts.request import ContextRequest
from flowviz.ui.contexts.examples import EXAMPLES as OWN_EXAMPLES
from flowviz.ui.contexts.opening import open_page
from flowviz.views.contexts.look import Look
from tests.contexts_found import ContextSession
from tests.ui.client import Client
from tests.ui.conftest import EXAMPLES
from tests.ui.test_page import HOSTILE

PROMPT = "The <b> nurse saw Mary"
FLAT = {"model": "demo", "prompt": PROMPT}
FULL = {
    **FLAT, "corpus": "own", "position": "3", "site": "heads:2", "chosen": "1,3",
    "metric": "inner", "count": "20", "part": "news", "least": "0.5", "other_word": "1",
    "filters": "matched.upos=VERB\nnext.upos!=NOUN", "one_each": "0", "heads": "2.1,2.3",
    "first": "1",
}  # fmt: skip
NAMES = (*FULL, "second", "mask", "colour", "offsets", "role", "__class__")


@pytest.fixture
def session() -> ContextSession:
    return ContextSession()


@pytest.fixture
def client(session: ContextSession) -> Client:
    return Client(create_app(session, examples=EXAMPLES))


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_the_first_example_opens(client):
    opening = open_page({}, ["demo", "gpt2"], ["demo"])
    assert opening.request == ContextRequest.from_mapping(OWN_EXAMPLES[0].link)
    assert (opening.run, opening.look) == (True, Look())
    assert "idle" not in opening.asked
    page = client.page(path="/contexts")
    assert "Find where else the model was in this state" in page
    other = open_page({}, ["gpt2"], ["demo"])
    assert (other.run, other.request.model, other.request.prompt) == (False, "gpt2", "")
    assert other.asked["idle"] is True


def test_a_link_opens_what_it_says():
    query = {**FULL, "colour": "entity", "offsets": "1,-1", "role": "attended"}
    opening = open_page(query, ["demo"], ["demo", "own"])
    assert opening.request == ContextRequest.from_mapping(FULL)
    assert opening.look == Look(Feature.ENTITY, (-1, 1), Role.ATTENDED)
    assert opening.asked == {"flat": FULL}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"site": "tail"}, "site is 'tail'"),
        ({"position": "-1"}, "position is '-1'"),
        ({"filters": "upos"}, "it reads role.feature=value"),
        ({"least": "much"}, "least is 'much'"),
        ({"count": "501"}, "count is '501'"),
        ({"colour": "red"}, "it takes one of upos, deprel, entity, none"),
        ({"offsets": "9"}, "it takes numbers from −4 to 4"),
        ({"role": "last"}, "it takes one of matched, next, attended"),
        ({"corpus": "nothing"}, "No corpus 'nothing' is offered here"),
        ({"model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
    ],
)
def test_a_broken_link_keeps_the_prompt_and_says_why(query, said):
    opening = open_page({"prompt": "a b", **query}, ["demo"], ["demo"])
    assert (opening.request.prompt, opening.run) == ("a b", False)
    assert opening.fault is not None
    assert said in opening.fault["text"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        query = {"prompt": "a", name: quote_plus(value)}
        assert "contexts-prompt" in client.page(query, "/contexts")
    assert "contexts-prompt" in client.page({name: f"x&{name}=y"}, "/contexts")


def test_the_boxes_show_what_the_link_says(client):
    page = client.page({name: quote_plus(value) for name, value in FULL.items()}, "/contexts")
    assert '"Own texts, 300 sentences"' in page
    for shown in ('"value": "heads"', '"value": "inner"', '"value": 0.5', '"value": "own"'):
        assert shown in page


# ---- from the form to a job -------------------------------------------------------------------


def asked(client, flat, more=None, last=None):
    values = {"shell-visitor.data": "a visitor", "contexts-job.data": last}
    values["contexts-asked.data"] = {"flat": flat, **(more or {})}
    return client.call("contexts-job.data", values, "contexts-asked.data")


def test_the_form_is_asked_as_it_is(client, session):
    job = asked(client, FULL)["contexts-job.data"]
    assert job["request"] == FULL
    assert session.submitted == [ContextRequest.from_mapping(FULL)]


def test_nothing_is_asked_twice_but_by_run(client, session):
    job = asked(client, FLAT)["contexts-job.data"]
    assert asked(client, {**FLAT, "metric": "cosine"}, last=job).status == 204
    assert asked(client, FLAT, {"again": 7}, job).status == 200
    assert asked(client, FLAT, {"idle": True}).status == 204
    assert len(session.submitted) == 2


@pytest.mark.parametrize("form", [None, [], "x", {"flat": None}, {"flat": "x"}, {"flat": []}])
def test_a_form_that_is_none_is_left_aside(client, form):
    values = {"shell-visitor.data": "a visitor", "contexts-asked.data": form}
    assert client.call("contexts-job.data", values, "contexts-asked.data").status == 204


def test_what_cannot_be_asked_reads_as_a_failed_job(client):
    for flat, said in (
        ({**FLAT, "site": "resid_pre:9"}, "none in block 9"),
        ({**FLAT, "least": "much"}, "least is 'much'"),
        ({**FLAT, "filters": "matched.offset=1"}, "only attended.offset is one"),
        ({"model": "demo"}, "The prompt is empty"),
    ):
        job = asked(client, flat)["contexts-job.data"]
        assert job["state"] == "failed"
        assert said in job["error"]


def test_a_long_search_tells_its_progress_and_can_be_cancelled(client):
    job = asked(client, {**FLAT, "prompt": "a slow one"})["contexts-job.data"]
    assert (job["state"], job["stage"]) == ("running", "Reading the corpus")
    running = {"shell-visitor.data": "a visitor", "contexts-job.data": job}
    stopped = client.press("contexts-standing.data", running, "contexts-cancel")
    assert stopped["contexts-standing.data"]["state"] == "cancelled"


def test_a_result_that_made_room_is_searched_again(client, session):
    session.gone = True
    answer = client.call("contexts-data.data", {"contexts-shown.data": FLAT}, "contexts-shown.data")
    assert "shell-not-kept" in answer.body["sideUpdate"]
    values = {"shell-visitor.data": "a visitor", "contexts-again.data": {"request": FULL}}
    job = client.call("contexts-job.data", values, "contexts-again.data")["contexts-job.data"]
    assert job["request"] == FULL


# ---- what is shown ----------------------------------------------------------------------------


def call(client, output, shown, more=None):
    values = {"contexts-shown.data": shown, **(more or {})}
    answer = client.call(output, values, "contexts-shown.data")
    assert answer.status == 200
    assert answer.notice is None
    return answer


def test_hits_are_sent_up_to_the_limit(client):
    many = {**FLAT, "prompt": "many", "count": "100"}
    data = call(client, "contexts-data.data", many, {"contexts-limit.data": 50})
    assert (len(data["contexts-data.data"]["hits"]), data["contexts-data.data"]["total"]) == (
        50,
        100,
    )
    data = call(client, "contexts-data.data", many, {"contexts-limit.data": 100})
    assert len(data["contexts-data.data"]["hits"]) == 100


def test_each_hit_leads_to_the_other_pages(client):
    hit = call(client, "contexts-data.data", FULL)["contexts-data.data"]["hits"][0]
    links = {each["words"]: urlsplit(each["href"]) for each in hit["links"]}
    assert [link.path for link in links.values()] == ["/attention", "/", "/contexts"]
    queries = {name: parse_qs(link.query) for name, link in links.items()}
    assert all(query["prompt"] == ["The nurse saw Mary in Rome."] for query in queries.values())
    assert queries["Attention"]["at"] == ["query:3"]
    assert (queries["Attention"]["layer"], queries["Attention"]["heads"]) == (["2"], ["1,3"])
    assert queries["Flow"]["position"] == ["3"]
    assert queries["Similar contexts"]["site"] == ["heads:2"]
    assert "filters" not in queries["Similar contexts"]
    encoder = call(client, "contexts-data.data", {**FLAT, "model": "bert"})
    words = [each["words"] for each in encoder["contexts-data.data"]["hits"][0]["links"]]
    assert words == ["Attention", "Similar contexts"]


def fit(client, shown):
    return call(client, "contexts-fitted.data", shown)


def test_the_controls_are_set_to_what_is_shown(client):
    answer = fit(client, FULL)
    fitted = answer["contexts-fitted.data"]
    assert fitted["of"] == FULL
    assert fitted["shown"] == {
        "contexts-corpus": "own", "contexts-kind": "heads", "contexts-layer": 2,
        "contexts-metric": "inner", "contexts-most": 20, "contexts-part": "news",
        "contexts-least": 0.5, "contexts-other": True, "contexts-one-each": False,
        "contexts-first": True,
    }  # fmt: skip
    assert answer["contexts-layer.max"] == 2
    parts = [each["value"] for each in answer["contexts-part.data"]]
    assert parts == ["", "news", "tales"]
    kinds = {each["value"]: each["disabled"] for each in answer["contexts-kind.data"]}
    assert kinds["resid_pre"] is False  # the corpus has hidden states alone
    assert kinds["heads"] is True
    assert (fitted["layers"], fitted["heads"], fitted["default"]) == (3, 4, "resid_pre:1")
    assert fitted["attending"] == [[2, 1], [2, 3]]
    assert fitted["corpora"] == {"demo": [], "own": ["demo"]}


def test_the_site_that_is_meant_where_none_is_named_is_shown(client):
    fitted = fit(client, FLAT)["contexts-fitted.data"]
    shown = fitted["shown"]
    assert (shown["contexts-kind"], shown["contexts-layer"]) == ("resid_pre", 1)
    assert shown["contexts-least"] == ""


def test_controls_that_a_site_has_not_stay_as_they_are(client):
    shown = fit(client, {**FLAT, "site": "resid_final"})["contexts-fitted.data"]["shown"]
    assert shown["contexts-kind"] == "resid_final"
    assert "contexts-layer" not in shown
    assert "contexts-neuron" not in shown


def test_the_page_says_what_was_asked(client):
    answer = call(client, "contexts-status.children", FULL)
    assert answer["contexts-question.children"] == (
        "Where else do heads 1 and 3 of block 2 write what they write at 3 ␣saw?"
    )
    assert "12 hits of 9,000 tokens compared" in answer["contexts-status.children"]
    strip = answer["contexts-strip.data"]
    assert (strip["target"], strip["drawn"]) == (3, [2])
    assert strip["tokens"][1] == "␣<b>"
    first = OWN_EXAMPLES[0]
    told = call(client, "contexts-status.children", first.link)
    assert first.title in json.dumps(told["contexts-look-for.children"])
    assert answer["contexts-look-for.children"] == []


def test_summaries_are_sent_packed(client):
    summary = call(client, "contexts-summary.data", FLAT)["contexts-summary.data"]
    assert [each["role"] for each in summary["roles"]] == ["matched", "next", "attended"]
    assert summary["notes"] == []
    plain = call(client, "contexts-summary.data", {**FLAT, "prompt": "plain"})
    assert "not annotated" in plain["contexts-summary.data"]["notes"][0]


def test_the_site_of_a_neuron_has_its_number(client):
    shown = {**FLAT, "site": "neurons:1", "chosen": "7"}
    assert fit(client, shown)["contexts-fitted.data"]["shown"]["contexts-neuron"] == 7


# ---- files ------------------------------------------------------------------------------------


def test_what_was_found_is_saved(client):
    values = {"contexts-shown.data": FULL}
    names = {"contexts-save-hits": "contexts-hits.csv", "contexts-save-json": "contexts.json",
             "contexts-save-summary": "contexts-summaries.csv"}  # fmt: skip
    for button, name in names.items():
        file = client.press("contexts-download.data", values, button)["contexts-download.data"]
        assert file["filename"] == name
        assert file["content"]
    nothing = client.call("contexts-download.data", values, "contexts-save-json.n_clicks")
    assert nothing.status == 204
