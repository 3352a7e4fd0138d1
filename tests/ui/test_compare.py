"""The page that compares, its callbacks called as the browser calls them."""

from __future__ import annotations

import csv
import io
import json
import time
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from flowviz.app import create_app
from flowviz.compare.request import CompareRequest
from flowviz.errors import NotKept, RequestError
from flowviz.graph.types import STATES
from flowviz.request import ExplainRequest, GraphSettings, Wiring
from flowviz.session import Job, JobState
from flowviz.ui.compare.examples import EXAMPLES, example_forms, example_link
from flowviz.ui.compare.form import asked_of, form_of, kept_settings, request_from_form
from flowviz.ui.compare.opening import open_page
from flowviz.ui.links import compare_link
from flowviz.views.compare.words import SAME
from tests.comparisons import NURSE, PLUMBER, of_prompts, unlawful
from tests.fakes import FakeSession, check
from tests.ui.client import Client
from tests.ui.test_page import HOSTILE

VISITOR = {"shell-visitor.data": "a visitor"}
SHOWN = {"model": "demo", "prompt": NURSE, "b_prompt": PLUMBER}
FORM = {
    **VISITOR,
    "compare-asked.data": {"prompt": NURSE, "b_prompt": PLUMBER, "model": "demo", "count": 1},
    "compare-own.checked": False,
    "compare-wiring.value": "stream",
    "compare-score.value": "flow",
    "compare-coverage.value": 0.8,
    "compare-budget.value": 60,
    "compare-edge-coverage.value": 0.85,
    "compare-kinds.value": ["embed", "pos_embed", "head", "neuron", "bias"],
    "compare-kept.data": {},
}
LINKS = (
    {"prompt": NURSE, "b_prompt": PLUMBER},
    {"prompt": NURSE, "b_prompt": NURSE},
    {"prompt": NURSE, "b_model": "gpt2", "token": " she", "contrast": " he"},
    {"prompt": NURSE, "b_interventions": "head:4:*:3=0"},
    {"prompt": NURSE, "interventions": "head:4:*:3=0", "b_interventions": ""},
    {"prompt": NURSE, "interventions": "head:1:1:1=0", "b_interventions": "head:1:2:1=0"},
    {"prompt": NURSE, "interventions": "head:1:1:1=donor", "donor": "x", "b_interventions": "",
     "b_donor": ""},
    {"prompt": NURSE, "b_prompt": PLUMBER, "contrast": " he", "b_contrast": ""},
    {"prompt": NURSE, "b_prompt": PLUMBER, "token": " she", "b_token": " he"},
    {"prompt": NURSE, "b_prompt": PLUMBER, "position": "2", "b_position": "1"},
    {"prompt": NURSE, "b_prompt": PLUMBER, "position": "2", "b_position": ""},
    {"prompt": NURSE, "b_prompt": PLUMBER, "position": "0"},
    {"prompt": NURSE, "b_prompt": PLUMBER, "wiring": "circuit", "budget": "20", "kinds": "head",
     "layers": "0-2", "heads_per_layer": "3", "score": "gradient"},
)  # fmt: skip
NAMES = ("model", "prompt", "token", "contrast", "position", "b_prompt", "b_model", "b_token",
         "b_contrast", "b_position", "interventions", "b_interventions", "donor", "b_donor",
         "wiring", "budget", "kinds", "node", "rest", "self", "__class__")  # fmt: skip


class CompareSession(FakeSession):
    """Answers with hand-made comparisons; "slow" runs until it is cancelled, "unlawful" fails."""

    def submit(self, request, visitor, *, to_inspect=False):
        if not isinstance(request, CompareRequest):
            return super().submit(request, visitor, to_inspect=to_inspect)
        check(request.first)
        check(request.second)
        self.submitted.append(request)
        self.gone &= not to_inspect
        slow = "slow" in request.second.prompt
        state = JobState.RUNNING if slow else JobState.DONE
        job = Job(str(next(self.numbers)), state, "Running both", 0.2 if slow else 1.0)
        self.jobs[job.id] = (visitor, request, job, time.monotonic())
        return job

    def answer(self, question):
        if not isinstance(question, CompareRequest):
            return super().answer(question)
        if self.gone:
            raise NotKept("This result is not kept any more. Run the prompt again.")
        first, second = question.first, question.second
        found = of_prompts(first.prompt, second.prompt, str(first.settings.wiring))
        return unlawful(found) if "unlawful" in second.prompt else found


