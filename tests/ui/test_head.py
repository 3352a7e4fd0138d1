"""The page of one head, its callbacks called as the browser calls them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from flowviz.app import create_app
from flowviz.attention.decay_request import DecayRequest
from flowviz.attention.head_json import read_head
from flowviz.attention.kinds import Part
from flowviz.attention.why_request import NeuronRequest, Rank, WhyRequest
from flowviz.errors import NotKept, RequestError
from flowviz.models.kind import ModelKind
from flowviz.session import Job, JobState, ModelChoice
from flowviz.ui.head.examples import EXAMPLES as OWN_EXAMPLES
from flowviz.ui.head.examples import example_links
from flowviz.ui.head.opening import open_page
from flowviz.ui.head.question import Question
from flowviz.views.head.look import Dims, Look, Order, Over, View
from tests.fakes import FakeSession
from tests.head_answers import decay, of_many, there, view
from tests.ui.client import Client
from tests.ui.conftest import EXAMPLES
from tests.ui.test_page import HOSTILE

PROMPT = "In France the <b>"
NEURONS = {"model": "demo", "prompt": PROMPT, "layer": "1", "head": "2", "view": "neurons"}
WHY = {**NEURONS, "view": "why"}
DISTANCE = {**NEURONS, "view": "distance"}
SET = {**DISTANCE, "over": "set", "group": "induction"}
FORM = {
    "shell-visitor.data": "a visitor",
    "head-asked.data": {"prompt": PROMPT, "model": "demo", "count": 1},
    "head-view.value": "neurons",
    "head-layer.value": 1,
    "head-head.data": 2,
    "head-rank.value": "beyond",
    "head-over.value": "prompt",
    "head-group.value": "",
}
NAMES = ("model", "prompt", "view", "layer", "head", "query", "key", "rank", "n", "second", "mask",
         "part", "dims", "order", "start", "dim", "over", "group", "__class__")  # fmt: skip


class HeadSession(FakeSession):
    """Answers with hand-made numbers; a "slow" prompt runs until it is cancelled, "long" has many
    sources, "alone" has no two distances."""

    def models(self) -> tuple[ModelChoice, ...]:
        both = ModelChoice("t5", "T5", "Both.", None, kind=ModelKind.BOTH)
        return (*super().models(), both)

    def submit(self, request, visitor, *, to_inspect=False):
        if "refused" in getattr(request, "prompt", ""):
            raise RequestError("Its attention alone can be looked at.")
        self.submitted.append(request)
        self.gone = False
        slow = "slow" in getattr(request, "prompt", "")
        state = JobState.RUNNING if slow else JobState.DONE
        job = Job(str(next(self.numbers)), state, "Looking into the head", 0.2 if slow else 1.0)
        self.jobs[job.id] = (visitor, request, job, time.monotonic())
        return job

    def answer(self, question):
        if self.gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        if isinstance(question, DecayRequest):
            return decay(12)
        if isinstance(question, WhyRequest):
            return there()
        if "alone" in question.prompt:
            return replace(view(), decay=None)
        if "across" in question.prompt:
            return replace(view(), decay=None, part=Part.CROSS)
        return of_many(200) if "long" in question.prompt else view()


@pytest.fixture
def session() -> HeadSession:
    return HeadSession()


@pytest.fixture
def client(session: HeadSession) -> Client:
    return Client(create_app(session, examples=EXAMPLES))


def words(answer) -> str:
    assert answer.status == 200
    assert answer.notice is None
    return json.dumps(answer.body, ensure_ascii=False)


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_the_first_example_opens(client):
    opening = open_page({}, ["demo", "gpt2"])
    assert opening.request.prompt == OWN_EXAMPLES[0].link["prompt"]
    assert (opening.request.layer, opening.request.head, opening.run) == (3, 3, True)
    assert opening.look == Look(dims=Dims.DECIDING)
    page = client.page(path="/head")
    assert "Look into one head" in page
    assert "Type a prompt and press Enter" in page
    other = open_page({}, ["gpt2"])
    assert (other.run, other.request.model, other.request.prompt) == (False, "gpt2", "")


def test_the_page_stands_behind_attention(client):
    links = client.http.get("/").get_data(as_text=True)
    assert links
    registry = list(client.app.callback_map)
    assert any("head-job" in each for each in registry)


def test_a_link_opens_what_it_says():
    query = {**WHY, "query": "3", "key": "1", "rank": "share", "second": " more", "mask": "2",
             "part": "decoder", "dims": "deciding", "order": "attention", "start": "4",
             "dim": "1"}  # fmt: skip
    opening = open_page(query, ["demo"])
    asked = NeuronRequest.from_mapping(query)
    assert opening.request == asked
    assert (opening.key, opening.rank, opening.part) == (1, Rank.SHARE, "decoder")
    assert opening.passed == {"second": " more", "mask": "2"}
    assert opening.look == Look(View.WHY, Dims.DECIDING, Order.ATTENTION, 4, 1)
    wide = open_page(SET, ["demo"])
    assert (wide.over, wide.group) == (Over.SET, "induction")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"layer": "x"}, "layer is 'x'"),
        ({"head": "-1"}, "head is '-1'"),
        ({"view": "lines"}, "it takes one of neurons, distance, why"),
        ({"view": "why", "key": "x"}, "key is 'x'"),
        ({"rank": "red"}, "it takes one of beyond, share"),
        ({"dims": "red"}, "it takes one of number, deciding"),
        ({"dim": "x"}, "dim is 'x'"),
        ({"view": "distance", "over": "set", "group": "nothing"}, "no prompts of the group"),
        ({"part": "tail"}, "it takes one of decoder, encoder, cross"),
        ({"model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
    ],
)
def test_a_broken_link_keeps_the_prompt_and_says_why(query, said):
    opening = open_page({"prompt": "a b", **query}, ["demo"])
    assert (opening.request.prompt, opening.run) == ("a b", False)
    assert opening.fault is not None
    assert said in opening.fault["text"]


def test_an_encoder_may_look_ahead_in_its_neurons():
    opening = open_page({**NEURONS, "query": "1", "key": "3"}, ["demo"])
    assert (opening.request.query, opening.key, opening.fault) == (1, 3, None)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        query = {"prompt": "a", name: quote_plus(value)}
        assert "head-prompt" in client.page(query, "/head")
    assert "head-prompt" in client.page({name: f"x&{name}=y"}, "/head")


def test_the_examples_are_for_the_demo_model():
    demo, gpt2 = (ModelChoice(name, name, "", None) for name in ("demo", "gpt2"))
    links = example_links([gpt2, demo])
    assert links[1] == {"model": "demo", **OWN_EXAMPLES[1].link}
    for link in links:
        Question.read(link)
    assert example_links([gpt2])[0] == {
        "model": "gpt2", "prompt": OWN_EXAMPLES[0].link["prompt"], "view": "neurons",
    }  # fmt: skip


# ---- from the form to a job -------------------------------------------------------------------


def asked(client, more=None, trigger="head-asked.data"):
    return client.call("head-job.data", {**FORM, **(more or {})}, trigger)["head-job.data"]


def test_each_view_asks_its_own_question(client, session):
    assert asked(client)["request"] == NEURONS
    assert asked(client, {"head-view.value": "why"})["request"] == WHY
    assert asked(client, {"head-view.value": "distance"})["request"] == DISTANCE
    wide = {
        "head-view.value": "distance",
        "head-over.value": "set",
        "head-group.value": "induction",
    }
    assert asked(client, wide)["request"] == SET
    assert session.submitted == [
        NeuronRequest(PROMPT, "demo", 1, 2),
        WhyRequest(PROMPT, "demo", 1, 2),
        NeuronRequest(PROMPT, "demo", 1, 2),
        DecayRequest("demo", group="induction", layer=1, head=2),
    ]


def test_nothing_is_asked_twice(client, session):
    job = asked(client)
    same = {**FORM, "head-job.data": job, "head-key.data": 1}  # a key is no part of this view
    assert client.call("head-job.data", same, "head-key.data").status == 204
    assert len(session.submitted) == 1
    why = {**same, "head-view.value": "why"}
    assert client.call("head-job.data", why, "head-view.value").status == 200
    assert session.submitted[-1] == WhyRequest(PROMPT, "demo", 1, 2, key=1)


def test_a_key_behind_the_query_is_let_go_when_the_query_moves(client):
    places = {"head-view.value": "why", "head-query.data": 1, "head-key.data": 3}
    job = asked(client, places, "head-query.data")
    assert job["request"] == {**WHY, "query": "1"}
    both = {**places, "head-asked.data": {"prompt": PROMPT, "model": "t5"}}
    assert asked(client, both, "head-query.data")["request"]["key"] == "3"  # it looks ahead, too


def test_second_text_mask_and_part_are_passed_on(client, session):
    passed = {"head-passed.data": {"second": " and more", "mask": "2"}}
    job = asked(client, passed)
    assert job["request"] == {**NEURONS, "second": " and more", "mask": "2"}
    assert session.submitted[-1].text == f"{PROMPT} and more"
    two = {"head-asked.data": {"prompt": PROMPT, "model": "t5"}, "head-part.value": "cross"}
    assert asked(client, two)["request"]["part"] == "cross"
    assert "part" not in asked(client, {"head-part.value": "cross"})["request"]


def test_what_cannot_be_asked_reads_as_a_failed_job(client):
    bad = asked(client, {"head-layer.value": "deep"})
    assert bad["state"] == "failed"
    assert "layer is 'deep'" in bad["error"]
    question = {"prompt": "refused", "model": "demo", "count": 1}
    assert "attention alone" in asked(client, {"head-asked.data": question})["error"]


def test_a_long_run_tells_its_progress_and_can_be_cancelled(client):
    slow = {"head-asked.data": {"prompt": "a slow one", "model": "demo", "count": 1}}
    job = asked(client, slow)
    assert (job["state"], job["stage"]) == ("running", "Looking into the head")
    running = {**FORM, "head-job.data": job}
    stopped = client.press("head-standing.data", running, "head-cancel")
    assert stopped["head-standing.data"]["state"] == "cancelled"


# ---- what is drawn ----------------------------------------------------------------------------


def sent(client, shown, more=None):
    values = {"head-shown.data": shown, **(more or {})}
    return client.call("head-data.data", values, "head-shown.data")


def test_each_view_is_sent_packed(client):
    for shown in (NEURONS, WHY, DISTANCE, SET):
        answer = sent(client, shown)
        assert answer["head-data.data"]["view"] == shown["view"]
        assert answer["head-window.hidden"] is True
    long = {**NEURONS, "prompt": "long"}
    answer = sent(client, long, {"head-order.value": "position", "head-start.data": 3})
    assert answer["head-data.data"]["positions"][0] == 3
    assert answer["head-window.hidden"] is False
    assert "Sources 4 to 67 of 200 in order" in answer["head-window-words.children"]
    assert sent(client, {**DISTANCE, "prompt": "alone"})["head-data.data"] is None


def figures(client, shown, key=None) -> str:
    values = {"head-shown.data": shown, "head-key.data": key}
    return words(client.call("head-detail.children", values, "head-key.data"))


def test_the_figures_of_neurons_are_of_the_chosen_source(client):
    said = figures(client, NEURONS)
    assert "looks most at 1 ␣France: 75%" in said
    assert '"1 ␣France"' in said
    other = figures(client, NEURONS, 3)
    assert '"3 <b>"' in other
    assert '"−0.5"' in other  # its score
    assert '"dimension 0"' in said
    assert "Open this head in the flow" in said


def test_the_figures_of_distances(client):
    assert "The score of L1 H2 loses 1 a token of distance" in figures(client, DISTANCE)
    assert "of 12 prompts" in figures(client, SET)
    assert "no two distances to compare" in figures(client, {**DISTANCE, "prompt": "alone"})
    said = figures(client, {**DISTANCE, "prompt": "across"})
    assert "Across two texts there is no distance" in said


def test_components_lead_into_the_flow(client):
    answer = client.call("head-detail.children", {"head-shown.data": WHY}, "head-shown.data")
    said = words(answer)
    assert "+2.5" in said
    assert "all others" in said
    assert '"data-key": "1"' in said
    links = [urlsplit(each) for each in hrefs(answer["head-detail.children"])]
    assert [parse_qs(link.query)["node"] for link in links] == [["head:0:3:1"], ["neuron:0:1:5"]]
    assert {(link.path, *parse_qs(link.query)["prompt"]) for link in links} == {("/", PROMPT)}


def hrefs(tree) -> list[str]:
    if isinstance(tree, list):
        return [found for item in tree for found in hrefs(item)]
    if not isinstance(tree, dict):
        return []
    props = tree.get("props", {})
    own = [props["href"]] if "href" in props else []
    return own + hrefs(props.get("children"))


def told(client, shown):
    return client.call("head-status.children", {"head-shown.data": shown}, "head-shown.data")


def test_the_page_says_what_there_is(client):
    answer = told(client, NEURONS)
    assert answer["head-status.children"] == "L1 H2 of demo: 2 dimensions, 4 sources"
    assert answer["head-strip.data"]["target"] == 3
    assert answer["head-sizes.data"] == {"layers": 2, "heads": 3}
    assert answer["head-parts.hidden"] is True
    assert answer["head-banner.children"] == []
    assert told(client, {**NEURONS, "model": "t5"})["head-parts.hidden"] is False
    assert told(client, WHY)["head-strip.data"]["drawn"] == [1]
    assert "All parts sum to 3.0000" in told(client, WHY)["head-status.children"]
    wide = told(client, SET)
    assert wide["head-status.children"] == "L1 H2: 2 dimensions, 6 pairs of tokens"
    assert "head-strip" not in wide.body["response"]  # the tokens stay
    assert wide["head-sizes.data"] == {"layers": 2, "heads": 3}


def test_everything_can_be_downloaded(client):
    for shown, form, names in (
        (NEURONS, "neurons", ("head-dimensions.csv", "head-sources.csv")),
        (SET, "decay", ("head-slopes.csv", "head-distances.csv")),
        (DISTANCE, "decay", ("head-slopes.csv", "head-distances.csv")),
        (WHY, "why", ("head-parts.csv", "head-pairs.csv")),
    ):
        values = {"head-shown.data": shown}
        file = client.press("head-download.data", values, "head-save-json")["head-download.data"]
        assert json.loads(file["content"])["form"] == form
        read_head(file["content"])
        for button, name in zip(("first", "second"), names, strict=True):
            saved = client.press("head-download.data", values, f"head-save-{button}")
            assert saved["head-download.data"]["filename"] == name


def test_an_answer_that_made_room_is_asked_for_again(client, session):
    session.gone = True
    answer = sent(client, WHY)
    assert "shell-not-kept" in answer.body["sideUpdate"]
    again = {**FORM, "head-again.data": {"request": WHY, "count": 1}}
    job = client.call("head-job.data", again, "head-again.data")["head-job.data"]
    assert job["request"] == WHY
    assert not session.gone


def test_hostile_values_never_break_the_server(client):
    calls = {
        "head-data.data": ("head-shown.data", "head-order.value", "head-start.data"),
        "head-detail.children": ("head-shown.data", "head-key.data"),
        "head-status.children": ("head-shown.data",),
        "head-job.data": ("head-asked.data", "head-passed.data", "head-view.value",
                          "head-layer.value", "head-head.data", "head-query.data", "head-key.data",
                          "head-rank.value", "head-over.value", "head-group.value",
                          "head-part.value", "head-again.data"),
    }  # fmt: skip
    for output, places in calls.items():
        for place in places:
            for value in ([], {}, "x", -1, 1e400, [1, "x"], {"side": 3}, "\0", "9" * 99):
                values = {**FORM, "head-shown.data": NEURONS, place: value}
                answer = client.call(output, values, place)
                assert answer.status in (200, 204), (place, value)
