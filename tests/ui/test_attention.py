"""The attention page, its callbacks called as the browser calls them."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from flowviz.app import create_app
from flowviz.attention.json import read_attention
from flowviz.attention.types import Weighting
from flowviz.ui.attention.opening import open_page
from flowviz.views.attention.look import Look, Pin, Side, View
from tests.attention_maps import looking_back
from tests.attention_sessions import AttentionSession
from tests.ui.client import Client
from tests.ui.conftest import EXAMPLES
from tests.ui.test_page import HOSTILE

SHOWN = {"model": "demo", "prompt": "In France the"}
BERT = {"model": "bert", "prompt": "The cat sat"}
ON_PAGE = {"attention-shown.data": SHOWN}
FORM = {
    "shell-visitor.data": "a visitor",
    "attention-asked.data": {"prompt": "In France the", "model": "demo", "count": 1},
    "attention-weighting.value": "pattern",
}
NAMES = ("model", "prompt", "token", "position", "weighting", "view", "layer", "heads", "mass",
         "hide", "at", "start", "kind", "second", "mask", "part", "pairs", "merge", "textonly",
         "over", "average", "__class__")  # fmt: skip


@pytest.fixture
def session() -> AttentionSession:
    return AttentionSession()


@pytest.fixture
def client(session: AttentionSession) -> Client:
    return Client(create_app(session, examples=EXAMPLES))


def words(answer) -> str:
    assert answer.status == 200
    assert answer.notice is None
    return json.dumps(answer.body, ensure_ascii=False)


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_the_first_example_opens(client, session):
    opening = open_page({}, EXAMPLES, ["demo"])
    assert (opening.prompt, opening.run, opening.look) == (EXAMPLES[0].prompt, True, Look())
    assert "See where the heads look" in client.page(path="/attention")
    empty = Client(create_app(session, examples=()))
    assert "Type a prompt and press Enter" in empty.page(path="/attention")
    assert not open_page({}, (), ["gpt2"]).run


def test_a_link_opens_what_it_says():
    query = {"prompt": "a b", "weighting": "norm", "view": "model", "layer": "2", "heads": "1,3",
             "at": "query:1", "token": " c"}  # fmt: skip
    opening = open_page(query, EXAMPLES, ["demo"])
    assert (opening.weighting, opening.target.token) == (Weighting.NORM, " c")
    assert opening.look == Look(View.MODEL, 2, (1, 3), at=Pin(Side.QUERY, 1))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"layer": "x"}, "layer is 'x'"),
        ({"heads": "1,a"}, "heads is 'a'"),
        ({"weighting": "red"}, "it takes one of pattern, norm, flow"),
        ({"view": "neurons"}, "it takes one of heads, model"),
        ({"at": "7"}, "it takes one of query, source"),
        ({"kind": "lazy"}, "is no kind of head"),
        ({"mask": "a"}, "mask is 'a'"),
        ({"part": "all"}, "it takes one of decoder, encoder, cross"),
        ({"pairs": "ac"}, "it takes one of all, aa, ab, ba, bb"),
        ({"over": "phenomena/x"}, "There are no prompts of the group 'x'"),
        ({"model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
    ],
)
def test_a_broken_link_keeps_the_prompt_and_says_why(query, said):
    opening = open_page({"prompt": "a b", **query}, EXAMPLES, ["demo"])
    assert (opening.prompt, opening.run) == ("a b", False)
    assert said in opening.fault["text"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        query = {"prompt": "a", name: quote_plus(value)}
        assert "attention-prompt" in client.page(query, "/attention")
    assert "attention-prompt" in client.page({name: f"x&{name}=y"}, "/attention")


# ---- from the form to a job -------------------------------------------------------------------


def test_the_form_reaches_the_request_and_nothing_is_asked_twice(client, session):
    job = client.call("attention-job.data", FORM, "attention-asked.data")["attention-job.data"]
    assert (job["state"], job["request"]) == ("done", SHOWN)
    target = {"attention-target.value": " Paris", "attention-weighting.value": "flow"}
    answer = client.call("attention-job.data", {**FORM, **target}, "attention-weighting.value")
    assert answer["attention-job.data"]["request"] == {
        **SHOWN, "token": " Paris", "weighting": "flow",
    }  # fmt: skip
    same = {**FORM, "attention-job.data": job}
    assert client.call("attention-job.data", same, "attention-weighting.value").status == 204
    assert len(session.submitted) == 2


def test_what_cannot_be_asked_reads_as_a_failed_job(client):
    values = {**FORM, "attention-weighting.value": "red"}
    job = client.call("attention-job.data", values, "attention-asked.data")["attention-job.data"]
    assert job["state"] == "failed"
    assert "weighting is 'red'" in job["error"]


def test_a_long_run_tells_its_progress_and_can_be_cancelled(client):
    asked = {"prompt": "a slow one", "model": "demo", "count": 1}
    values = {**FORM, "attention-asked.data": asked}
    job = client.call("attention-job.data", values, "attention-asked.data")["attention-job.data"]
    assert (job["state"], job["stage"]) == ("running", "Reading the heads")
    running = {**FORM, "attention-job.data": job}
    stopped = client.press("attention-standing.data", running, "attention-cancel")
    assert stopped["attention-standing.data"]["state"] == "cancelled"


# ---- what is drawn ----------------------------------------------------------------------------


def test_a_layer_is_sent_packed(client):
    values = {**ON_PAGE, "attention-layer.value": 1}
    answer = client.call("attention-layer-data.data", values, "attention-layer.value")
    packed = answer["attention-layer-data.data"]
    assert (packed["layer"], packed["signed"], type(packed["data"])) == (1, False, str)
    assert answer["attention-window.hidden"] is True
    flow = {"attention-shown.data": {**SHOWN, "weighting": "flow"}, "attention-layer.value": 0}
    answer = client.call("attention-layer-data.data", flow, "attention-shown.data")
    assert answer["attention-layer-data.data"]["unit"] == 0.5


def test_thumbnails_are_sent_only_to_the_model_view(client):
    heads = {**ON_PAGE, "attention-view.value": "heads"}
    assert client.call("attention-model-data.data", heads, "attention-view.value").status == 204
    model = {**ON_PAGE, "attention-view.value": "model"}
    answer = client.call("attention-model-data.data", model, "attention-view.value")
    assert answer["attention-model-data.data"]["size"] == 6


def test_the_finder_lists_the_strongest_heads(client):
    values = {**ON_PAGE, "attention-kind.value": "previous"}
    answer = client.call("attention-scores.data", values, "attention-kind.value")
    assert answer["attention-scores.data"]["strongest"] == [[0, 0], [1, 0]]
    assert "Mean over 5 tokens; by chance" in answer["attention-kind-words.children"]
    table = words(answer)
    assert "L0 H0" in table
    assert "0.75" in table
    none = {**ON_PAGE, "attention-kind.value": "induction"}
    said = words(client.call("attention-scores.data", none, "attention-kind.value"))
    assert "No token here has such a place: try another prompt." in said


def test_the_page_says_what_there_is(client):
    answer = client.call("attention-status.children", ON_PAGE, "attention-shown.data")
    assert answer["attention-status.children"] == "2 layers × 3 heads, 6 tokens"
    assert answer["attention-strip.data"]["target"] == 5
    said = words(client.call("attention-predictions.children", ON_PAGE, "attention-shown.data"))
    assert "␣Rome" in said
    assert "12.5" in said


def test_a_head_at_a_pinned_token_leads_into_the_head_and_into_the_flow(client):
    values = {**ON_PAGE, "attention-layer.value": 1, "attention-heads.data": [2, 9],
              "attention-selected.data": {"side": "query", "position": 3}}  # fmt: skip
    answer = client.call("attention-links.children", values, "attention-selected.data")
    assert "H9" not in words(answer)
    links = hrefs(answer)
    assert [(link.path, parse_qs(link.query).get("view")) for link in links] == [
        ("/head", ["neurons"]), ("/head", ["why"]), ("/", None), ("/contexts", None),
    ]  # fmt: skip
    contexts = parse_qs(links[3].query)
    assert (contexts["site"], contexts["chosen"]) == (["heads:1"], ["2"])
    assert contexts["position"] == ["3"]
    asked = parse_qs(links[1].query)
    assert (asked["layer"], asked["head"], asked["query"]) == (["1"], ["2"], ["3"])
    assert parse_qs(links[2].query)["node"] == ["head:1:3:2"]
    unpinned = {**values, "attention-selected.data": None}
    said = words(client.call("attention-links.children", unpinned, "attention-selected.data"))
    assert "Click a token on the reading side" in said


def test_several_heads_lead_together_to_contexts(client):
    pin = {"side": "query", "position": 3}
    values = {**ON_PAGE, "attention-layer.value": 1, "attention-selected.data": pin}
    some = client.call(
        "attention-links.children",
        {**values, "attention-heads.data": [0, 2]},
        "attention-heads.data",
    )
    assert "Similar contexts of these 2 heads" in words(some)
    assert "chosen=0%2C2" in words(some)
    every = client.call(
        "attention-links.children", {**values, "attention-heads.data": None}, "attention-heads.data"
    )
    last = every["attention-links.children"][-1]["props"]["children"]["props"]
    assert parse_qs(urlsplit(last["href"]).query)["site"] == ["heads:1"]
    assert "chosen" not in last["href"]


def hrefs(answer):
    rows = answer["attention-links.children"][1]["props"]["children"]
    return [
        urlsplit(link["props"]["href"])
        for row in rows
        for link in row["props"]["children"]
        if "href" in link["props"]
    ]


def test_a_head_of_an_encoder_has_no_way_into_the_flow(client):
    shown = {"attention-shown.data": {**BERT, "second": "It was", "mask": "2"}}
    source = {"side": "source", "position": 2}
    values = {**shown, "attention-heads.data": [1], "attention-selected.data": source}
    answer = client.call("attention-links.children", values, "attention-selected.data")
    links = hrefs(answer)
    assert [link.path for link in links] == ["/head", "/head"]
    asked = parse_qs(links[1].query)
    assert (asked["key"], asked["mask"], asked["second"]) == (["2"], ["2"], ["It was"])
    assert "query" not in asked


# ---- models that read both ways ---------------------------------------------------------------


def fitted(client, shown, **more):
    values = {"attention-shown.data": shown, **more}
    answer = client.call("attention-traits.data", values, "attention-shown.data")
    assert answer.status == 200
    return answer


def test_controls_fit_what_the_model_has(client):
    gpt = fitted(client, SHOWN)["attention-traits.data"]
    assert gpt["has"] == ["flow"]
    pair = fitted(client, {**BERT, "second": "It was"}, **{"attention-weighting.value": "flow"})
    has = pair["attention-traits.data"]["has"]
    assert has == ["no-flow", "pairs", "special", "masks", "readings"]
    assert [each["value"] for each in pair["attention-weighting.data"]] == ["pattern", "norm"]
    assert pair["attention-weighting.value"] == "pattern"
    assert "this model is no GPT" in pair["attention-weighting-words.children"]
    alone = fitted(client, BERT)["attention-traits.data"]["has"]
    assert "pairs" not in alone
    both = fitted(client, {**BERT, "model": "t5", "part": "cross"})
    assert "masks" not in both["attention-traits.data"]["has"]
    assert json.dumps(both["attention-parts.children"]).count("data-part") == 3


def test_what_a_link_asks_for_beyond_the_model_is_said(client):
    more = {"attention-layer.value": 9, "attention-heads.data": [0, 7],
            "attention-selected.data": {"side": "query", "position": 40}}  # fmt: skip
    answer = fitted(client, SHOWN, **more)
    said = answer["attention-banner.children"][0]
    for words_of in ("no layer 9", "no head 7", "no token 40"):
        assert words_of in said
    assert (answer["attention-layer.value"], answer["attention-layer.max"]) == (1, 1)
    assert answer["attention-heads.data"] == [0]
    fits = fitted(client, SHOWN, **{"attention-layer.value": 1}).body["response"]
    assert "value" not in fits["attention-layer"]
    assert fits["attention-banner"]["children"] == []


def test_a_pair_a_mask_and_a_part_reach_the_request(client, session):
    asked = {"prompt": "a b", "second": "c", "model": "bert", "count": 1}
    values = {**FORM, "attention-asked.data": asked, "attention-mask.data": [2, 1],
              "attention-target.value": " Mary", "attention-weighting.value": "flow"}  # fmt: skip
    job = client.call("attention-job.data", values, "attention-mask.data")["attention-job.data"]
    wanted = {"model": "bert", "prompt": "a b", "second": "c", "mask": "1,2"}
    assert job["request"] == wanted  # the target and the flow are a GPT's
    values = {**FORM, "attention-asked.data": {**asked, "model": "t5"}}
    values["attention-part.data"] = "cross"
    job = client.call("attention-job.data", values, "attention-part.data")["attention-job.data"]
    assert job["request"]["part"] == "cross"


def test_the_mean_over_a_set_is_asked_for_and_drawn(client):
    over = {"attention-over.value": "phenomena/induction", "attention-average.checked": True}
    answer = client.call("attention-job.data", {**FORM, **over}, "attention-average.checked")
    request = answer["attention-job.data"]["request"]
    assert request == {**SHOWN, "average": "phenomena/induction"}
    shown = {"attention-shown.data": request}
    fits = fitted(client, request)
    assert fits["attention-banner.children"] == ["The mean over 15 prompts by position."]
    assert "mean" in fits["attention-traits.data"]["has"]
    assert "has no mean over prompts" in fits["attention-weighting-words.children"]
    flow = {**FORM, **over, "attention-weighting.value": "flow"}
    answer = client.call("attention-job.data", flow, "attention-average.checked")
    assert answer["attention-job.data"]["request"] == request
    assert (
        client.call("finder-job.data", {**FORM, **shown, **over}, "attention-over.value")[
            "finder-job.data"
        ]
        is None
    )  # the mean's own scores are over the set
    pinned = {**shown, "attention-selected.data": {"side": "query", "position": 1}}
    links = client.call("attention-links.children", pinned, "attention-selected.data")
    assert links["attention-links.children"] == []
    off = {**over, "attention-over.value": "prompt"}
    answer = client.call("attention-job.data", {**FORM, **off}, "attention-over.value")
    assert answer["attention-job.data"]["request"] == SHOWN
    opening = open_page({**SHOWN, "average": "phenomena"}, EXAMPLES, ["demo"])
    assert (opening.average, opening.look.over) == ("phenomena", "phenomena")


def test_predictions_are_sent_for_each_token(client):
    values = {"attention-shown.data": {**BERT, "mask": "1"}}
    answer = client.call("attention-reading-data.data", values, "attention-shown.data")
    assert answer["attention-reading-data.data"]["rows"][1]["rank"] == 2
    answer = client.call("attention-status.children", values, "attention-shown.data")
    assert answer["attention-strip.data"]["masked"] == [1]
    assert answer["attention-strip.data"]["target"] is None
    assert "what a mask hides" in answer["attention-readings-words.children"]
    answer = client.call("attention-reading-data.data", ON_PAGE, "attention-shown.data")
    assert answer["attention-reading-data.data"] is None


def test_the_words_under_the_second_text_are_the_models(client):
    for model, said in (("demo", "follows"), ("bert", "a pair"), ("t5", "decoder"), ("x", "or")):
        values = {"attention-model.value": model}
        answer = client.call("attention-second-words.children", values, "attention-model.value")
        assert said in answer["attention-second-words.children"]


def test_the_finder_reads_a_set_in_a_job_of_its_own(client, session):
    values = {**FORM, **ON_PAGE, "attention-over.value": "phenomena/induction"}
    job = client.call("finder-job.data", values, "attention-over.value")["finder-job.data"]
    assert job["request"] == {"model": "demo", "set": "phenomena", "group": "induction"}
    assert session.jobs[job["id"]][0] == "a visitor:heads"
    same = {**values, "finder-job.data": job}
    assert client.call("finder-job.data", same, "attention-shown.data").status == 204
    over = {**ON_PAGE, "attention-kind.value": "previous", "finder-shown.data": job["request"]}
    said = words(client.call("attention-scores.data", over, "finder-shown.data"))
    assert "Mean over 10 tokens of 15 prompts" in said
    other = {**over, "finder-shown.data": {**job["request"], "model": "bert"}}
    said = words(client.call("attention-scores.data", other, "finder-shown.data"))
    assert "of 15 prompts" not in said
    prompt = {**values, "attention-over.value": "prompt"}
    job = client.call("finder-job.data", prompt, "attention-over.value")["finder-job.data"]
    assert job is None


def test_the_maps_can_be_downloaded(client):
    answer = client.press("attention-download.data", ON_PAGE, "attention-save-json")
    file = answer["attention-download.data"]
    assert file["filename"] == "attention.json"
    assert (read_attention(file["content"]).weights == looking_back().weights).all()


def test_maps_that_made_room_are_asked_for_again(client, session):
    session.gone = True
    answer = client.call("attention-layer-data.data", ON_PAGE, "attention-shown.data")
    assert "shell-not-kept" in answer.body["sideUpdate"]
    again = {**FORM, "attention-again.data": {"request": SHOWN, "count": 1}}
    client.call("attention-job.data", again, "attention-again.data")
    assert not session.gone


def test_hostile_values_never_break_the_server(client):
    calls = {
        "attention-layer-data.data": ("attention-layer.value", "attention-start.data"),
        "attention-scores.data": ("attention-kind.value",),
        "attention-links.children": ("attention-heads.data", "attention-selected.data"),
        "attention-model-data.data": ("attention-view.value", "attention-shown.data"),
        "attention-job.data": (
            "attention-weighting.value",
            "attention-asked.data",
            "attention-mask.data",
            "attention-part.data",
        ),
        "attention-traits.data": (
            "attention-layer.value",
            "attention-heads.data",
            "attention-selected.data",
            "attention-shown.data",
        ),
        "attention-reading-data.data": ("attention-start.data",),
        "finder-job.data": ("attention-over.value",),
        "finder-standing.data": ("finder-job.data",),
    }
    for output, places in calls.items():
        for place in places:
            for value in ([], {}, "x", -1, 1e400, [1, "x"], {"side": 3}, "\0", "9" * 99):
                answer = client.call(output, {**FORM, **ON_PAGE, place: value}, place)
                assert answer.status in (200, 204), (place, value)