@pytest.fixture
def session() -> CompareSession:
    return CompareSession()


@pytest.fixture
def client(session: CompareSession) -> Client:
    return Client(create_app(session))


def text(answer) -> str:
    assert answer.status == 200
    assert answer.notice is None
    return json.dumps(answer.body, ensure_ascii=False)


def page(client: Client, query: dict[str, str]) -> str:
    return client.page(query, "/compare")


def job(answer):
    assert answer.status == 200
    return answer["compare-job.data"]


def shown(second: str = PLUMBER, **more: str) -> dict[str, object]:
    return {"compare-shown.data": {**SHOWN, "b_prompt": second, **more},
            "compare-rest.checked": True}  # fmt: skip


# ---- links ------------------------------------------------------------------------------------


def test_without_a_query_the_first_example_opens():
    opening = open_page({}, ["demo"])
    assert (opening.form["prompt"], opening.form["b_prompt"]) == (NURSE, PLUMBER)
    assert (opening.run, opening.hint, opening.more) == (True, False, False)


def test_another_default_model_opens_an_empty_form(client):
    opening = open_page({}, ["gpt2"])
    assert (opening.form["prompt"], opening.form["b_prompt"], opening.run) == ("", "", False)
    assert "Type two prompts and press Enter" in page(client, {"model": "gpt2"})


def test_a_first_prompt_alone_is_filled_in_and_the_second_asked_for(client):
    opening = open_page({"prompt": NURSE, "token": " she", "layers": "0-2"}, ["demo"])
    assert (opening.form["prompt"], opening.form["b_prompt"]) == (NURSE, "")
    assert (opening.run, opening.hint, opening.form["token"]) == (False, True, " she")
    said = page(client, {"prompt": "A nurse"})
    assert "Now type the second prompt, and press Enter" in said
    assert "Type the second prompt" in said


@pytest.mark.parametrize("link", LINKS)
def test_a_link_fills_the_form_and_the_form_asks_for_the_same(link):
    request = CompareRequest.from_mapping({"model": "demo", **link})
    opening = open_page(link, ["demo", "gpt2"])
    assert (opening.fault, opening.run) == (None, True)
    assert opening.form == form_of(request)
    settings = opening.settings
    live = {"wiring": str(settings.wiring), "score": str(settings.score),
            "coverage": settings.coverage,
            "budget": settings.budget, "edge_coverage": settings.edge_coverage,
            "kinds": sorted(settings.kinds)}  # fmt: skip
    form = opening.form
    assert request_from_form(asked_of(form), form, live, kept_settings(settings)) == request


def test_settings_without_a_control_are_kept_and_told(client):
    said = page(client, {"prompt": "a", "b_prompt": "b", "layers": "0-2"})
    assert "As the link has it: layers 0-2." in said
    back = client.call("compare-kept.data", {"compare-reset.n_clicks": 1}, "compare-reset.n_clicks")
    assert (back["compare-kept.data"], back["compare-kept-words.children"]) == ({}, "")
    assert back["compare-budget.value"] == GraphSettings().budget


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"b_prompt": "b", "budget": "many"}, "budget is 'many'"),
        ({"b_prompt": "b", "model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
        ({"b_model": "nobody/knows"}, "No model 'nobody/knows' is offered here"),
        ({"b_prompt": "b", "b_budget": "3"}, "both sides are drawn in one graph"),
        ({"b_interventions": "head"}, "'head' is no intervention"),
        ({"b_prompt": "b", "node": "head:1"}, "names no node"),
        ({"b_prompt": ""}, "There is nothing to compare with"),
    ],
)
def test_a_broken_link_keeps_both_prompts_and_says_why(query, words):
    opening = open_page({"prompt": "a b", **query}, ["demo"])
    assert (opening.form["prompt"], opening.run) == ("a b", False)
    assert opening.form["b_prompt"] == query.get("b_prompt", "")
    assert words in opening.fault["text"]
    assert opening.fault["title"] == "This link cannot be drawn"


@pytest.mark.parametrize("name", NAMES)
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        for query in (
            {"prompt": "a", name: quote_plus(value)},
            {"prompt": "a", "b_prompt": "b", name: quote_plus(value)},
        ):
            assert "compare-prompt" in page(client, query)
    assert "compare-prompt" in page(client, {"prompt": "a&prompt=b", name: "x&x=y"})


