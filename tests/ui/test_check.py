"""From a drawn graph to its verdict, without a browser: jobs, line, panel, files, links."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from flowviz.causal.types import Ablation
from flowviz.request import ExplainRequest
from flowviz.ui.check.form import MOST_BY_ITSELF, SUFFIX, operations, owner
from flowviz.ui.flow.opening import open_page
from tests.fakes import make_graph
from tests.ui.conftest import EXAMPLES
from tests.ui.test_page import HOSTILE

GRAPH = {"model": "demo", "prompt": "The cat sat on the mat"}
ASKED = {"explained": GRAPH, "against": "zero", "other": None, "smallest": None, "itself": True}
VISITOR = {"shell-visitor.data": "a visitor"}
OPEN = {"check-open.data": True, "shell-theme.data": "light"}
UNLAWFUL = {"model": "demo", "prompt": "an unlawful run of it"}


def text(answer) -> str:
    return json.dumps(answer.body, ensure_ascii=False)


def asked(client, **changes):
    values = {**VISITOR, "check-asked.data": {**ASKED, **changes}}
    return client.call("check-job.data", values, "check-asked.data")


def job(client, **changes):
    answer = asked(client, **changes)
    assert answer.status == 200
    return answer["check-job.data"]


def panel(client, shown, **values):
    given = {**OPEN, "check-shown.data": shown, **values}
    return client.call("check-recovered.children", given, "check-shown.data")


def test_a_check_is_a_job_of_its_own_with_the_graphs_request(client, session):
    done = job(client)
    assert (done["state"], done["request"]) == ("done", GRAPH)
    assert session.jobs[done["id"]][0] == "a visitor" + SUFFIX
    assert session.submitted == []


def test_what_is_chosen_reaches_the_request(client, session):
    job(client, against="resample", other="A dog", smallest=0.8)
    request = session.checked[0]
    assert (request.against, request.other, request.smallest) == (Ablation.RESAMPLE, "A dog", 0.8)
    assert request.explained.prompt == GRAPH["prompt"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"against": "resample"}, "give the other prompt"),
        ({"against": "nothing"}, "takes one of zero, mean, resample"),
        ({"smallest": 7}, "smallest is"),
        ({"explained": {"prompt": ""}}, "The prompt is empty"),
        ({"explained": None}, "The prompt is empty"),
    ],
)
def test_what_cannot_be_checked_is_a_failed_job_with_the_way_out(client, changes, words):
    done = job(client, **changes)
    assert done["state"] == "failed"
    assert words in done["error"]


def test_hostile_stores_never_break_the_server(client):
    for value in (None, [], {}, "x", -1, 1e400, {"a": 1}, "\0", "9" * 99):
        for name in ASKED:
            assert asked(client, **{name: value}).status in (200, 204), (name, value)


def test_without_a_visitor_nothing_is_submitted(client, session):
    assert client.call("check-job.data", {"check-asked.data": ASKED}).status == 204
    assert session.checked == []


def test_a_check_that_takes_long_waits_until_somebody_asks_for_it(client, session):
    prompt = {"model": "gpt2", "prompt": "large" + 899 * " word"}
    assert operations(make_graph(ExplainRequest(prompt["prompt"], "gpt2"))) > MOST_BY_ITSELF
    waits = job(client, explained=prompt)
    assert waits["state"] == "cancelled"
    assert "passes of 900 tokens, so it waits for your click" in waits["error"]
    assert session.checked == []
    assert job(client, explained=prompt, itself=False)["state"] == "done"
    assert job(client, explained=prompt)["state"] == "done"  # it is there now


def test_a_running_check_is_followed_and_cancelled_by_its_owner_alone(client):
    running = job(client, against="resample", other="a slow one")
    values = {"check-job.data": running, **VISITOR}
    now = client.call("check-standing.data", values, "check-poll.n_intervals")
    assert now["check-standing.data"]["stage"] == "Replacing everything"
    other = {**values, "shell-visitor.data": "another"}
    now = client.call("check-standing.data", other, "check-cancel.n_clicks")
    assert now["check-standing.data"]["state"] == "failed"
    now = client.call("check-standing.data", values, "check-cancel.n_clicks")
    assert now["check-standing.data"]["state"] == "cancelled"


def test_a_name_of_any_length_owns_a_check():
    assert owner("x" * 500).endswith(SUFFIX)
    assert len(owner("x" * 500)) == 100


def test_the_line_says_the_whole_verdict_and_its_tip_what_it_means(client):
    job(client)
    answer = client.call("check-line.children", {"check-shown.data": GRAPH}, "check-shown.data")
    words = text(answer)
    assert "Recovers 50% of ␣Paris" in words
    assert "under zero ablation (random graphs: −10% to 20%), KL 1.5 bits" in words
    assert "every other head, neuron and embedding is replaced by zero" in words


@pytest.mark.parametrize("gone", ["gone", "verdicts_gone"])
def test_a_graph_or_a_verdict_that_made_room_is_run_again(client, session, gone):
    job(client)
    setattr(session, gone, True)
    answer = client.call("check-line.children", {"check-shown.data": GRAPH}, "check-shown.data")
    assert "shell-not-kept" in answer.body["sideUpdate"]


def test_the_panel_has_the_bar_the_curves_the_scores_and_the_effects(client):
    job(client)
    answer = panel(client, GRAPH)
    assert "this graph: 50%" in text(answer)
    assert "flow 0.75/0.25" in text(answer)
    labels = [each["label"] for each in answer["check-score.data"]]
    assert labels == ["flow 0.50", "blend 0.75", "gradient 1.00", "direct −0.25"]
    assert '"data-node": "head:' in json.dumps(answer["check-effects.children"])
    assert answer["check-smallest.children"] == []
    assert answer["check-find.hidden"] is False


def test_a_closed_panel_costs_nothing(client):
    job(client)
    assert panel(client, GRAPH, **{"check-open.data": False}).status == 204


def test_a_small_graph_lists_its_components_and_its_weakest(client):
    shown = job(client, smallest=0.8)["request"]
    words = json.dumps(panel(client, shown)["check-smallest.children"], ensure_ascii=False)
    assert "components recover 82.0%" in words
    assert "without it 78.0%" in words
    assert words.count('"data-node"') > 5


def test_the_plot_shows_the_chosen_score_and_its_points_have_keys(client):
    job(client)
    values = {**OPEN, "check-shown.data": GRAPH, "check-score.value": "gradient"}
    answer = client.call("check-plot.children", values, "check-score.value")
    figure = answer["check-plot.children"]["props"]["figure"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "What the gradient says"
    assert any(key.startswith("head:") for key in figure["data"][0]["customdata"])


def test_where_a_law_failed_what_needs_the_flow_is_hidden_and_the_rest_is_there(client):
    shown = job(client, explained=UNLAWFUL)["request"]
    answer = panel(client, shown)
    assert [each["value"] for each in answer["check-score.data"]] == ["gradient"]
    assert "flow 0.75" not in json.dumps(answer["check-curves.children"])
    assert "random 0.75" in json.dumps(answer["check-curves.children"])
    assert answer["check-find.hidden"] is True
    values = {**OPEN, "check-shown.data": shown, "check-score.value": "flow"}
    plot = client.call("check-plot.children", values, "check-shown.data")
    assert plot["check-score.value"] == "gradient"


@pytest.mark.parametrize(
    ("button", "name", "begins"),
    [
        ("check-save-json", "check.json", '{\n "version": 1'),
        ("check-save-effects", "check-effects.csv", "id,kind,layer"),
        ("check-save-curves", "check-curves.csv", "score,size,share"),
    ],
)
def test_files_hold_the_verdict(client, button, name, begins):
    job(client)
    answer = client.press("check-download.data", {"check-shown.data": GRAPH}, button)
    download = answer["check-download.data"]
    assert download["filename"] == name
    assert download["content"].startswith(begins)


def test_a_store_that_was_tampered_with_gives_a_notice(client):
    for shown in ({"prompt": ""}, {**GRAPH, "against": "x"}, {**GRAPH, "against": "resample"}):
        answer = client.call("check-line.children", {"check-shown.data": shown})
        assert answer.status in (200, 204)
        assert answer.notice


def test_a_link_opens_the_check_that_it_says():
    query = {**GRAPH, "against": "resample", "other": "A dog", "smallest": "0.9", "check": "1"}
    opening = open_page(query, EXAMPLES, ["demo"])
    assert opening.check.chosen == {"against": "resample", "other": "A dog", "smallest": 0.9}
    assert opening.check.open
    plain = open_page(GRAPH, EXAMPLES, ["demo"]).check
    assert plain.chosen == {"against": "zero", "other": None, "smallest": None}
    assert not plain.open


def test_a_broken_check_in_a_link_says_why():
    for wrong in ({"against": "x"}, {"other": "A dog"}, {"smallest": "2"}):
        opening = open_page({**GRAPH, **wrong}, EXAMPLES, ["demo"])
        assert not opening.run
        assert opening.fault is not None
        assert opening.prompt == GRAPH["prompt"]


@pytest.mark.parametrize("name", ["against", "other", "smallest", "check"])
def test_hostile_links_never_break_the_server(client, name):
    for value in HOSTILE:
        assert "flow-prompt" in client.page({"prompt": "a", name: quote_plus(value)})


def test_larger_graphs_take_more_operations():
    graph = make_graph(ExplainRequest("a b c"))
    wider = replace(graph, model=replace(graph.model, layers=2 * graph.model.layers))
    assert operations(wider) == pytest.approx(2 * operations(graph))
