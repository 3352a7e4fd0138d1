"""The page of an opened block, its callbacks called as the browser calls them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from flowviz.app import create_app
from flowviz.errors import NotKept
from flowviz.inside.request import InsideRequest, InsideSettings, Rank, Rotary
from flowviz.inside.types import InsideChecks, PartKind
from flowviz.request import ExplainRequest
from flowviz.session import Job, JobState
from flowviz.ui.inside.opening import open_page
from flowviz.ui.inside.words import banner, rotary_words, status_line
from tests.fakes import FakeSession, check
from tests.inside_graphs import Shape, opened
from tests.ui.client import Client
from tests.ui.conftest import EXAMPLES
from tests.ui.test_page import HOSTILE

VISITOR = {"shell-visitor.data": "a visitor"}
SHOWN = {"model": "demo", "prompt": "The cat sat on it", "layers": "1-1"}
FORM = {
    **VISITOR,
    "inside-asked.data": {"prompt": "The cat sat on it", "model": "demo", "count": 1},
    "inside-blocks.data": [1, 1],
    "inside-heads.value": 10,
    "inside-memories.value": 2,
    "inside-rows.value": 10,
    "inside-high.value": 18,
    "inside-low.value": 7,
    "inside-rank.value": "norm",
    "inside-rotary.value": "positions",
}
NAMES = ("model", "prompt", "token", "contrast", "position", "layers", "at", "heads", "memories",
         "rows", "high", "low", "rank", "rotary", "colour", "width", "node", "self",
         "__class__")  # fmt: skip


class InsideSession(FakeSession):
    """Answers with a hand-made block; a "slow" prompt runs until it is cancelled."""

    def submit(self, request, visitor, *, to_inspect=False):
        if not isinstance(request, InsideRequest):
            return super().submit(request, visitor, to_inspect=to_inspect)
        check(request.explained())
        self.submitted.append(request)
        self.gone &= not to_inspect
        slow = "slow" in request.prompt
        state = JobState.RUNNING if slow else JobState.DONE
        job = Job(str(next(self.numbers)), state, "Opening the block", 0.2 if slow else 1.0)
        self.jobs[job.id] = (visitor, request, job, time.monotonic())
        return job

    def answer(self, question):
        if isinstance(question, ExplainRequest):
            return self.graph(question)
        if self.gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        graph = opened(Shape(gated=True), question.layers)
        if "unlawful" in question.prompt:
            return replace(graph, checks=InsideChecks(1e-6, 0.3, 0.5, 1e-4))
        return graph


@pytest.fixture
def session() -> InsideSession:
    return InsideSession()


@pytest.fixture
def client(session: InsideSession) -> Client:
    return Client(create_app(session, examples=EXAMPLES))


def text(answer) -> str:
    assert answer.status == 200
    assert answer.notice is None
    return json.dumps(answer.body, ensure_ascii=False)


def page(client: Client, query: dict[str, str]) -> str:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    values = {"_pages_location.pathname": "/inside", "_pages_location.search": f"?{words}"}
    return json.dumps(client.call("_pages_content.children", values).body, ensure_ascii=False)


def job(answer):
    assert answer.status == 200
    return answer["inside-job.data"]


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_a_block_of_the_first_example_opens():
    opening = open_page({}, EXAMPLES, ["demo"])
    assert (opening.prompt, opening.layers, opening.run) == (EXAMPLES[0].prompt, (0, 0), True)
    assert opening.target.contrast == " Rome"


def test_without_examples_the_page_says_what_to_do(session):
    page_text = page(Client(create_app(session, examples=())), {})
    assert "Type a prompt and press Enter" in page_text
    assert not open_page({}, (), ["gpt2"]).run


def test_a_link_opens_what_it_says():
    query = {"prompt": "a b", "layers": "2-3", "at": "1", "token": " c", "heads": "3",
             "rank": "flow", "rotary": "before", "colour": "sign", "width": "norm",
             "node": "value:2:1:0"}  # fmt: skip
    opening = open_page(query, EXAMPLES, ["demo"])
    assert (opening.layers, opening.at, opening.target.token) == ((2, 3), 1, " c")
    assert opening.settings == InsideSettings(heads=3, rank=Rank.FLOW, rotary=Rotary.BEFORE)
    assert opening.look.to_mapping() == {"colour": "sign", "width": "norm"}
    assert (opening.part, opening.fault, opening.run) == ("value:2:1:0", None, True)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"layers": "3-x"}, "layers is 'x'"),
        ({"layers": "0-9"}, "too many for one picture"),
        ({"heads": "many"}, "heads is 'many'; it takes a whole number from 0 to 200"),
        ({"colour": "red"}, "it takes one of rank, sign, entropy"),
        ({"width": "9"}, "it takes one of flow, norm, strength"),
        ({"node": "head:1"}, "names no part of a block"),
        ({"model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
        ({"at": "-1"}, "at is '-1'"),
    ],
)
def test_a_broken_link_keeps_the_prompt_and_says_why(query, words):
    opening = open_page({"prompt": "a b", **query}, EXAMPLES, ["demo"])
    assert (opening.prompt, opening.run) == ("a b", False)
    assert words in opening.fault["text"]
    assert opening.fault["title"] == "This link cannot be drawn"


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        for query in ({name: quote_plus(value)}, {"prompt": "a", name: quote_plus(value)}):
            assert "inside-prompt" in page(client, query)
    assert "inside-prompt" in page(client, {"prompt": "a&prompt=b", name: "x&x=y"})


# ---- from the form to a job -------------------------------------------------------------------


def test_the_form_as_it_opens_is_the_default_request(client, session):
    done = job(client.call("inside-job.data", FORM, "inside-asked.data"))
    assert (done["state"], done["request"]) == ("done", SHOWN)
    assert session.submitted == [InsideRequest("The cat sat on it", layers=(1, 1))]


def test_every_setting_reaches_the_request(client):
    values = {
        **FORM,
        "inside-blocks.data": [0, 2],
        "inside-position.data": 1,
        "inside-target.value": " Paris",
        "inside-contrast.value": " Rome",
        "inside-explained.data": 2,
        "inside-heads.value": 1,
        "inside-memories.value": 3,
        "inside-rows.value": 4,
        "inside-high.value": 5,
        "inside-low.value": 6,
        "inside-rank.value": "flow",
        "inside-rotary.value": "before",
    }
    done = job(client.call("inside-job.data", values, "inside-heads.value"))
    assert done["request"] == {
        "model": "demo", "prompt": "The cat sat on it", "layers": "0-2", "at": "1",
        "token": " Paris", "contrast": " Rome", "position": "2", "heads": "1", "memories": "3",
        "rows": "4", "high": "5", "low": "6", "rank": "flow", "rotary": "before",
    }  # fmt: skip


def test_a_control_that_changes_nothing_submits_nothing(client, session):
    last = {"id": "1", "request": SHOWN}
    values = {**FORM, "inside-job.data": last}
    assert client.call("inside-job.data", values, "inside-heads.value").status == 204
    assert client.call("inside-job.data", values, "inside-asked.data").status == 200
    assert len(session.submitted) == 1


def test_hostile_form_values_never_break_the_server(client):
    for value in (None, [], {}, "x", -1, 1e400, [1, 2, 3], {"a": 1}, "\0", "9" * 99):
        for place in FORM:
            if place == "shell-visitor.data":
                continue
            answer = client.call("inside-job.data", {**FORM, place: value}, "inside-asked.data")
            assert answer.status in (200, 204), (place, value)


def test_a_running_job_is_followed_and_cancelled(client):
    asked = {"prompt": "a slow one", "model": "demo", "count": 1}
    values = {**FORM, "inside-asked.data": asked}
    running = job(client.call("inside-job.data", values, "inside-asked.data"))
    assert running["state"] == "running"
    values = {"inside-job.data": running, **VISITOR}
    now = client.call("inside-standing.data", values, "inside-cancel.n_clicks")
    assert now["inside-standing.data"]["state"] == "cancelled"


def test_a_picture_that_made_room_is_told_and_run_again(client, session):
    session.gone = True
    for place in ("inside-graph.elements", "inside-status.children", "inside-inspector.children"):
        answer = client.call(place, {"inside-shown.data": SHOWN}, "inside-shown.data")
        assert answer.notice is None
        assert answer.body["sideUpdate"]["shell-not-kept"]["data"]
    values = {**VISITOR, "inside-again.data": {"request": SHOWN, "count": 1}}
    again = job(client.call("inside-job.data", values, "inside-again.data"))
    assert (again["state"], again["request"]) == ("done", SHOWN)


def test_the_defaults_come_back(client):
    answer = client.call("inside-heads.value", {}, "inside-reset.n_clicks")
    assert answer["inside-heads.value"] == 10
    assert answer["inside-rotary.value"] == "positions"


# ---- from a job to the picture ----------------------------------------------------------------


def picture(client, colour="rank", width="flow"):
    values = {
        "inside-shown.data": SHOWN,
        "inside-colour.value": colour,
        "inside-width.value": width,
    }
    return client.call("inside-graph.elements", values, "inside-colour.value")


def test_another_colour_changes_picture_and_legend_and_runs_nothing(client, session):
    rank, sign = picture(client), picture(client, "sign")
    assert rank["inside-graph.elements"] != sign["inside-graph.elements"]
    assert rank["inside-drawn.data"]["run"] != sign["inside-drawn.data"]["run"]
    assert "rank of ␣Paris" in json.dumps(rank["inside-keys.children"], ensure_ascii=False)
    assert "speaks for" in json.dumps(sign["inside-keys.children"])
    assert session.submitted == []


def test_a_colour_that_is_none_is_told(client):
    assert "it takes one of rank, sign, entropy" in picture(client, "red").notice


def test_what_is_drawn_is_told_with_its_exactness(client):
    answer = client.call("inside-status.children", {"inside-shown.data": SHOWN})
    words = text(answer)
    assert "Exact to 3e-6 (limit 1e-4)" in words
    assert "2 of 8 heads, 2 of 64 rows of W_O, 3 of 512 neurons drawn" in words
    assert answer["inside-banner.children"] == []
    assert answer["inside-where.children"] == "of 0 to 5, at ␣is at 4"
    assert answer["inside-rotary.disabled"] is True
    assert "no rotary positions" in answer["inside-rotary-words.children"]


def test_what_is_not_exact_is_told_in_a_banner(client):
    shown = {**SHOWN, "prompt": "an unlawful run"}
    answer = client.call("inside-status.children", {"inside-shown.data": shown})
    words = json.dumps(answer["inside-banner.children"])
    assert "the parts of a sum miss it by 0.3; the limit is 1e-4" in words
    assert "Queries and keys are not read" in words
    assert "Not exact: off by 0.3" in text(answer)


def test_words_say_how_queries_are_read_and_counts_a_block():
    graph = opened(Shape(), (1, 2))
    assert "drawn a block" in str(status_line(graph))
    assert banner(graph) == []
    assert "turned to its position" in rotary_words(replace(graph, rotated=True))
    assert "before" in rotary_words(replace(graph, rotated=False))


def test_tokens_open_a_position_and_predictions_can_be_asked_about(client):
    answer = client.call("inside-strip.data", {"inside-shown.data": SHOWN})
    strip = answer["inside-strip.data"]
    assert (strip["target"], strip["explained"], strip["span"]) == (4, 4, None)
    assert strip["drawn"] == [1, 2, 3, 4]
    assert "open the block here" in strip["tip"]
    assert "␣Rome" in text(answer)


# ---- a closer look ----------------------------------------------------------------------------


def inspect(client, key, prompt=SHOWN["prompt"]):
    values = {
        "inside-selected.data": {"key": key, "via": None} if key else None,
        "inside-shown.data": {**SHOWN, "prompt": prompt},
        "shell-theme.data": "light",
    }
    return client.call("inside-inspector.children", values, "inside-selected.data")


def test_every_part_can_be_inspected(client):
    for node in opened(Shape(gated=True)).nodes:
        words = text(inspect(client, str(node.key)))
        assert "No such part" not in words
        assert "not drawn in this picture" not in words


def test_a_head_shows_its_attention_and_a_neuron_value_key_and_gate(client):
    head = text(inspect(client, "head:1:1:0"))
    assert "Attention: the 2 strongest of 5 tokens" in head
    assert "See it in the flow" in head
    neuron = text(inspect(client, "neuron:1:7:0"))
    for words in ("What it promotes here (value)", "What switches it (key)", "What opens it"):
        assert words in neuron


def test_flow_and_norm_stand_side_by_side(client):
    words = text(inspect(client, "attention:1:0:0"))
    assert '"headerName": "Flow"' in words
    assert '"headerName": "Norm"' in words
    overview = text(inspect(client, None))
    assert "Most flow" in overview
    assert "Longest" in overview


def test_a_part_leads_to_the_flow_with_that_node_selected(client):
    link = next(href for href in hrefs(inspect(client, "value:1:1:2").body) if "node" in href)
    query = {name: value[0] for name, value in parse_qs(urlsplit(link).query).items()}
    assert urlsplit(link).path == "/"
    assert query == {"model": "demo", "prompt": "The cat sat on it", "node": "head:1:4:1"}


def test_the_way_back_keeps_prompt_target_and_model(client):
    shown = {**SHOWN, "token": " Rome", "position": "3", "at": "1", "heads": "3"}
    back = client.call("inside-back.href", {"inside-shown.data": shown})["inside-back.href"]
    query = {name: value[0] for name, value in parse_qs(urlsplit(back).query).items()}
    assert query == {"model": "demo", "prompt": SHOWN["prompt"], "token": " Rome",
                     "position": "3"}  # fmt: skip


@pytest.mark.parametrize("key", ["x", "head:1", "\0", "<b>", "head:1:1:1:1:1"])
def test_a_key_that_names_no_part_is_refused_in_the_panel(client, key):
    assert "No such part here" in text(inspect(client, key))


def test_a_part_that_is_not_drawn_says_so(client):
    assert "not drawn in this picture" in text(inspect(client, "head:1:7:0"))


def test_what_is_not_exact_shows_no_flow(client):
    words = text(inspect(client, "mlp:1:0:0", "an unlawful run"))
    assert "not exact on this run" in words
    assert "of the target" not in words
    assert "Most flow" not in text(inspect(client, None, "an unlawful run"))
    assert "not read" in text(inspect(client, "query:1:0:0", "an unlawful run")).lower()


def test_files_can_be_saved(client):
    for button, name in (("json", "block.json"), ("nodes", "block-nodes.csv"),
                         ("edges", "block-edges.csv")):  # fmt: skip
        values = {f"inside-save-{button}.n_clicks": 1, "inside-shown.data": SHOWN}
        trigger = f"inside-save-{button}.n_clicks"
        saved = client.call("inside-download.data", values, trigger)["inside-download.data"]
        assert saved["filename"] == name
        assert str(PartKind.NEURON) in saved["content"]


# ---- the ways in ------------------------------------------------------------------------------


def hrefs(body) -> list[str]:
    if isinstance(body, dict):
        own = [body["href"]] if isinstance(body.get("href"), str) else []
        return own + [link for value in body.values() for link in hrefs(value)]
    return [link for value in body for link in hrefs(value)] if isinstance(body, list) else []


@pytest.mark.parametrize(
    ("key", "layers", "at", "part"),
    [
        ("head:3:4:1", "3-3", "4", "head:3:1:0"),
        ("neuron:2:4:7", "2-2", "4", "neuron:2:7:0"),
        ("resid_pre:1:2", "1-1", "2", "state:1:0:0"),
        ("resid_mid:1:2", "1-1", "2", "mid:1:0:0"),
        ("resid_final:4:4", "3-3", "4", "state:4:0:0"),
        ("embed:0:2", "0-0", "2", "state:0:0:0"),
        ("rest:head:3:4:1", "3-3", "4", "head:3:1:0"),
    ],
)
def test_a_node_of_the_flow_opens_its_block_there(client, key, layers, at, part):
    shown = {"model": "demo", "prompt": "The cat sat on it", "token": " Rome"}
    values = {"flow-selected.data": {"key": key, "via": None}, "flow-shown.data": shown,
              "shell-theme.data": "light"}  # fmt: skip
    answer = client.call("flow-inspector.children", values, "flow-selected.data")
    assert f"Open block {layers.split('-')[0]} here" in text(answer)
    link = next(href for href in hrefs(answer.body) if "/inside" in href)
    query = {name: value[0] for name, value in parse_qs(urlsplit(link).query).items()}
    assert query == {**shown, "layers": layers, "at": at, "node": part}
    contexts = [href for href in hrefs(answer.body) if "/contexts" in href]
    assert len(contexts) == (not key.startswith("rest"))


def test_the_target_is_in_no_block(client):
    values = {"flow-selected.data": {"key": "target:4:4", "via": None},
              "flow-shown.data": {"model": "demo", "prompt": "The cat sat on it"},
              "shell-theme.data": "light"}  # fmt: skip
    answer = client.call("flow-inspector.children", values, "flow-selected.data")
    assert "Open block" not in text(answer)