def test_the_way_in_from_a_flow_leaves_the_second_to_be_typed(client):
    link = compare_link(ExplainRequest(NURSE, "gpt2", settings=GraphSettings(Wiring.CIRCUIT)))
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert urlsplit(link).path == "/compare"
    opening = open_page(query, ["demo", "gpt2"])
    assert (opening.form["prompt"], opening.form["model"], opening.hint) == (NURSE, "gpt2", True)
    assert opening.settings.wiring is Wiring.CIRCUIT


def test_the_way_in_from_a_changed_pass_compares_before_and_after():
    changed = ExplainRequest.from_mapping({"prompt": NURSE, "interventions": "head:4:*:3=0"})
    query = parse_qs(urlsplit(compare_link(changed)).query)
    request = CompareRequest.from_mapping({name: values[0] for name, values in query.items()})
    assert (request.first, request.second) == (changed.clean, changed)


# ---- from the form to a job -------------------------------------------------------------------


def test_the_form_as_it_opens_is_the_default_request(client, session):
    done = job(client.call("compare-job.data", FORM, "compare-asked.data"))
    assert (done["state"], done["request"]) == ("done", SHOWN)
    assert session.submitted == [CompareRequest.from_mapping(SHOWN)]


def test_every_control_reaches_the_request(client):
    values = {
        **FORM,
        "compare-asked.data": {
            "prompt": NURSE, "b_prompt": "", "model": "demo", "b_model": "gpt2",
            "interventions": "", "b_interventions": "head:1:1:1=0",
        },
        "compare-target.value": " she",
        "compare-contrast.value": " he",
        "compare-own.checked": True,
        "compare-second-target.value": " they",
        "compare-second-contrast.value": None,
        "compare-position.data": [2, 1],
        "compare-wiring.value": "circuit",
        "compare-score.value": "gradient",
        "compare-coverage.value": 0.5,
        "compare-budget.value": 20,
        "compare-edge-coverage.value": 0.9,
        "compare-kinds.value": ["head"],
        "compare-kept.data": {"layers": "0-2"},
    }  # fmt: skip
    done = job(client.call("compare-job.data", values, "compare-budget.value"))
    assert done["request"] == {
        "model": "demo", "prompt": NURSE, "token": " she", "contrast": " he", "position": "2",
        "b_model": "gpt2", "b_interventions": "head:1:1:1=0", "b_token": " they", "b_contrast": "",
        "b_position": "1", "wiring": "circuit", "score": "gradient", "coverage": "0.5",
        "budget": "20", "edge_coverage": "0.9", "kinds": "head", "layers": "0-2",
    }  # fmt: skip


def test_a_target_of_its_own_counts_only_where_it_is_switched_on(client):
    values = {**FORM, "compare-target.value": " she", "compare-second-target.value": " they"}
    done = job(client.call("compare-job.data", values, "compare-second-target.value"))
    assert done["request"] == {**SHOWN, "token": " she"}


def test_a_control_that_changes_nothing_submits_nothing(client, session):
    values = {**FORM, "compare-job.data": {"id": "1", "request": SHOWN}}
    assert client.call("compare-job.data", values, "compare-budget.value").status == 204
    assert client.call("compare-job.data", values, "compare-asked.data").status == 200
    assert len(session.submitted) == 1


def test_what_cannot_be_asked_reads_as_a_failed_job(client):
    asked = {"prompt": NURSE, "b_prompt": "", "model": "demo"}
    done = job(client.call("compare-job.data", {**FORM, "compare-asked.data": asked}))
    assert done["state"] == "failed"
    assert "There is nothing to compare with" in done["error"]


def test_hostile_form_values_never_break_the_server(client):
    for value in (None, [], {}, "x", -1, 1e400, [1, 2, 3], {"a": 1}, "\0", "9" * 99):
        for place in (*FORM, "compare-position.data", "compare-target.value"):
            if place == "shell-visitor.data":
                continue
            answer = client.call("compare-job.data", {**FORM, place: value}, "compare-asked.data")
            assert answer.status in (200, 204), (place, value)


def test_hostile_sides_never_break_the_server(client):
    asked = FORM["compare-asked.data"]
    for name in ("prompt", "b_prompt", "model", "b_model", "interventions", "b_interventions",
                 "donor", "b_donor", "count", "else"):  # fmt: skip
        for value in (None, [], {}, "x", -1, 1e400, "\0", "\ud800", ";" * 99, {"a": 1}):
            values = {**FORM, "compare-asked.data": {**asked, name: value}}
            assert client.call("compare-job.data", values, "compare-asked.data").status == 200


def test_a_long_run_is_followed_and_cancelled(client):
    asked = {**FORM["compare-asked.data"], "b_prompt": "a slow one"}
    running = job(client.call("compare-job.data", {**FORM, "compare-asked.data": asked}))
    assert (running["state"], running["stage"]) == ("running", "Running both")
    values = {**VISITOR, "compare-job.data": running}
    still = client.call("compare-standing.data", values, "compare-poll.n_intervals")
    assert still["compare-standing.data"]["state"] == "running"
    stopped = client.press("compare-standing.data", values, "compare-cancel")
    assert stopped["compare-standing.data"]["state"] == "cancelled"


# ---- from a job to the picture ----------------------------------------------------------------


def test_the_picture_and_what_is_said_of_it(client):
    drawn = client.call("compare-graph.elements", shown(), "compare-shown.data")
    nodes = [e["data"]["id"] for e in drawn["compare-graph.elements"]]
    assert any(name.startswith("head:") for name in nodes)
    assert drawn["compare-drawn.data"]["elements"] == len(nodes)
    assert drawn["compare-drawn.data"]["token"] == " she"
    assert "Both exact to" in text(drawn)
    assert drawn["compare-banner.children"] == drawn["compare-same.children"] == []
    bare = client.call("compare-graph.elements", {**shown(), "compare-rest.checked": False})
    assert len(bare["compare-graph.elements"]) < len(nodes)


def test_equal_sides_draw_nothing_and_say_so(client):
    drawn = client.call("compare-graph.elements", shown(NURSE), "compare-shown.data")
    assert drawn["compare-graph.elements"] == []
    assert SAME in json.dumps(drawn["compare-same.children"])
    told = client.call("compare-strip.data", shown(NURSE), "compare-shown.data")
    table = client.call("compare-table.children", shown(NURSE), "compare-shown.data")
    assert table["compare-table.children"] == []
    assert told["compare-strip.data"]["differing"] == 0


def test_a_broken_law_is_told_with_its_side(client):
    drawn = client.call("compare-graph.elements", shown("unlawful said that"))
    assert "The second pass: this run broke a law" in json.dumps(drawn["compare-banner.children"])
    assert not any(">" in e["data"]["id"] for e in drawn["compare-graph.elements"])


def test_tokens_words_table_and_links(client):
    told = client.call("compare-strip.data", shown(), "compare-shown.data")
    columns = told["compare-strip.data"]["columns"]
    assert [column["texts"] for column in columns] == [
        ["The", "The"], ["␣nurse", "␣plumber"], ["␣said", "␣said"], ["␣that", "␣that"]
    ]  # fmt: skip
    assert [column["same"] for column in columns] == [True, False, True, True]
    assert [column["explained"] for column in columns][-1] == [True, True]
    assert "A stated bias" in json.dumps(told["compare-look-for.children"])
    assert "same number of tokens" in told["compare-alignment.children"]
    first, second = told["compare-open-first.href"], told["compare-open-second.href"]
    assert parse_qs(urlsplit(first).query)["prompt"] == [NURSE]
    assert parse_qs(urlsplit(second).query)["prompt"] == [PLUMBER]


def test_what_changed_most_lists_components_and_states_where_they_are_wanted(client):
    found = of_prompts(NURSE, PLUMBER)
    states = {str(change.key) for change in found.changes if change.key.kind in STATES}
    for wanted in (False, True):
        values = {**shown(), "compare-states.checked": wanted}
        answer = client.call("compare-table.children", values, "compare-states.checked")
        (grid,) = answer["compare-table.children"]
        rows = [row["row"] for row in grid["props"]["rowData"]]
        assert len(rows) == len(found.changes) - (0 if wanted else len(states))
        assert bool(states & set(rows)) == wanted
    assert open_page({"prompt": "a", "b_prompt": "b", "states": "1"}, ["demo"]).states


def test_the_pickers_offer_both_sides_predictions(client):
    for box in ("target", "contrast", "second-target", "second-contrast"):
        values = {**shown(), "compare-model.value": "demo"}
        offered = client.call(f"compare-{box}.data", values)[f"compare-{box}.data"]
        assert [each["value"] for each in offered] == [" she", " he"]


def test_both_prompts_are_counted(client):
    for store, count in (("typed", "count"), ("second-typed", "second-count")):
        typed = {"prompt": "a b c", "model": "demo", "characters": 5}
        answer = client.call(f"compare-{count}.children", {f"compare-{store}.data": typed})
        assert answer[f"compare-{count}.children"] == "3 of 64 tokens"


def test_what_is_not_kept_any_more_is_run_again(client, session):
    session.gone = True
    answer = client.call("compare-graph.elements", shown(), "compare-shown.data")
    assert "shell-not-kept" in answer.body["sideUpdate"]
    again = {**FORM, "compare-again.data": {"request": SHOWN, "count": 1}}
    done = job(client.call("compare-job.data", again, "compare-again.data"))
    assert (done["state"], session.gone) == ("done", False)


# ---- a closer look ----------------------------------------------------------------------------


def inspected(client, key: str | None, second: str = PLUMBER) -> str:
    values = {**shown(second), "compare-selected.data": {"key": key, "via": None} if key else None}
    return text(client.call("compare-inspector.children", values, "compare-selected.data"))


def test_without_a_selection_the_predictions_stand_side_by_side(client):
    panel = inspected(client, None)
    for words in ("What the model says next", "␣she", "50%", "12%", "−38"):
        assert words in panel


def test_the_inspector_has_both_sides_of_a_node(client):
    change = next(c for c in of_prompts(NURSE, PLUMBER).changes if c.key.kind == "head")
    panel = inspected(client, str(change.key))
    for words in ("First", "Second", "Change", "In the first it reads as", "In the second",
                  "What flows in", "Where it goes", "First in the flow", "Second in the flow",
                  "compare-inflows", "not drawn ◇", "Rank"):  # fmt: skip
        assert words in panel
    assert quote_plus(str(change.first.key)) in panel


def test_every_drawn_node_can_be_looked_at(client):
    for node in of_prompts(NURSE, PLUMBER).graph.nodes:
        panel = inspected(client, str(node.key))
        assert "Change" in panel
        assert "No such node" not in panel


@pytest.mark.parametrize(
    ("key", "second", "words"),
    [
        ("head:77:1:1", PLUMBER, "not among the nodes that changed most"),
        ("head:77:999:1", PLUMBER, "not among the nodes that changed most"),
        ("head:1:1:1", NURSE, SAME),
        ("<b>", PLUMBER, "No such node here"),
        ("head:1:1:1", "unlawful said that", "a law of the flow failed"),
    ],
)
def test_a_node_that_cannot_be_shown_says_why(client, key, second, words):
    if second.startswith("unlawful"):
        key = str(of_prompts(NURSE, second).changes[0].key)
    assert words in inspected(client, key, second)


def test_every_file_can_be_saved(client):
    for button, columns in (
        ("save-changes", "rank,id,kind"),
        ("save-table", "rank,id,kind"),
        ("save-edges", "id,source,target"),
        ("save-predictions", "id,token,first,second"),
    ):
        answer = client.press("compare-download.data", shown(), f"compare-{button}")
        saved = answer["compare-download.data"]
        assert saved["content"].startswith(columns)
        assert len(list(csv.reader(io.StringIO(saved["content"])))) > 2
    saved = client.press("compare-download.data", shown(), "compare-save-json")
    whole = json.loads(saved["compare-download.data"]["content"])
    assert whole["first"]["prompt"] == NURSE


# ---- examples ---------------------------------------------------------------------------------


def test_examples_are_requests_and_stand_in_the_menu(client, session):
    assert len(EXAMPLES) == 5
    said = page(client, {"prompt": "a"})
    for example in EXAMPLES:
        assert example.title in said
        CompareRequest.from_mapping(example_link(example, "demo"))
    forms = example_forms(session.models())
    assert {form["model"] for form in forms} == {"demo"}
    others = example_forms(session.models()[1:])
    assert {(form["model"], form["token"]) for form in others} == {("gpt2", None)}


def test_an_unknown_intervention_is_refused_before_it_runs():
    with pytest.raises(RequestError):
        request_from_form({"prompt": "a", "b_interventions": "x"}, {}, {}, None)
